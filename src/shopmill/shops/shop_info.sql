-- Which sample shop a database holds: a row, once it holds all of it.
create schema if not exists shopmill_demo;
drop table if exists shopmill_demo.shop_info;
create table shopmill_demo.shop_info (name text, parameters jsonb, fingerprint text, rows jsonb);
