-- What shopmill's role in the shop's database may do, and nothing else: connect, and read the tables of one schema.
-- Run it in the shop's database as the owner of the database or a superuser; doing it again changes nothing:
--     psql "postgresql://postgres@host/shop" --set role=shopmill_reader --set schema=public --set owner=shop \
--       --file deploy/postgres/source.sql
-- `owner` is the role that makes the shop's tables: those that it makes later can be read as well. The role must be
-- there: createuser --login --pwprompt shopmill_reader
\set ON_ERROR_STOP on
begin;
grant connect on database :"DBNAME" to :"role";
grant usage on schema :"schema" to :"role";
grant select on all tables in schema :"schema" to :"role";
alter default privileges for role :"owner" in schema :"schema" grant select on tables to :"role";
-- A second lock, for the case that somebody grants the role more by mistake.
alter role :"role" set default_transaction_read_only = on;
commit;
