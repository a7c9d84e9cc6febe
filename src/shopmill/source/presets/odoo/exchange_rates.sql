-- What one unit of another currency is worth in the company's own, which SHOPMILL_CURRENCY must name.
select distinct on (r.name, c.name) r.name as day, c.name as currency, round(1 / r.rate::numeric, 10) as rate
from res_currency_rate r
join res_currency c on c.id = r.currency_id
where r.rate > 0
order by r.name, c.name, r.company_id nulls last
