select count(*) as violations, 'such as ' || min(unique_id) || ' on ' || min(ds) as detail from leaks
