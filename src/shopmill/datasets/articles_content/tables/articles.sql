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
  {% for column in shop_columns %}
  {{ column.name }},
  {% endfor %}
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
