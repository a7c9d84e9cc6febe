-- Amounts of several currencies are added up only where exchange rates make them one.
with currencies_of_{{ table }} as (
  select upper(currency) as currency, count(*) as n
  from judged_{{ table }}
  where currency is not null and {{ counts }}
  group by upper(currency)
)
select
  case
    when $shop_currency = '' and count(*) > 1 then count(*)
    when $shop_currency <> '' and (select count(*) from rates_by_day) = 0 then count(*) filter (where currency <> $shop_currency)
    else 0
  end as violations,
  '{{ table }} has amounts in ' || string_agg(currency || ' (' || cast(n as varchar) || ' rows)', ', ' order by currency)
  || case
    when $shop_currency = '' then ', and SHOPMILL_CURRENCY does not say which one is the shop''s own: set it, and give exchange_rates'
    else ' and there are no exchange rates into SHOPMILL_CURRENCY=' || $shop_currency || ': give exchange_rates, or map one currency'
  end as detail
from currencies_of_{{ table }}
