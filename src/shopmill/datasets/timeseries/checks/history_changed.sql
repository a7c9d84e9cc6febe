-- What makes every day of the past different from what the previous version says: an article that the catalogue now puts
-- elsewhere, or a promotion of days before $since that was added, changed or taken back.
with moved as (
  select count(*) as n
  from previous_hierarchy as old
  left join catalogue as now on now.article_id = old.unique_id
  where
    old.first_day < $since
    and (
      old.category <> coalesce(now.category, 'unknown')
      or old.product_group_name is distinct from now.product_group_name
    )
),
promoted_before as (
  select article_id, product_group_name, starts_on, least(ends_on, $since - 1) as ends_on
  from previous_promotions
  where starts_on is null or starts_on < $since
),
promoted_now as (
  select article_id, product_group_name, starts_on, least(ends_on, $since - 1) as ends_on
  from begun_promotions
  where problem is null and (starts_on is null or starts_on < $since)
),
changed as (
  (select * from promoted_before except select * from promoted_now)
  union all
  (select * from promoted_now except select * from promoted_before)
)
select (select n from moved) + (select count(*) from changed) as violations
