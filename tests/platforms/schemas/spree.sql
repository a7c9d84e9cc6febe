-- The tables of Spree 4.10 that the preset reads, as its migrations leave them, and a few rows. Rails writes timestamps in UTC.
create table spree_users (id bigserial primary key, email varchar, created_at timestamp(6) not null, deleted_at timestamp(6), ship_address_id bigint);
create table spree_addresses (id bigserial primary key, zipcode varchar);
create table spree_orders (
  id bigserial primary key, number varchar(32), state varchar, user_id bigint, email varchar, currency varchar,
  completed_at timestamp, created_at timestamp(6) not null, updated_at timestamp(6) not null
);
create table spree_line_items (
  id bigserial primary key, variant_id bigint, order_id bigint, quantity integer not null, price numeric(10, 2) not null,
  pre_tax_amount numeric(12, 4) default 0 not null, created_at timestamp(6) default '2026-02-01 09:30' not null
);
create table spree_inventory_units (
  id bigserial primary key, state varchar, variant_id bigint, order_id bigint, line_item_id bigint, quantity integer default 1
);
create table spree_customer_returns (id bigserial primary key, number varchar, created_at timestamp(6) not null);
create table spree_return_items (
  id bigserial primary key, inventory_unit_id bigint, reception_status varchar, customer_return_id bigint, updated_at timestamp(6) not null
);
create table spree_products (
  id bigserial primary key, name varchar not null, description text, status varchar default 'draft' not null, deleted_at timestamp
);
create table spree_variants (
  id bigserial primary key, sku varchar not null, product_id bigint, is_master boolean default false, track_inventory boolean default true,
  deleted_at timestamp
);
create table spree_prices (id bigserial primary key, variant_id bigint not null, amount numeric(10, 2), currency varchar, deleted_at timestamp);
create table spree_stock_items (id bigserial primary key, variant_id bigint, count_on_hand integer default 0 not null, deleted_at timestamp);
create table spree_taxons (
  id bigserial primary key, parent_id bigint, taxonomy_id bigint, name varchar not null, lft bigint, rgt bigint, depth integer,
  hide_from_nav boolean default false
);
create table spree_products_taxons (id bigserial primary key, product_id bigint, taxon_id bigint);
create table schema_migrations (version varchar primary key);
insert into schema_migrations values ('20241127223627');

insert into spree_addresses values (1, '21122');
insert into spree_users values
  (1, 'anna@example.com', '2026-01-01 08:00', null, 1), (2, 'left@example.com', '2026-01-01 08:00', '2026-02-20 08:00', null),
  (3, 'carl@example.com', '2026-03-01 08:00', null, null);
insert into spree_products values
  (1, 'Tee', 'A cotton tee.', 'active', null), (2, 'Mug', null, 'active', null), (3, 'Vase', null, 'active', '2026-02-15 08:00');
insert into spree_variants values
  (10, 'TEE', 1, true, true, null), (11, 'TEE-S', 1, false, true, null), (20, 'MUG', 2, true, false, null),
  (30, 'VASE', 3, true, true, '2026-02-15 08:00');
insert into spree_prices values (1, 11, 10, 'EUR', null), (2, 11, 12, 'USD', null), (3, 20, 8, 'EUR', null);
insert into spree_stock_items values (1, 11, 50, null), (2, 11, 5, null), (3, 30, 1, null);
insert into spree_taxons values
  (1, null, 1, 'Categories', 1, 8, 0, false), (2, 1, 1, 'Clothing', 2, 5, 1, false), (3, 2, 1, 'Shirts', 3, 4, 2, false),
  (4, 1, 1, 'Secret', 6, 7, 1, true);
insert into spree_products_taxons values (1, 1, 2), (2, 1, 3), (3, 2, 4);
insert into spree_orders values
  (1, 'R1', 'complete', 1, 'anna@example.com', 'EUR', '2026-02-01 10:00', '2026-02-01 09:00', '2026-02-01 10:00'),
  (2, 'R2', 'canceled', null, 'Guest@Example.com', 'USD', '2026-02-02 10:00', '2026-02-02 09:00', '2026-02-03 10:00'),
  (3, 'R3', 'returned', null, 'carl@example.com', 'EUR', '2026-02-03 10:00', '2026-02-03 09:00', '2026-02-10 10:00'),
  (4, 'R4', 'cart', 1, 'anna@example.com', 'EUR', null, '2026-02-04 09:00', '2026-02-04 10:00'),
  (5, 'R5', 'complete', 2, 'left@example.com', 'EUR', '2026-02-05 10:00', '2026-02-05 09:00', '2026-02-05 10:00');
insert into spree_line_items values
  (1, 11, 1, 3, 10, 25.0000), (2, 11, 2, 1, 12, 12), (3, 30, 3, 2, 20, 40), (4, 20, 4, 9, 8, 72), (5, 20, 5, 1, 8, 8);
insert into spree_inventory_units values (1, 'shipped', 30, 3, 3, 1), (2, 'returned', 30, 3, 3, 1);
insert into spree_customer_returns values (1, 'CR1', '2026-02-10 10:00');
insert into spree_return_items values (1, 2, 'received', 1, '2026-02-10 10:00'), (2, 1, 'awaiting', null, '2026-02-10 10:00');
