-- Mode strict: the steps follow each other with no other step between them. A step that repeats at once counts as one;
-- clicks, removals and unknown types are no steps. Of several attempts the one that got furthest counts, else the first.
with turns as (
  select *
  from (
    select *, lag(step) over (partition by visitor_key, visit_number, part_number order by event_number) as last_step
    from funnel_steps
  ) as with_last
  where last_step is null or last_step <> step
),
attempts as (
  select
    *,
    sum(case when step = last_step + 1 then 0 else 1 end) over (
      partition by visitor_key, visit_number, part_number order by event_number
      rows between unbounded preceding and current row
    ) as attempt
  from turns
),
results as (
  select
    visitor_key,
    visit_number,
    part_number,
    attempt,
    max(step) as furthest_step,
    min(case when step = 1 then event_at end) as view_at,
    min(case when step = 2 then event_at end) as add_to_cart_at,
    min(case when step = 3 then event_at end) as checkout_at,
    min(case when step = 4 then event_at end) as purchase_at
  from attempts
  group by visitor_key, visit_number, part_number, attempt
  having min(step) = 1
)
select visitor_key, visit_number, part_number, view_at, add_to_cart_at, checkout_at, purchase_at
from (
  select
    *,
    row_number() over (partition by visitor_key, visit_number, part_number order by furthest_step desc, attempt) as place
  from results
) as placed
where place = 1
