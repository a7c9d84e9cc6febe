-- A fashion shop of any size in H&M's shape. Needs the tables days and basket_shapes (made by synthetic.py, for
-- they set the exact numbers of rows) and the variables seed, n_customers, n_articles, n_lines and
-- n_shapes. Nothing below sorts or groups what grows with the shop, so memory stays bounded at any scale.

-- Rank of a thing when few things are chosen often: near 1 / rank, flattened at the top by `flat`.
create or replace macro cube(x) as x * x * x;
create or replace macro skewed(u, n, flat) as
    floor(n * (cube(u * (1 - flat) + flat) - cube(flat)) / (1 - cube(flat)))::bigint;
create or replace macro customer_key(number) as
    md5('customer ' || number || ' ' || getvariable('seed')) || md5(number || ' customer ' || getvariable('seed'));
create or replace macro article_key(number) as
    lpad((108775 + number // 3)::text, 7, '0') || lpad((1 + number % 3)::text, 3, '0');
-- Most cost 10 to 40, few more than 100; H&M publishes its prices divided by about 590.
create or replace macro list_price(article) as
    (pick([4.99, 7.99, 9.99, 12.99, 14.99, 14.99, 17.99, 19.99, 19.99, 24.99, 29.99, 34.99, 39.99, 49.99, 59.99, 99.00, 149.00],
        article, 'price') / 590)::decimal(18, 6);

create or replace table product_types as
select row_number() over ()::int as type_no, *
from (values
    ('Trousers', 'Garment Lower body', 'Trousers'), ('Leggings', 'Garment Lower body', 'Trousers'),
    ('Shorts', 'Garment Lower body', 'Shorts'), ('Skirt', 'Garment Lower body', 'Skirts'),
    ('T-shirt', 'Garment Upper body', 'Jersey Basic'), ('Vest top', 'Garment Upper body', 'Jersey Basic'),
    ('Sweater', 'Garment Upper body', 'Knitwear'), ('Cardigan', 'Garment Upper body', 'Knitwear'),
    ('Blouse', 'Garment Upper body', 'Blouses'), ('Shirt', 'Garment Upper body', 'Shirts'),
    ('Hoodie', 'Garment Upper body', 'Jersey Fancy'), ('Jacket', 'Garment Upper body', 'Outdoor'),
    ('Coat', 'Garment Upper body', 'Outdoor'), ('Blazer', 'Garment Upper body', 'Dressed'),
    ('Dress', 'Garment Full body', 'Dresses Ladies'), ('Jumpsuit/Playsuit', 'Garment Full body', 'Dresses Ladies'),
    ('Bra', 'Underwear', 'Under-, Nightwear'), ('Underwear bottom', 'Underwear', 'Under-, Nightwear'),
    ('Pyjama set', 'Nightwear', 'Under-, Nightwear'), ('Socks', 'Socks & Tights', 'Socks and Tights'),
    ('Underwear Tights', 'Socks & Tights', 'Socks and Tights'), ('Bikini top', 'Swimwear', 'Swimwear'),
    ('Swimwear bottom', 'Swimwear', 'Swimwear'), ('Bag', 'Accessories', 'Accessories'),
    ('Hat/beanie', 'Accessories', 'Accessories'), ('Earring', 'Accessories', 'Accessories'),
    ('Scarf', 'Accessories', 'Accessories'), ('Boots', 'Shoes', 'Shoes'), ('Sneakers', 'Shoes', 'Shoes'),
    ('Sandals', 'Shoes', 'Shoes')
) as types(type_name, group_name, garment_group);

create or replace table customers as
select
    customer_key(number) as customer_id,
    if(chance(number, 'news') < 0.35, 1, null)::int as "FN",
    if(chance(number, 'news') < 0.34, 1, null)::int as "Active",
    case
        when chance(number, 'club') < 0.004 then null
        when chance(number, 'club') < 0.073 then 'PRE-CREATE'
        when chance(number, 'club') < 0.0735 then 'LEFT CLUB'
        else 'ACTIVE'
    end as club_member_status,
    case
        when chance(number, 'news') < 0.35 then 'Regularly'
        when chance(number, 'news') < 0.36 then null
        else 'NONE'
    end as fashion_news_frequency,
    case
        when chance(number, 'age') < 0.012 then null
        when chance(number, 'age') < 0.60 then 18 + skewed(chance(number, 'years'), 20, 0.3)
        else 32 + floor(chance(number, 'years') * 40)
    end::int as age,
    md5('post ' || skewed(chance(number, 'post'), greatest(getvariable('n_customers') // 4, 1), 0.1)) as postal_code
from range(getvariable('n_customers')) as customers(number);

create or replace table articles as
with described as (
    select
        *,
        1 + skewed(chance(number // 3, 'type'), 30, 0.35)::int as type_no,
        1 + skewed(chance(number, 'colour'), 12, 0.35)::int as colour_no,
        1 + skewed(chance(number, 'look'), 6, 0.3)::int as look_no,
        1 + floor(chance(number // 3, 'index') * 5)::int as index_no,
        1 + floor(chance(number // 3, 'section') * 4)::int as section_no
    from range(getvariable('n_articles')) as articles(number)
),
words as (
    select
        *,
        ['Black', 'White', 'Dark Blue', 'Beige', 'Grey', 'Light Pink', 'Red', 'Green', 'Light Blue', 'Yellow', 'Orange', 'Gold']
            [colour_no] as colour,
        ['Solid', 'All over pattern', 'Melange', 'Stripe', 'Denim', 'Lace'][look_no] as look,
        ['Ladieswear', 'Menswear', 'Divided', 'Baby/Children', 'Sport'][index_no] as index_name,
        ['Everyday', 'Modern', 'Basics', 'Trend'][section_no] as section
    from described join product_types using (type_no)
)
select
    article_key(number) as article_id,
    lpad((108775 + number // 3)::text, 7, '0') as product_code,
    pick(['Ada', 'Billie', 'Cleo', 'Dixie', 'Ellen', 'Fiona', 'Gigi', 'Hampus', 'Ines', 'Jade', 'Kim', 'Luna'], number // 3, 'name')
        || ' ' || lower(type_name) as prod_name,
    250 + type_no as product_type_no,
    type_name as product_type_name,
    group_name as product_group_name,
    1010000 + look_no as graphical_appearance_no,
    look as graphical_appearance_name,
    colour_no as colour_group_code,
    colour as colour_group_name,
    1 + colour_no % 3 as perceived_colour_value_id,
    ['Dark', 'Light', 'Medium'][1 + colour_no % 3] as perceived_colour_value_name,
    1 + (colour_no - 1) // 3 as perceived_colour_master_id,
    ['Neutral', 'Blue', 'Warm', 'Bright'][1 + (colour_no - 1) // 3] as perceived_colour_master_name,
    1000 + index_no * 10 + section_no as department_no,
    section || ' ' || index_name as department_name,
    ['A', 'F', 'D', 'G', 'S'][index_no] as index_code,
    index_name,
    index_no as index_group_no,
    index_name as index_group_name,
    index_no * 10 + section_no as section_no,
    index_name || ' ' || section as section_name,
    1000 + dense_rank() over (order by garment_group)::int as garment_group_no,
    garment_group as garment_group_name,
    if(chance(number, 'described') < 0.004, null, concat(
        type_name, ' in ', pick(['soft cotton jersey', 'airy linen', 'woven viscose', 'a fine-knit wool blend', 'stretch denim',
            'recycled polyester', 'rib-knit cotton'], number // 3, 'cloth'),
        ' with ', pick(['a round neckline', 'an elasticated waist', 'long sleeves', 'a zip at the side', 'pockets at the front',
            'a wide hem', 'dropped shoulders'], number // 3, 'detail'),
        pick(['.', ' and a relaxed fit.', ' and a straight cut.', '. Lined.'], number // 3, 'fit')
    )) as detail_desc,
    list_price(number) as price,
    if(chance(number, 'stock') < 0.1, 0, skewed(chance(number, 'amount'), 900, 0.2))::int as stock
from words
order by number;

-- Chunks of 16 lines share a day and are cut into baskets by one of the shapes.
create or replace table chunks as
select t_dat, unnest(range(first_chunk, first_chunk + n_chunks)) as chunk
from days;

create or replace view shop_lines as
with placed as (
    select
        *,
        chunk * 16 + position as line,
        chunk * 16 + first_position as basket,
        chunk * 16 + first_position + slot as pick_no,
        skewed(chance(chunk * 16 + first_position, 'customer'), getvariable('n_customers'), 0.08) as customer_rank
    from chunks join basket_shapes on shape = hash(chunk, getvariable('seed')) % getvariable('n_shapes')
    where chunk * 16 + position < getvariable('n_lines')
),
picked as (
    select
        *,
        -- Times a prime: the popular ones are anywhere in the catalogue.
        (skewed(chance(pick_no, 'article'), getvariable('n_articles'), 0.045) * 15485863 + (hash(getvariable('seed')) % 1000)::bigint)
            % getvariable('n_articles') as any_article
    from placed
),
chosen as (
    select
        * exclude (any_article),
        -- Every fourth article belongs to one season, and half of all choices are for the season's.
        case
            when chance(pick_no, 'orphan') < 0.0005 then getvariable('n_articles') + pick_no % 97
            when chance(pick_no, 'seasonal') < 0.5
                then least(any_article - any_article % 4 + quarter(t_dat) - 1, getvariable('n_articles') - 1)
            else any_article
        end as article
    from picked
)
select
    line,
    basket,
    slot,
    line_no,
    n_lines,
    units,
    t_dat,
    lpad(basket::text, 10, '0') as order_id,
    customer_key(customer_rank) as customer_id,
    article_key(article) as article_id,
    -- Marked down for whole weeks.
    (list_price(article) * pick([1, 1, 1, 1, 0.9, 0.8, 0.7, 0.5], article * 1000 + week(t_dat), 'markdown'))::decimal(18, 6) as price,
    -- Bought between six in the morning and midnight, most in the evening.
    (t_dat + to_seconds(86399 - skewed(chance(basket, 'time'), 64800, 0.3))) at time zone 'UTC' as ordered_at,
    if(chance(basket, 'channel') < 0.3, 1, 2) as sales_channel_id,
    line % 20011 as oddity
from chosen;

create or replace view transactions as
select
    if(oddity = 17, t_dat + 3650, t_dat) as t_dat,
    if(oddity = 11, null, customer_id) as customer_id,
    if(oddity = 12, null, article_id) as article_id,
    if(oddity = 13, -price, price)::decimal(18, 6) as price,
    sales_channel_id
from shop_lines;

create or replace view orders as
select
    order_id,
    if(oddity = 11, null, customer_id) as customer_id,
    ordered_at as order_datetime,
    case
        when chance(basket, 'status') < 0.03 then 'cancelled'
        when chance(basket, 'status') < 0.04 then 'shipped'
        else 'completed'
    end as order_status
from shop_lines
where line_no = 1;

create or replace view order_items as
select
    order_id,
    article_id,
    -- Some come back, and some stay in the order with nothing of them.
    case when chance(line, 'return') < 0.05 then -units when chance(line, 'return') < 0.051 then 0 else units end::int as quantity,
    if(oddity = 13, -price, price)::decimal(18, 6) as price
from shop_lines
where units > 0;

create or replace view basket_lines as
select order_id, line_no, n_lines, customer_id, article_id, price, ordered_at
from shop_lines;

create or replace table promotions as
select
    if(number % 5 = 0, null, article_key(floor(chance(number, 'which') * getvariable('n_articles'))::bigint)) as article_id,
    if(number % 5 = 0, pick((select list(distinct group_name order by group_name) from product_types), number, 'group'), null)
        as product_group_name,
    date '2018-09-20' + floor(chance(number, 'start') * 720)::int as starts_on,
    starts_on + 2 + floor(chance(number, 'length') * 19)::int as ends_on,
    pick(['sale', 'member offer', 'campaign'], number, 'kind') as kind
from range(10 + getvariable('n_articles') // 50) as promotions(number)
order by starts_on, article_id nulls first, product_group_name, ends_on, kind;
