-- A shop whose tables an object mapper made: names in camel case, uuids, prices in cents.
create table "Users" ("id" uuid primary key default gen_random_uuid(), "firstName" text, "createdAt" timestamptz, "zipCode" text);
create table "Products" ("id" uuid primary key default gen_random_uuid(), "productName" text, "longDescription" text, "categoryName" text, "unitPriceCents" int, "stockQty" int, "isActive" bool);
create table "Orders" ("id" uuid primary key default gen_random_uuid(), "userId" uuid references "Users", "placedAt" timestamptz, "orderStatus" text, "currencyCode" text, "totalCents" int, "updatedAt" timestamptz);
create table "OrderItems" ("id" uuid primary key default gen_random_uuid(), "orderId" uuid references "Orders", "productId" uuid references "Products", "qty" int, "unitPriceCents" int, "updatedAt" timestamptz);
create table "Reviews" ("id" uuid primary key default gen_random_uuid(), "userId" uuid, "productId" uuid, "stars" smallint, "body" text, "createdAt" timestamptz);
create table "AnalyticsEvents" ("eventId" uuid primary key default gen_random_uuid(), "anonymousId" text, "userId" uuid, "productId" uuid, "eventName" text, "occurredAt" timestamptz, "userAgent" text);
create table "Carts" ("id" uuid primary key default gen_random_uuid(), "userId" uuid);
insert into "Users" ("firstName","createdAt") select 'x', '2024-01-01Z' from generate_series(1,10);
insert into "Products" ("productName","unitPriceCents","isActive") select 'p', 999, true from generate_series(1,10);
insert into "Orders" ("userId","placedAt","orderStatus","currencyCode","totalCents") select (select id from "Users" limit 1), '2024-02-01Z', (array['PAID','CANCELED'])[1+i%2], 'USD', 999 from generate_series(1,20) i;
insert into "OrderItems" ("orderId","productId","qty","unitPriceCents") select o.id, (select id from "Products" limit 1), 1, 999 from "Orders" o;
insert into "AnalyticsEvents" ("anonymousId","eventName","occurredAt") select 'a', (array['Product Viewed','Product Added','Order Completed'])[1+i%3], '2024-02-01Z' from generate_series(1,20) i;
