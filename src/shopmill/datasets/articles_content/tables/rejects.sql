select
  'articles' as source_table,
  problem as reason,
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
    'detail_desc': detail_desc, 'price': cast(price as varchar), 'stock': cast(stock as varchar)
  }) as source_row
from catalogue
where problem is not null
