-- The exchange rates that amounts were converted with: where one of the past changes, the run is a full rebuild.
select currency, day, rate
from judged_exchange_rates
where problem is null and day <= $as_of
