-- Every usable line of transactions: a unit that was sold, to a customer or to a guest.
select source_day as day, customer_id, article_id, price
from judged_transactions
where problem is null
