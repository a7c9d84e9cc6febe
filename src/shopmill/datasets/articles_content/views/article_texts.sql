-- The text of each article: what is said of it, from the particular to the general and then the description. Space of
-- any kind becomes one blank; what is null or blank is left out.
with words as (
  select
    article_id,
    trim(regexp_replace(prod_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as prod_name,
    trim(regexp_replace(product_type_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as product_type_name,
    trim(regexp_replace(product_group_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as product_group_name,
    trim(regexp_replace(graphical_appearance_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as graphical_appearance_name,
    trim(regexp_replace(colour_group_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as colour_group_name,
    trim(regexp_replace(section_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as section_name,
    trim(regexp_replace(garment_group_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as garment_group_name,
    trim(regexp_replace(index_group_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as index_group_name,
    trim(regexp_replace(detail_desc, '[\s\x0B\p{Z}]+', ' ', 'g')) as detail_desc
  from known_articles
)
select
  article_id,
  nullif(
    concat_ws(' > ', nullif(index_group_name, ''), nullif(product_group_name, ''), nullif(product_type_name, '')), ''
  ) as category_path,
  concat_ws(
    '. ', nullif(prod_name, ''), nullif(product_type_name, ''), nullif(product_group_name, ''),
    nullif(graphical_appearance_name, ''), nullif(colour_group_name, ''), nullif(section_name, ''),
    nullif(garment_group_name, ''), nullif(index_group_name, ''), nullif(detail_desc, '')
  ) as content_text
from words
