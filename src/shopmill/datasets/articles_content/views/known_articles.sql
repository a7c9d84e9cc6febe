-- Every article that the shop lists or ever listed, with what it said of it last. An article whose only rows cannot be
-- used is still listed: it stays as the version before had it.
with usable as (
  select * from judged_articles where problem is null
),
listed as (
  select distinct article_id from source_articles where article_id is not null
)
select
  usable.article_id, usable.product_code, usable.prod_name, usable.product_type_no, usable.product_type_name,
  usable.product_group_name, usable.graphical_appearance_no, usable.graphical_appearance_name,
  usable.colour_group_code, usable.colour_group_name, usable.perceived_colour_value_id,
  usable.perceived_colour_value_name, usable.perceived_colour_master_id, usable.perceived_colour_master_name,
  usable.department_no, usable.department_name, usable.index_code, usable.index_name, usable.index_group_no,
  usable.index_group_name, usable.section_no, usable.section_name, usable.garment_group_no,
  usable.garment_group_name, usable.detail_desc, usable.price, usable.stock,
  coalesce(old.first_seen, $as_of) as first_seen,
  $as_of as last_seen,
  true as is_active
from usable
left join previous_articles as old on old.article_id = usable.article_id
union all
select
  old.article_id, old.product_code, old.prod_name, old.product_type_no, old.product_type_name,
  old.product_group_name, old.graphical_appearance_no, old.graphical_appearance_name,
  old.colour_group_code, old.colour_group_name, old.perceived_colour_value_id,
  old.perceived_colour_value_name, old.perceived_colour_master_id, old.perceived_colour_master_name,
  old.department_no, old.department_name, old.index_code, old.index_name, old.index_group_no,
  old.index_group_name, old.section_no, old.section_name, old.garment_group_no,
  old.garment_group_name, old.detail_desc, old.price, old.stock,
  old.first_seen,
  case when listed.article_id is null then old.last_seen else $as_of end,
  listed.article_id is not null
from previous_articles as old
left join listed on listed.article_id = old.article_id
left join usable on usable.article_id = old.article_id
where usable.article_id is null
