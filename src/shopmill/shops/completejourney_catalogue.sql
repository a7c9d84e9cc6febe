-- The customers and articles of The Complete Journey in the canonical shop's shape. Needs views journey_transactions,
-- journey_products, journey_demographics on the wheel's files.

create or replace macro article_key(product_id) as lpad(product_id::text, 10, '0');
create or replace macro customer_key(household_id) as lpad(household_id::text, 6, '0');

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
    select product_id, quantile_disc((sales_value::decimal(18, 6) / quantity)::decimal(18, 6), 0.5) as price
    from journey_transactions
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
    null::text as detail_desc,
    price,
    null::int as stock
from named left join type_groups using (product_type) left join prices using (product_id)
order by article_id;
