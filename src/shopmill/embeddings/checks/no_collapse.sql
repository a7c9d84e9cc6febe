with pairs as (
  select distinct text_hash, embedding from {{ table }} where embedding is not null
),
counted as (
  select
    count(*) as n_pairs, count(distinct text_hash) as n_texts, count(distinct embedding) as n_vectors
  from pairs
)
select
  n_pairs - n_texts
    + case when n_texts - n_vectors > $max_collapsed_share * n_texts then n_texts - n_vectors else 0 end
    as violations,
  n_vectors || ' different vectors for ' || n_texts || ' different texts' as detail
from counted
