-- The Complete Journey in the canonical shop's shape. Needs views journey_transactions, journey_products,
-- journey_demographics, journey_promotions on the wheel's files, and the variable time_zone.

create or replace macro article_key(product_id) as lpad(product_id::text, 10, '0');
create or replace macro customer_key(household_id) as lpad(household_id::text, 6, '0');

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

-- All that transact; the wheel knows demographics of a third. The open age band 65+ counts as 70.
create or replace table customers as
select
    customer_key(household_id) as customer_id,
    null::int as "FN",
    null::int as "Active",
    null::text as club_member_status,
    null::text as fashion_news_frequency,
    case demographics.age::text
        when '19-24' then 21 when '25-34' then 29 when '35-44' then 39
        when '45-54' then 49 when '55-64' then 59 when '65+' then 70
    end as age,
    null::text as postal_code
from (select distinct household_id from journey_transactions) left join journey_demographics as demographics
    using (household_id)
order by customer_id;

-- A product type has one group: the category most of its products are in. Each product's own is its garment group.
create or replace table type_groups as
select product_type, product_category
from journey_products
where product_type is not null and product_category is not null
group by product_type, product_category
qualify row_number() over (partition by product_type order by count(*) desc, product_category) = 1;

-- Codes are positions in the names' alphabetical order, so that a code has one name.
create or replace table articles as
with prices as (
    select product_id, quantile_disc((amount / quantity)::decimal(18, 6), 0.5) as price
    from journey_lines
    where quantity > 0
    group by all
),
named as (
    select
        *,
        concat_ws(' ', if(brand = 'Private', 'Store brand', null), coalesce(product_type, department)) as prod_name,
        lpad(manufacturer_id::text, 4, '0') as maker
    from journey_products
)
select
    article_key(product_id) as article_id,
    lpad(dense_rank() over (order by prod_name)::text, 7, '0') as product_code,
    prod_name,
    if(product_type is null, null, dense_rank() over (order by product_type nulls last))::int as product_type_no,
    product_type as product_type_name,
    coalesce(type_groups.product_category, named.product_category) as product_group_name,
    null::int as graphical_appearance_no,
    null::text as graphical_appearance_name,
    null::int as colour_group_code,
    null::text as colour_group_name,
    null::int as perceived_colour_value_id,
    null::text as perceived_colour_value_name,
    null::int as perceived_colour_master_id,
    null::text as perceived_colour_master_name,
    dense_rank() over (order by department)::int as department_no,
    department as department_name,
    maker as index_code,
    'Manufacturer ' || maker as index_name,
    dense_rank() over (order by department)::int as index_group_no,
    department as index_group_name,
    dense_rank() over (order by brand)::int as section_no,
    brand as section_name,
    if(named.product_category is null, null, dense_rank() over (order by named.product_category nulls last))::int
        as garment_group_no,
    named.product_category as garment_group_name,
    concat_ws(', ', product_type, named.product_category, brand || ' brand', 'package of ' || package_size) as detail_desc,
    price,
    null::int as stock
from named left join type_groups using (product_type) left join prices using (product_id)
order by article_id;

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
