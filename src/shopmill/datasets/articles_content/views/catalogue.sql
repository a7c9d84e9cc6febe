-- The rows of the shop's catalogue. `problem` says why a row cannot be used; of several rows with the same id that could
-- be used, the first in the order of all columns is.
with judged as (
  select
    *,
    case
      when article_id is null then 'article_id is null'
      when trim(article_id) = '' then 'article_id is empty'
      when price < 0 then 'price is negative'
    end as flaw
  from source_articles
),
numbered as (
  select
    *,
    row_number() over (
      partition by article_id, flaw is null
      order by
        product_code nulls last, prod_name nulls last, product_type_no nulls last, product_type_name nulls last,
        product_group_name nulls last, graphical_appearance_no nulls last, graphical_appearance_name nulls last,
        colour_group_code nulls last, colour_group_name nulls last, perceived_colour_value_id nulls last,
        perceived_colour_value_name nulls last, perceived_colour_master_id nulls last,
        perceived_colour_master_name nulls last, department_no nulls last, department_name nulls last,
        index_code nulls last, index_name nulls last, index_group_no nulls last, index_group_name nulls last,
        section_no nulls last, section_name nulls last, garment_group_no nulls last, garment_group_name nulls last,
        detail_desc nulls last, price nulls last, stock nulls last
    ) as place
  from judged
)
select
  article_id, product_code, prod_name, product_type_no, product_type_name, product_group_name,
  graphical_appearance_no, graphical_appearance_name, colour_group_code, colour_group_name,
  perceived_colour_value_id, perceived_colour_value_name, perceived_colour_master_id, perceived_colour_master_name,
  department_no, department_name, index_code, index_name, index_group_no, index_group_name,
  section_no, section_name, garment_group_no, garment_group_name, detail_desc, price, stock,
  coalesce(flaw, case when place > 1 then 'article_id is repeated' end) as problem
from numbered
