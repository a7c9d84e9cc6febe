-- What is different from the version before. Articles never leave the table `articles`, so each change is in it.
with compared as (
  select
    now.article_id,
    old.article_id is null as is_new,
    now.is_active,
    coalesce(old.is_active, false) as was_active,
    case when old.article_id is null then '' else concat_ws(
      ',',
      case when now.colour_group_code is distinct from old.colour_group_code then 'colour_group_code' end,
      case when now.colour_group_name is distinct from old.colour_group_name then 'colour_group_name' end,
      case when now.department_name is distinct from old.department_name then 'department_name' end,
      case when now.department_no is distinct from old.department_no then 'department_no' end,
      case when now.detail_desc is distinct from old.detail_desc then 'detail_desc' end,
      case when now.garment_group_name is distinct from old.garment_group_name then 'garment_group_name' end,
      case when now.garment_group_no is distinct from old.garment_group_no then 'garment_group_no' end,
      case when now.graphical_appearance_name is distinct from old.graphical_appearance_name then 'graphical_appearance_name' end,
      case when now.graphical_appearance_no is distinct from old.graphical_appearance_no then 'graphical_appearance_no' end,
      case when now.index_code is distinct from old.index_code then 'index_code' end,
      case when now.index_group_name is distinct from old.index_group_name then 'index_group_name' end,
      case when now.index_group_no is distinct from old.index_group_no then 'index_group_no' end,
      case when now.index_name is distinct from old.index_name then 'index_name' end,
      case when now.perceived_colour_master_id is distinct from old.perceived_colour_master_id then 'perceived_colour_master_id' end,
      case when now.perceived_colour_master_name is distinct from old.perceived_colour_master_name then 'perceived_colour_master_name' end,
      case when now.perceived_colour_value_id is distinct from old.perceived_colour_value_id then 'perceived_colour_value_id' end,
      case when now.perceived_colour_value_name is distinct from old.perceived_colour_value_name then 'perceived_colour_value_name' end,
      case when now.price is distinct from old.price then 'price' end,
      case when now.prod_name is distinct from old.prod_name then 'prod_name' end,
      case when now.product_code is distinct from old.product_code then 'product_code' end,
      case when now.product_group_name is distinct from old.product_group_name then 'product_group_name' end,
      case when now.product_type_name is distinct from old.product_type_name then 'product_type_name' end,
      case when now.product_type_no is distinct from old.product_type_no then 'product_type_no' end,
      case when now.section_name is distinct from old.section_name then 'section_name' end,
      case when now.section_no is distinct from old.section_no then 'section_no' end,
      case when now.stock is distinct from old.stock then 'stock' end
    ) end as changed_fields,
    -- The text that is embedded is that of active articles: it changed where it came, went, or is another.
    case when now.is_active then now.content_hash end is distinct from case when old.is_active then old.content_hash end
      as text_changed
  from articles as now
  left join previous_articles as old on old.article_id = now.article_id
)
select
  article_id,
  case
    when is_new then 'added'
    when is_active and not was_active then 'returned'
    when was_active and not is_active then 'removed'
    else 'changed'
  end as change,
  changed_fields,
  text_changed
from compared
where is_new or is_active <> was_active or changed_fields <> '' or text_changed
