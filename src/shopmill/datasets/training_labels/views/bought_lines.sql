-- Every usable line of transactions, of a customer or of a guest: the units that were sold, and what they cost in the shop's
-- own currency.
select source_day as day, customer_id, article_id, quantity, amount
from judged_transactions
where problem is null
