-- Promotions without a coupon code that name the variants they make cheaper.
select
  variant.id as article_id,
  (p."startsAt" at time zone 'UTC')::date as starts_on,
  (p."endsAt" at time zone 'UTC')::date as ends_on,
  action ->> 'code' as kind
from promotion p
cross join lateral jsonb_array_elements(p.actions::jsonb) as action
cross join lateral jsonb_array_elements(action -> 'args') as argument
cross join lateral jsonb_array_elements_text((argument ->> 'value')::jsonb) as variant (id)
where p."deletedAt" is null and p.enabled and p."couponCode" is null and argument ->> 'name' = 'productVariantIds'
