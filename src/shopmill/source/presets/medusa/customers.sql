-- with person
-- People who have an account or have ordered, one row for each.
select
  person.customer_id,
  min(c.created_at) as created_at,
  case when bool_or(c.has_account) then bool_or(c.has_account and c.deleted_at is null) end as "Active",
  case when bool_or(c.has_account) then 'account' else 'guest' end as club_member_status,
  (
    array_agg(
      a.postal_code order by a.is_default_shipping desc nulls last, a.created_at desc, a.id
    ) filter (where a.postal_code is not null)
  )[1] as postal_code
from person
join customer c on c.id = person.customer_row
left join customer_address a on a.customer_id = c.id and a.deleted_at is null
where person.customer_id is not null
  and (c.has_account or exists (select from "order" o where o.customer_id = c.id and not o.is_draft_order))
group by person.customer_id
