-- One unit, and a price in the shop's own currency, are multiplied with 1: not to do so saves most of the time of this view.
case
  when units = 1 then cast(price as decimal(19, 6))
  else try_cast(cast(price as decimal(19, 6)) * units as decimal(19, 6))
end as worth
