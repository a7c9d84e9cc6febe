alter table shopmill.etl_runs add column store text;

comment on column shopmill.etl_runs.store is 'Address of the store that the run worked in.';

create index etl_runs_unfinished on shopmill.etl_runs (dataset) where status = 'running';
