-- The canonical shop. Text keys stay text ("0493995001"): leading zeros matter. No foreign keys, for real shops have
-- orphans, and no primary key where lines repeat legitimately (transactions) or trackers send an event twice (events).
-- Money is numeric(18,6): H&M publishes prices with so many places. Moments, review_date among them, are timestamptz.

create table customers (
    customer_id text primary key,
    "FN" integer,
    "Active" integer,
    club_member_status text,
    fashion_news_frequency text,
    age integer,
    postal_code text
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
    stock integer
);

create table transactions (
    t_dat date,
    customer_id text,
    article_id text,
    price numeric(18, 6),
    sales_channel_id integer
);

create table orders (
    order_id text,
    customer_id text,
    order_datetime timestamptz,
    order_status text
);

create table order_items (
    order_id text,
    article_id text,
    quantity integer,
    price numeric(18, 6)
);

create table events (
    event_id text,
    session_id text,
    customer_id text,
    article_id text,
    event_type text,
    event_value numeric(18, 6),
    event_datetime timestamptz
);

create table reviews (
    review_id text,
    customer_id text,
    article_id text,
    rating integer,
    review_text text,
    review_date timestamptz
);

create table promotions (
    article_id text,
    product_group_name text,
    starts_on date,
    ends_on date,
    kind text
);
