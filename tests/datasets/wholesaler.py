"""A wholesaler of the shape of UCI's Online Retail, at any size: no clickstream, no reviews, and nothing but what it has.

Its 541,909 lines are of 13 months, with quantities up to thousands; a quarter have no customer, one in sixty is a credit
note, the shop is closed on Saturdays and from 24 December to 3 January, and prices are in pounds.
"""

import psycopg

LINES = """
create temporary table lines as
with open_days as (
  select row_number() over (order by day) - 1 as place, count(*) over () as days, day::date as day
  from generate_series(date '2010-12-01', date '2011-12-09', interval '1 day') as day
  where extract(isodow from day) <> 6 and day not between '2010-12-24' and '2011-01-03'
)
select
  i,
  day,
  case when i % 4 = 0 then null else 'C' || lpad((i * 7919 % 437)::text, 5, '0') end as customer_id,
  lpad((i * i % 389)::text, 5, '0') as article_id,
  (array[1, 1, 2, 3, 6, 12, 24, 48, 500, 1000])[1 + i * 31 % 10] as quantity,
  round((0.39 + i * 17 % 1495 / 100.0)::numeric, 2) as price,
  i % 60 = 7 as is_credit
from generate_series(1::bigint, %(lines)s) as i
join open_days on place = (i - 1) * days / %(lines)s
"""
SHOP = """
insert into transactions (t_dat, customer_id, article_id, price, quantity, currency, sales_channel_id)
select day, customer_id, article_id, price, quantity, 'GBP', 2 from lines where not is_credit;
insert into orders (order_id, customer_id, order_datetime, order_status, currency)
select 'C' || i, customer_id, day + time '12:00' at time zone 'Europe/London', 'completed', 'GBP' from lines where is_credit;
insert into order_items (order_id, article_id, quantity, price)
select 'C' || i, article_id, -quantity, price from lines where is_credit;
insert into articles (article_id, product_code, prod_name, price)
select distinct article_id, article_id, 'ARTICLE ' || article_id, 1.25 from lines;
insert into customers (customer_id, created_at)
select customer_id, min(day) at time zone 'Europe/London' from lines where customer_id is not null group by customer_id;
"""


def open_wholesaler(dsn: str, lines: int = 20_000) -> None:
    """Fills the canonical tables, which must be empty."""
    with psycopg.connect(dsn) as connection:
        connection.execute(LINES.replace("%(lines)s", str(lines)).encode())
        connection.execute(SHOP.encode())
