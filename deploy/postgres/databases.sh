#!/bin/bash
# Runs once, in compose.yaml's empty PostgreSQL: Airflow's database, the registry, and their roles.
set -euo pipefail

psql --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
  --set airflow="$AIRFLOW_DATABASE_PASSWORD" --set registry="$REGISTRY_PASSWORD" <<'SQL'
create role airflow login password :'airflow';
create database airflow owner airflow;
create role shopmill login password :'registry';
create database registry;
revoke all on database airflow, registry from public;
SQL
psql --no-psqlrc --username postgres --dbname registry --set role=shopmill --file /shopmill/registry.sql
