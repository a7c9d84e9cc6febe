-- Entities, attributes and values, as WooCommerce keeps them: most of what a shop is stands in rows, not in columns.
create table wp_posts (id bigserial primary key, post_author bigint, post_date timestamp, post_date_gmt timestamp, post_content text, post_title text, post_status varchar(20), post_name varchar(200), post_type varchar(20));
create table wp_postmeta (meta_id bigserial primary key, post_id bigint, meta_key varchar(255), meta_value text);
create table wp_users (id bigserial primary key, user_login varchar(60), user_email varchar(100), user_registered timestamp);
create table wp_wc_orders (id bigint primary key, status varchar(20), currency varchar(10), type varchar(20), tax_amount numeric(26,8), total_amount numeric(26,8), customer_id bigint, billing_email varchar(320), date_created_gmt timestamp, date_updated_gmt timestamp);
create table wp_woocommerce_order_items (order_item_id bigserial primary key, order_item_name text, order_item_type varchar(200), order_id bigint);
create table wp_woocommerce_order_itemmeta (meta_id bigserial primary key, order_item_id bigint, meta_key varchar(255), meta_value text);
create table wp_wc_order_product_lookup (order_item_id bigint primary key, order_id bigint, product_id bigint, variation_id bigint, customer_id bigint, date_created timestamp, product_qty int, product_net_revenue double precision, product_gross_revenue double precision, coupon_amount double precision);
create table wp_comments (comment_id bigserial primary key, comment_post_id bigint, comment_author text, comment_date timestamp, comment_content text, comment_type varchar(20), user_id bigint);
insert into wp_posts (post_date, post_title, post_type, post_status) select '2024-01-01','thing','product','publish' from generate_series(1,10);
insert into wp_wc_orders select i, 'wc-completed','EUR','shop_order',1,10,1,null,'2024-02-01','2024-02-01' from generate_series(1,20) i;
insert into wp_wc_order_product_lookup select i,i,1,0,1,'2024-02-01',2,20,24,0 from generate_series(1,20) i;
insert into wp_users (user_login,user_registered) values ('x','2024-01-01');
