-- What a unit and the line cost in the shop's own currency; null where that does not fit.
case
  when rate_of_day = 1 then price
  else try_cast(cast(price as decimal(19, 6)) * rate_of_day as decimal(18, 6))
end as own_price,
case
  when rate_of_day = 1 then try_cast(worth as decimal(18, 6))
  else try_cast(worth * rate_of_day as decimal(18, 6))
end as amount
