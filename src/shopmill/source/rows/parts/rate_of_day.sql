-- What one unit of the currency of a row (`given`) is worth in the shop's own, by the `rates` of its day; null without one.
case
  when given.currency is null or $shop_currency = '' or upper(given.currency) = $shop_currency
    then cast(1 as decimal(18, 10))
  else rate
end as rate_of_day
