-- What one unit of a currency is worth in the shop's own, from a day on. Of several rows of a day the first by value counts.
with flawed_{{ source }}rates as (
  select
    day, upper(currency) as currency, rate, misfits,
    case
      when day is null then coalesce('day does not fit date: ' || json_extract_string(misfits, '$.day'), 'day is null')
      when currency is null then 'currency is null'
      when rate is null then
        coalesce('rate does not fit decimal(18,10): ' || json_extract_string(misfits, '$.rate'), 'rate is null')
      when rate <= 0 then 'rate is not above 0'
    end as flaw
  from {{ source }}exchange_rates
)
select
  day, currency, rate, misfits,
  coalesce(
    flaw,
    case
      when row_number() over (partition by currency, day, flaw is null order by rate) > 1 then 'currency and day repeat'
    end
  ) as problem,
  day as source_day,
  to_json({
    'day': coalesce(cast(day as varchar), json_extract_string(misfits, '$.day')), 'currency': currency,
    'rate': coalesce(cast(rate as varchar), json_extract_string(misfits, '$.rate'))
  }) as source_row
from flawed_{{ source }}rates
