-- How many different articles a customer bought in each window.
select
  {% for w in windows %}
  count(*) filter (where {{ w.holds }}) as articles_distinct_{{ w.name }},
  {% endfor %}
  customer_id
from everyone
left join customer_articles using (customer_id)
group by customer_id
