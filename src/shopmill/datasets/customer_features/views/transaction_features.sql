-- Purchases in each window [as_of - w, as_of): one pass over the days of purchase, then ratios of exact sums.
with transaction_sums as (
  select
    customer_id,
    {% for w in windows %}
    coalesce(sum(n_lines) filter (where {{ w.holds }}), 0) as transactions_count_{{ w.name }},
    coalesce(sum(n_units) filter (where {{ w.holds }}), 0) as units_sum_{{ w.name }},
    coalesce(sum(spend) filter (where {{ w.holds }}), 0) as spend_sum_{{ w.name }},
    max(max_spend) filter (where {{ w.holds }}) as spend_max_{{ w.name }},
    count(*) filter (where {{ w.holds }}) as active_days_count_{{ w.name }},
    coalesce(sum(n_channel_1) filter (where {{ w.holds }}), 0) as n_channel_1_{{ w.name }},
    coalesce(sum(n_channel_2) filter (where {{ w.holds }}), 0) as n_channel_2_{{ w.name }},
    {% endfor %}
    max(age_days) as days_since_first_purchase,
    min(age_days) as days_since_last_purchase
  from everyone
  left join purchase_days using (customer_id)
  group by customer_id
)
select
  customer_id,
  {% for w in windows %}
  transactions_count_{{ w.name }},
  units_sum_{{ w.name }},
  spend_sum_{{ w.name }},
  cast(spend_sum_{{ w.name }} as double) / nullif(cast(transactions_count_{{ w.name }} as double), 0) as spend_avg_{{ w.name }},
  spend_max_{{ w.name }},
  active_days_count_{{ w.name }},
  cast(n_channel_1_{{ w.name }} as double) / nullif(cast(transactions_count_{{ w.name }} as double), 0) as channel_1_share_{{ w.name }},
  cast(n_channel_2_{{ w.name }} as double) / nullif(cast(transactions_count_{{ w.name }} as double), 0) as channel_2_share_{{ w.name }},
  cast(transactions_count_{{ w.name }} - n_channel_1_{{ w.name }} - n_channel_2_{{ w.name }} as double)
    / nullif(cast(transactions_count_{{ w.name }} as double), 0) as channel_other_share_{{ w.name }},
  {% endfor %}
  days_since_first_purchase,
  days_since_last_purchase
from transaction_sums
