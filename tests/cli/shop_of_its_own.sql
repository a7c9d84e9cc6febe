-- The shop of docs/your-shop.md: its own names, quantities, guests, returns and two currencies.
create schema sales;
create schema finance;
create schema web;
create table sales.client (id bigint primary key, email text, joined timestamptz, zip text, tier text);
create table sales.product (
    sku text primary key, model text, title text, about text, category text, cents integer, in_stock integer, hidden boolean
);
create table sales.sale (
    id bigint primary key, client_id bigint references sales.client, email text, placed timestamp, state text, money text,
    touched timestamptz
);
create table sales.sale_line (
    sale_id bigint references sales.sale, sku text references sales.product, units numeric, unit_cents integer
);
create table sales.refund (sale_id bigint references sales.sale, sku text, units numeric, unit_cents integer, booked timestamptz);
create table finance.fx (day date, code text, eur numeric);
create table web.hit (
    id uuid primary key, browser text, client_id bigint, sku text, what text, seen timestamptz, agent text
);
create table web.opinion (id bigint primary key, client_id bigint, sku text, stars integer, words text, written timestamptz);
create table web.session_log (id bigint, at timestamptz);

insert into sales.client values
    (7, 'seven@example.com', '2026-09-01 10:00Z', '11122', 'gold'), (8, 'eight@example.com', '2026-09-02 10:00Z', '11122', null);
insert into sales.product values
    ('A-1', 'A', 'Cup', 'A cup of porcelain, white', 'Tableware', 1000, 5, false),
    ('B-2', 'B', 'Pot', 'A pot of steel', 'Kitchen', 10000, 0, true);
insert into sales.sale values
    (1, 7, 'seven@example.com', '2026-10-29 10:00', 'paid', 'EUR', '2026-10-29 09:00Z'),
    (2, null, 'guest@example.com', '2026-10-30 11:00', 'paid', 'SEK', '2026-10-30 10:00Z'),
    (3, 8, 'eight@example.com', '2026-10-30 12:00', 'annulled', 'EUR', '2026-10-31 10:00Z'),
    (4, 8, 'eight@example.com', '2026-10-31 12:00', 'cart', 'EUR', '2026-10-31 12:00Z');
insert into sales.sale_line values (1, 'A-1', 3, 1000), (2, 'B-2', 2, 10000), (3, 'A-1', 1, 1000), (4, 'A-1', 1, 1000);
insert into sales.refund values (1, 'A-1', 1, 1000, '2026-10-31 10:00Z');
insert into finance.fx values ('2026-01-01', 'SEK', 0.09);
insert into web.hit values
    ('00000000-0000-0000-0000-000000000001', 'v1', null, 'A-1', 'Product Viewed', '2026-10-29 07:00Z', 'Mozilla/5.0'),
    ('00000000-0000-0000-0000-000000000002', 'v1', 7, 'A-1', 'Product Added', '2026-10-29 07:01Z', 'Mozilla/5.0');
insert into web.opinion values (1, 7, 'A-1', 5, 'Lovely cup', '2026-10-31 10:00Z');
