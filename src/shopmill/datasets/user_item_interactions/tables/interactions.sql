-- What each customer did with each article before as_of, and how much of it still counts today: the sums of the log, whose
-- earlier months may be those of the previous version.
select
  customer_id,
  article_id,
  count(*) filter (where signal = 'purchase') as purchase_count,
  coalesce(sum(quantity) filter (where signal = 'purchase'), 0) as unit_count,
  count(*) filter (where signal = 'view') as view_count,
  count(*) filter (where signal = 'click') as click_count,
  count(*) filter (where signal = 'cart') as cart_count,
  coalesce(sum(quantity) filter (where signal = 'return'), 0) as return_count,
  count(*) as interaction_count,
  coalesce(sum(value), 0) as spend_sum,
  min(day) as first_interaction_date,
  max(day) as last_interaction_date,
  date_diff('day', max(day), $as_of) as recency_days,
  -- signal_weights: weight * 0.5 ^ (age / half-life) as exact decimals; ages beyond the table weigh less than its last place.
  coalesce(sum(weight), 0) as time_weighted_score
from log
left join signal_weights on signal_weights.of_signal = signal and signal_weights.age_days = date_diff('day', day, $as_of)
group by customer_id, article_id
