-- What shopmill's registry role may do, and nothing else: connect, and own the schema shopmill with what it makes there.
-- Run it in the registry's database as a superuser (for the extension); doing it again changes nothing:
--     psql "postgresql://postgres@host/registry" --set role=shopmill --file deploy/postgres/registry.sql
-- The role must be there: createuser --login --pwprompt shopmill
\set ON_ERROR_STOP on
begin;
grant connect on database :"DBNAME" to :"role";
create extension if not exists vector;
create schema if not exists shopmill authorization :"role";
commit;
