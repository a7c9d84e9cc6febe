-- The tables of Odoo 17 (sale, stock) that the preset reads, as its models declare them, and a few rows. Times are in UTC.
create table res_currency (id serial primary key, name varchar not null);
create table res_currency_rate (id serial primary key, name date not null, rate numeric, currency_id integer not null, company_id integer);
create table res_partner (
  id serial primary key, name varchar, email varchar, zip varchar, active boolean, is_company boolean, commercial_partner_id integer,
  create_date timestamp
);
create table sale_order (
  id serial primary key, name varchar not null, state varchar, date_order timestamp not null, partner_id integer not null,
  currency_id integer, write_date timestamp
);
create table sale_order_line (
  id serial primary key, order_id integer not null, product_id integer, product_uom_qty numeric not null, price_subtotal numeric,
  display_type varchar, is_downpayment boolean
);
create table stock_location (id serial primary key, usage varchar not null);
create table stock_move (
  id serial primary key, state varchar, sale_line_id integer, product_qty numeric, location_dest_id integer not null,
  origin_returned_move_id integer, date timestamp not null, write_date timestamp
);
create table stock_quant (id serial primary key, product_id integer not null, location_id integer not null, quantity numeric, reserved_quantity numeric not null);
create table product_category (id serial primary key, name varchar not null, complete_name varchar, parent_id integer);
create table product_template (
  id serial primary key, name jsonb not null, description_sale jsonb, list_price numeric, categ_id integer not null, active boolean, sale_ok boolean
);
create table product_product (id serial primary key, product_tmpl_id integer not null, default_code varchar, active boolean);
create table ir_module_module (id serial primary key, name varchar not null, latest_version varchar);
insert into ir_module_module (name, latest_version) values ('sale', '17.0.1.2');

insert into res_currency values (1, 'EUR'), (2, 'USD');
insert into res_currency_rate values (1, '2026-01-01', 1.25, 2, 1), (2, '2026-02-01', 1.6, 2, 1);
insert into res_partner values
  (1, 'Anna', 'anna@example.com', '21122', true, false, 1, '2026-01-01 08:00'),
  (2, 'Bo AB', 'bo@example.com', '11111', true, true, 2, '2026-01-01 08:00'),
  (3, 'Bo, delivery', null, null, true, false, 2, '2026-01-02 08:00'),
  (4, 'A supplier', null, null, true, true, 4, '2026-01-01 08:00');
insert into product_category values (1, 'All', 'All', null), (2, 'Shirts', 'All / Shirts', 1);
insert into product_template values
  (1, '{"en_US": "Tee", "sv_SE": "Tröja"}', '{"en_US": "A cotton tee."}', 10, 2, true, true), (2, '{"sv_SE": "Lampa"}', null, 30, 1, false, true),
  (3, '{"en_US": "Flour"}', null, 1, 1, true, false);
insert into product_product values (11, 1, 'TEE-S', true), (12, 2, 'LAMP', true), (13, 3, 'FLOUR', true);
insert into stock_location values (1, 'internal'), (2, 'customer');
insert into stock_quant values (1, 11, 1, 50, 4), (2, 11, 2, 7, 0);
insert into sale_order values
  (1, 'S1', 'sale', '2026-02-01 10:00', 1, 1, '2026-02-10 10:00'), (2, 'S2', 'sale', '2026-02-02 10:00', 3, 2, '2026-02-02 10:00'),
  (3, 'S3', 'cancel', '2026-02-03 10:00', 1, 1, '2026-02-03 11:00'), (4, 'S4', 'cancel', '2026-02-04 10:00', 1, 1, '2026-02-04 11:00'),
  (5, 'S5', 'draft', '2026-02-05 10:00', 1, 1, '2026-02-05 11:00');
insert into sale_order_line values
  (1, 1, 11, 3, 25, null, false), (2, 1, null, 0, 0, 'line_section', false), (3, 1, 13, 1, 5, null, true),
  (4, 2, 12, 1, 30, null, null), (5, 3, 11, 2, 20, null, false), (6, 4, 11, 9, 90, null, false), (7, 5, 11, 9, 90, null, false);
insert into stock_move values
  (1, 'done', 1, 3, 2, null, '2026-02-02 10:00', '2026-02-02 10:00'), (2, 'done', 1, 1, 1, 1, '2026-02-10 10:00', '2026-02-10 10:00'),
  (3, 'cancel', 5, 2, 2, null, '2026-02-03 10:00', '2026-02-03 11:00');
