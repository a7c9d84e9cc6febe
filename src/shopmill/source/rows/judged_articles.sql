-- The catalogue, each article once: of several rows with the same id that could be used, the first in the order of all
-- columns counts. A value that does not fit its type is no problem of the article.
with flawed_articles as (
  select
    *,
    case
      when article_id is null then 'article_id is null'
      when trim(article_id) = '' then 'article_id is empty'
      when price < 0 then 'price is negative'
    end as flaw
  from {{ source }}articles
)
select
  *,
  coalesce(
    flaw,
    case
      when row_number() over (
        partition by article_id, flaw is null
        order by
          product_code nulls last, prod_name nulls last, product_type_no nulls last, product_type_name nulls last,
          product_group_name nulls last, graphical_appearance_no nulls last, graphical_appearance_name nulls last,
          colour_group_code nulls last, colour_group_name nulls last, perceived_colour_value_id nulls last,
          perceived_colour_value_name nulls last, perceived_colour_master_id nulls last,
          perceived_colour_master_name nulls last, department_no nulls last, department_name nulls last,
          index_code nulls last, index_name nulls last, index_group_no nulls last, index_group_name nulls last,
          section_no nulls last, section_name nulls last, garment_group_no nulls last, garment_group_name nulls last,
          detail_desc nulls last, price nulls last, stock nulls last, is_listed nulls last, attributes nulls last
      ) > 1 then 'article_id is repeated'
    end
  ) as problem,
  case
    when json_extract_string(misfits, '$.price') is not null
      then 'price does not fit decimal(18,6): ' || json_extract_string(misfits, '$.price') || ', taken as unknown'
    when json_extract_string(misfits, '$.stock') is not null
      then 'stock does not fit integer: ' || json_extract_string(misfits, '$.stock') || ', taken as unknown'
    when misfits is not null then 'a value does not fit its type: ' || misfits || ', taken as unknown'
  end as unknown,
  cast(null as date) as source_day,
  to_json({
    'article_id': article_id, 'product_code': product_code, 'prod_name': prod_name,
    'product_type_no': cast(product_type_no as varchar), 'product_type_name': product_type_name,
    'product_group_name': product_group_name,
    'graphical_appearance_no': cast(graphical_appearance_no as varchar),
    'graphical_appearance_name': graphical_appearance_name,
    'colour_group_code': cast(colour_group_code as varchar), 'colour_group_name': colour_group_name,
    'perceived_colour_value_id': cast(perceived_colour_value_id as varchar),
    'perceived_colour_value_name': perceived_colour_value_name,
    'perceived_colour_master_id': cast(perceived_colour_master_id as varchar),
    'perceived_colour_master_name': perceived_colour_master_name,
    'department_no': cast(department_no as varchar), 'department_name': department_name,
    'index_code': index_code, 'index_name': index_name,
    'index_group_no': cast(index_group_no as varchar), 'index_group_name': index_group_name,
    'section_no': cast(section_no as varchar), 'section_name': section_name,
    'garment_group_no': cast(garment_group_no as varchar), 'garment_group_name': garment_group_name,
    'detail_desc': detail_desc, 'price': coalesce(cast(price as varchar), json_extract_string(misfits, '$.price')),
    'stock': coalesce(cast(stock as varchar), json_extract_string(misfits, '$.stock')),
    'is_listed': cast(is_listed as varchar), 'attributes': attributes
  }) as source_row
from flawed_articles
