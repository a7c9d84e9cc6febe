select
  (select count(*) from previous_customer_index as old left join customer_index as new using (customer_id)
   where new.customer_index is distinct from old.customer_index)
  + (select count(*) from previous_article_index as old left join article_index as new using (article_id)
     where new.article_index is distinct from old.article_index) as violations
