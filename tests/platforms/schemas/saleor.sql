-- The tables of Saleor 3.20 that the preset reads, as its Django models declare them, and a few rows.
create table account_user (
  id serial primary key, email varchar(254) not null, is_staff boolean not null, is_active boolean not null,
  date_joined timestamptz not null, default_shipping_address_id integer
);
create table account_address (id serial primary key, postal_code varchar(20) not null);
create table order_order (
  id uuid primary key, number integer not null, created_at timestamptz not null, updated_at timestamptz not null,
  status varchar(32) not null, user_id integer, user_email varchar(254) not null, currency varchar(3) not null
);
create table order_orderline (
  id uuid primary key, order_id uuid not null, variant_id integer, product_variant_id varchar(255), product_sku varchar(255),
  product_name varchar(386) not null, variant_name varchar(255) not null, quantity integer not null,
  unit_price_net_amount numeric(20, 3) not null
);
create table order_fulfillment (
  id serial primary key, order_id uuid not null, status varchar(32) not null, created_at timestamptz not null
);
create table order_fulfillmentline (
  id serial primary key, fulfillment_id integer not null, order_line_id uuid not null, quantity integer not null
);
create table product_producttype (id serial primary key, name varchar(250) not null);
create table product_category (
  id serial primary key, name varchar(250) not null, parent_id integer, tree_id integer not null, lft integer not null,
  rght integer not null, level integer not null
);
create table product_product (
  id serial primary key, name varchar(250) not null, product_type_id integer not null, category_id integer,
  description_plaintext text not null
);
create table product_productvariant (
  id serial primary key, sku varchar(255), name varchar(255) not null, product_id integer not null, track_inventory boolean not null
);
create table product_productchannellisting (
  id serial primary key, product_id integer not null, channel_id integer not null, is_published boolean not null
);
create table product_productvariantchannellisting (
  id serial primary key, variant_id integer not null, channel_id integer not null, currency varchar(3) not null,
  price_amount numeric(20, 3), discounted_price_amount numeric(20, 3)
);
create table channel_channel (id serial primary key, slug varchar(255) not null, currency_code varchar(3) not null);
create table warehouse_stock (
  id serial primary key, product_variant_id integer not null, quantity integer not null, quantity_allocated integer not null
);
create table django_migrations (id serial primary key, app varchar(255) not null, name varchar(255) not null, applied timestamptz not null);
insert into django_migrations (app, name, applied) values ('order', '0195_order_draft_save_address', now());

insert into account_address (id, postal_code) values (1, '21122');
insert into account_user (id, email, is_staff, is_active, date_joined, default_shipping_address_id) values
  (1, 'anna@example.com', false, true, '2026-01-01 08:00Z', 1),
  (2, 'staff@example.com', true, true, '2026-01-01 08:00Z', null),
  (3, 'carl@example.com', false, true, '2026-03-01 08:00Z', null);
insert into channel_channel values (1, 'default', 'EUR');
insert into product_producttype values (1, 'Garment');
insert into product_category values (1, 'Clothing', null, 1, 1, 4, 0), (2, 'Shirts', 1, 1, 2, 3, 1);
insert into product_product values (1, 'Tee', 1, 2, 'A cotton tee.'), (2, 'Lamp', 1, null, '');
insert into product_productvariant values (11, 'TEE-S', 'S', 1, true), (12, 'LAMP', '', 2, false);
insert into product_productchannellisting values (1, 1, 1, true), (2, 2, 1, false);
insert into product_productvariantchannellisting values (1, 11, 1, 'EUR', 10, 9), (2, 11, 2, 'USD', 12, 12), (3, 12, 1, 'EUR', 30, 30);
insert into warehouse_stock values (1, 11, 100, 4), (2, 11, 10, 0);
insert into order_order values
  ('00000000-0000-0000-0000-000000000001', 1, '2026-02-01 10:00Z', '2026-02-10 10:00Z', 'partially returned', 1, 'anna@example.com', 'EUR'),
  ('00000000-0000-0000-0000-000000000002', 2, '2026-02-02 10:00Z', '2026-02-02 10:00Z', 'canceled', null, 'Guest@Example.com', 'USD'),
  ('00000000-0000-0000-0000-000000000003', 3, '2026-02-03 10:00Z', '2026-02-03 10:00Z', 'fulfilled', null, 'Carl@example.com', 'EUR'),
  ('00000000-0000-0000-0000-000000000004', 4, '2026-02-04 10:00Z', '2026-02-04 10:00Z', 'draft', 1, 'anna@example.com', 'EUR');
insert into order_orderline values
  ('10000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001', 11, 'UHJvZHVjdFZhcmlhbnQ6MTE=', 'TEE-S', 'Tee', 'S', 3, 9.000),
  ('10000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000002', 11, 'UHJvZHVjdFZhcmlhbnQ6MTE=', 'TEE-S', 'Tee', 'S', 1, 12.000),
  ('10000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000003', null, 'UHJvZHVjdFZhcmlhbnQ6MTM=', 'VASE', 'Vase', '', 1, 20.000),
  ('10000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000004', 11, 'UHJvZHVjdFZhcmlhbnQ6MTE=', 'TEE-S', 'Tee', 'S', 9, 9.000);
insert into order_fulfillment values
  (1, '00000000-0000-0000-0000-000000000001', 'fulfilled', '2026-02-02 10:00Z'),
  (2, '00000000-0000-0000-0000-000000000001', 'returned', '2026-02-10 10:00Z');
insert into order_fulfillmentline values
  (1, 1, '10000000-0000-0000-0000-000000000001', 2), (2, 2, '10000000-0000-0000-0000-000000000001', 1);
