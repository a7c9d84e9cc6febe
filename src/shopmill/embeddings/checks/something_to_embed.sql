select count(*) filter (where embedding is null) as violations from {{ table }}
