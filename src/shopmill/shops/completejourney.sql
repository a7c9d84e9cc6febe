-- What happened in The Complete Journey, in the canonical shop's shape. Needs completejourney_catalogue.sql, views
-- journey_transactions and journey_promotions on the wheel's files, and the variable time_zone.

-- The files' times are UTC: their weeks end at 05:00 in winter and 04:00 in summer, midnight in New York.
create or replace table journey_lines as
select
    * exclude (transaction_timestamp),
    sales_value::decimal(18, 6) as amount,
    transaction_timestamp at time zone 'UTC' as sold_at,
    article_key(product_id) as article_id,
    customer_key(household_id) as customer_id,
    basket_id::text as order_id
from journey_transactions
order by sold_at, basket_id, product_id;

-- One line is one row, and its price what was paid for the line. Everything was sold in a store: channel 1.
create or replace view transactions as
select
    (sold_at at time zone getvariable('time_zone'))::date as t_dat,
    customer_id,
    article_id,
    amount as price,
    1 as sales_channel_id
from journey_lines;

create or replace view orders as
select distinct order_id, customer_id, sold_at as order_datetime, 'completed' as order_status
from journey_lines
order by order_datetime, order_id;

-- The price of one unit, or of the line where the till counted none.
create or replace view order_items as
select order_id, article_id, quantity::int as quantity, (amount / greatest(quantity, 1))::decimal(18, 6) as price
from journey_lines;

-- Weeks of display or mailer in any store, consecutive ones as one interval, both ends included. Week 1 ends on
-- 2017-01-01, a Sunday.
create or replace table promotions as
with weeks as (
    select product_id, week, bool_or(display_location::text <> '0') as display, bool_or(mailer_location::text <> '0') as mailer
    from journey_promotions
    group by all
),
kinds as (
    select product_id, week, unnest(list_filter(['display', 'mailer'], lambda kind: if(kind = 'display', display, mailer))) as kind
    from weeks
),
islands as (
    select *, week - row_number() over (partition by product_id, kind order by week) as island from kinds
)
select
    article_key(product_id) as article_id,
    null::text as product_group_name,
    date '2016-12-26' + 7 * (min(week) - 1)::int as starts_on,
    date '2017-01-01' + 7 * (max(week) - 1)::int as ends_on,
    kind
from islands
group by product_id, kind, island
order by article_id, starts_on, kind;

create or replace table basket_lines as
select
    order_id,
    row_number() over (partition by order_id order by product_id) as line_no,
    count(*) over (partition by order_id) as n_lines,
    customer_id,
    article_id,
    amount as price,
    sold_at as ordered_at
from journey_lines
order by ordered_at, order_id, line_no;
