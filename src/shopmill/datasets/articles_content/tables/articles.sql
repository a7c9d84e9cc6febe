-- Every article that the shop lists or ever listed. The catalogue of today, within which prices and stocks are put in
-- proportion, is the active ones.
with counted as (
  select *, cast(stock as bigint) as units from known_articles
),
ranged as (
  select
    *,
    min(case when is_active then price end) over () as price_low,
    max(case when is_active then price end) over () as price_high,
    min(case when is_active then units end) over () as units_low,
    max(case when is_active then units end) over () as units_high,
    percent_rank() over (partition by product_group_name, is_active, price is null order by price) as price_rank
  from counted
)
select
  article_id, product_code, prod_name, product_type_no, product_type_name, product_group_name,
  graphical_appearance_no, graphical_appearance_name, colour_group_code, colour_group_name,
  perceived_colour_value_id, perceived_colour_value_name, perceived_colour_master_id, perceived_colour_master_name,
  department_no, department_name, index_code, index_name, index_group_no, index_group_name,
  section_no, section_name, garment_group_no, garment_group_name, detail_desc, price, stock,
  -- Differences are exact and each value is one division, so it is the same on every engine. Without a span it is 0.
  case when is_active and price is not null then
    coalesce(cast(price - price_low as double) / nullif(cast(price_high - price_low as double), 0), 0)
  end as price_normalised,
  case when is_active and stock is not null then
    coalesce(cast(units - units_low as double) / nullif(cast(units_high - units_low as double), 0), 0)
  end as stock_normalised,
  case when is_active and price is not null and product_group_name is not null then price_rank end
    as price_percentile_in_group,
  category_path, content_text, sha256(content_text) as content_hash, first_seen, last_seen, is_active
from ranged
join article_texts using (article_id)
