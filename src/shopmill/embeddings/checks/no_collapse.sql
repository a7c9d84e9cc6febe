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
  n_vectors || ' different vectors for ' || n_texts || ' different texts: ' || (n_texts - n_vectors) || ' have the vector of another, and '
    || 'max_collapsed_share (' || $max_collapsed_share || ') lets ' || cast(floor($max_collapsed_share * n_texts) as bigint)
    || ' pass. A model that does not know the script of a text gives all such texts one vector: see SHOPMILL_ENCODER' as detail
from counted
