with kinds_of_events as (
  select
    case
      when event_type is null or event_type not in ('view', 'click', 'add_to_cart') then 'of_other_types'
      when customer_id is null then 'without_a_customer'
      when article_id is null then 'without_an_article'
      when problem is null then 'signal'
    end as kind
  from judged_events
),
used_events as (
  select coalesce(sum(view_count + click_count + cart_count), 0) as n_used
  from interactions
)
select cast(null as varchar) as kind, n_used as row_count
from used_events
union all
select kind, count(*)
from kinds_of_events
where kind <> 'signal'
group by kind
union all
select 'sent_again', (select count(*) from kinds_of_events where kind = 'signal') - n_used
from used_events
