-- The canonical shop. Text keys stay text ("0493995001"): leading zeros matter. No foreign keys, for real shops have
-- orphans, and no primary key where lines repeat legitimately (transactions) or trackers send an event twice (events).
-- Money is numeric(18,6). H&M's own prices have up to 16 decimals: they are rounded to 6 as they are loaded. Moments,
-- review_date among them, are timestamptz.

create table customers (
    customer_id text primary key,
    "FN" integer,
    "Active" integer,
    club_member_status text,
    fashion_news_frequency text,
    age integer,
    postal_code text,
    created_at timestamptz
);

create table articles (
    article_id text primary key,
    product_code text,
    prod_name text,
    product_type_no integer,
    product_type_name text,
    product_group_name text,
    graphical_appearance_no integer,
    graphical_appearance_name text,
    colour_group_code integer,
    colour_group_name text,
    perceived_colour_value_id integer,
    perceived_colour_value_name text,
    perceived_colour_master_id integer,
    perceived_colour_master_name text,
    department_no integer,
    department_name text,
    index_code text,
    index_name text,
    index_group_no integer,
    index_group_name text,
    section_no integer,
    section_name text,
    garment_group_no integer,
    garment_group_name text,
    detail_desc text,
    price numeric(18, 6),
    stock integer,
    is_listed boolean
);

create table transactions (
    t_dat date,
    customer_id text,
    article_id text,
    price numeric(18, 6),
    sales_channel_id integer,
    quantity numeric default 1,
    currency text,
    changed_at timestamptz
);

create table orders (
    order_id text,
    customer_id text,
    order_datetime timestamptz,
    order_status text,
    currency text,
    changed_at timestamptz
);

create table order_items (
    order_id text,
    article_id text,
    quantity numeric,
    price numeric(18, 6),
    item_datetime timestamptz,
    changed_at timestamptz
);

create table events (
    event_id text,
    session_id text,
    customer_id text,
    article_id text,
    event_type text,
    event_value numeric(18, 6),
    event_datetime timestamptz,
    visitor_id text,
    product_code text,
    currency text,
    user_agent text
);

create table reviews (
    review_id text,
    customer_id text,
    article_id text,
    rating integer,
    review_text text,
    review_date timestamptz,
    product_code text
);

create table promotions (
    article_id text,
    product_group_name text,
    starts_on date,
    ends_on date,
    kind text
);

create table exchange_rates (
    day date,
    currency text,
    rate numeric(18, 10)
);
