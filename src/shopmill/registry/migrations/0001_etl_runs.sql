create table shopmill.etl_runs (
    run_id text primary key,
    dataset text not null,
    as_of text not null,
    version text,
    status text not null check (status in ('running', 'published', 'unchanged', 'blocked', 'failed')),
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    rows bigint,
    bytes bigint,
    rejected bigint,
    checks jsonb not null default '[]',
    inputs jsonb not null default '{}',
    parameters jsonb not null default '{}',
    git_commit text,
    pipeline_version text not null,
    error text,
    dag_id text,
    dag_run_id text,
    try_number integer,
    host text not null
);

create index etl_runs_by_dataset on shopmill.etl_runs (dataset, started_at desc);

comment on table shopmill.etl_runs is 'One row per run of a dataset: what came of it, when, where and by whom.';
