-- Made after loading: filling an indexed table takes several times as long.
create index on transactions (t_dat);
create index on orders (order_datetime);
create index on order_items (order_id);
create index on events (event_datetime);
create index on events (event_id);
create index on reviews (review_date);
