-- The shop's customers. `problem` says why a row cannot be used. An impossible age is taken as unknown, not the customer.
select
  customer_id, "FN", "Active", club_member_status, fashion_news_frequency, postal_code,
  age as age_given,
  case when age between 0 and 120 then age end as age,
  case
    when customer_id is null then 'customer_id is null'
    when row_number() over (
      partition by customer_id
      order by "FN", "Active", club_member_status, fashion_news_frequency, age, postal_code
    ) > 1 then 'customer_id repeats'
  end as problem
from customers
