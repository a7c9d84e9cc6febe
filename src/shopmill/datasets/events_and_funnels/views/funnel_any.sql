-- Mode any: a step is reached once the session has had an event of it and of each step before it, in whatever order.
with firsts as (
  select
    visitor_key,
    visit_number,
    part_number,
    min(case when step = 1 then event_at end) as first_1,
    min(case when step = 2 then event_at end) as first_2,
    min(case when step = 3 then event_at end) as first_3,
    min(case when step = 4 then event_at end) as first_4
  from funnel_steps
  group by visitor_key, visit_number, part_number
)
select
  visitor_key,
  visit_number,
  part_number,
  first_1 as view_at,
  case when first_1 is not null and first_2 is not null then greatest(first_1, first_2) end as add_to_cart_at,
  case
    when first_1 is not null and first_2 is not null and first_3 is not null then greatest(first_1, first_2, first_3)
  end as checkout_at,
  case
    when first_1 is not null and first_2 is not null and first_3 is not null and first_4 is not null
      then greatest(first_1, first_2, first_3, first_4)
  end as purchase_at
from firsts
