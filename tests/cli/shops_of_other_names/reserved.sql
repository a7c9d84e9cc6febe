-- A shop whose names are words of SQL, have blanks, points and quotes, or are as long as PostgreSQL allows.
create table "user" ("user id" text primary key, "Created At" timestamptz, "postal code" text);
create table "product" ("product id" text primary key, "name" text, "unit price" numeric(10, 2), "Group" text);
create table "order" ("order id" text primary key, "user id" text references "user", "placed-at" timestamptz, "order status" text, "Currency." text);
create table "order line" ("order id" text references "order", "product id" text references "product", "Qty." int, "unit price" numeric(10, 2), "it's ""new""" boolean);
create table "website_events_of_the_shop_and_of_its_apps_with_a_long_name_abc" (
    "event id" text, "visitor id" text, "user id" text, "product id" text, "event name" text, "occurred at" timestamptz
) partition by range ("occurred at");
create table "events 2024" partition of "website_events_of_the_shop_and_of_its_apps_with_a_long_name_abc" for values from ('2024-01-01Z') to ('2025-01-01Z');
create table "events later" partition of "website_events_of_the_shop_and_of_its_apps_with_a_long_name_abc" default;
insert into "user" select 'u' || i, '2024-01-01Z', '10115' from generate_series(1, 30) i;
insert into "product" select 'p' || i, 'Thing ' || i, 9.99, 'G' from generate_series(1, 30) i;
insert into "order" select 'o' || i, 'u' || (1 + i % 30), timestamptz '2024-03-01Z' + i * interval '1 hour', (array['paid', 'cancelled'])[1 + i % 2], 'EUR' from generate_series(1, 100) i;
insert into "order line" select 'o' || i, 'p' || (1 + i % 30), 1 + i % 3, 9.99, true from generate_series(1, 100) i;
insert into "website_events_of_the_shop_and_of_its_apps_with_a_long_name_abc" select 'e' || i, 'v' || i, null, 'p' || (1 + i % 30), (array['view', 'purchase'])[1 + i % 2], '2024-03-09Z' from generate_series(1, 20) i;
