with kinds_of_events as (
  select
    count(*) as n_events,
    case
      when event_type is null or event_type not in ('view', 'click', 'add_to_cart') then 'of_other_types'
      when customer_id is null then 'without_a_customer'
      when article_id is null then 'without_an_article'
      when problem is null then 'signal'
    end as kind
  from judged_events
  group by kind
),
used_events as (
  select coalesce(sum(view_count + click_count + cart_count), 0) as n_used
  from interactions
)
select cast(null as varchar) as kind, n_used as row_count
from used_events
union all
select kind, n_events
from kinds_of_events
where kind <> 'signal'
union all
select 'sent_again', coalesce((select n_events from kinds_of_events where kind = 'signal'), 0) - n_used
from used_events
