create table shopmill.news (
    dataset text primary key,
    kind text not null check (kind in ('published', 'late', 'failed')),
    news text not null,
    as_of timestamptz,
    since timestamptz not null,
    times integer not null,
    told_at timestamptz
);

comment on table shopmill.news is 'What was last the case with each dataset, and when people were told: so that the same is not told again and again.';

create table shopmill.failed_tasks (
    run_id text not null,
    task text not null,
    failure jsonb not null,
    failed_at timestamptz not null default now(),
    primary key (run_id, task)
);

comment on table shopmill.failed_tasks is 'Tasks that failed, until the end of their run is told in one message.';
