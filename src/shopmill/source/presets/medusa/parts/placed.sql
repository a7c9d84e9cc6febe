-- Orders that were placed: not drafts, and not deleted.
select
  o.id, o.created_at, o.version, o.status::text as status, upper(o.currency_code) as currency, person.customer_id,
  greatest(o.created_at, o.updated_at, person.registered_at) as changed_at
from "order" o
left join person on person.customer_row = o.customer_id
where o.deleted_at is null and not o.is_draft_order and o.status <> 'draft'
