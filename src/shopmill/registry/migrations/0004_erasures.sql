create table shopmill.erasures (
    store text not null,
    person text not null,
    erased_at timestamptz not null,
    tombstone jsonb not null,
    receipt jsonb not null,
    primary key (store, person)
);

comment on table shopmill.erasures is 'Who was erased from a store, as keyed hashes: also where a backup of the store has them still.';
