-- Mode ordered: a step is reached by the first event of its type after the event that reached the step before.
with step_1 as (
  select *, min(case when step = 1 then event_number end) over (partition by visitor_key, visit_number, part_number) as first_1
  from funnel_steps
),
step_2 as (
  select
    *,
    min(case when step = 2 and event_number > first_1 then event_number end) over (
      partition by visitor_key, visit_number, part_number
    ) as first_2
  from step_1
),
step_3 as (
  select
    *,
    min(case when step = 3 and event_number > first_2 then event_number end) over (
      partition by visitor_key, visit_number, part_number
    ) as first_3
  from step_2
)
select
  visitor_key,
  visit_number,
  part_number,
  min(case when event_number = first_1 then event_at end) as view_at,
  min(case when event_number = first_2 then event_at end) as add_to_cart_at,
  min(case when event_number = first_3 then event_at end) as checkout_at,
  min(case when step = 4 and event_number > first_3 then event_at end) as purchase_at
from step_3
group by visitor_key, visit_number, part_number
