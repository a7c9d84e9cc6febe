-- Clickstream made from baskets. Needs basket_lines(order_id, line_no, n_lines, customer_id, article_id, price,
-- ordered_at) and the variables seed, session_share (of orders that have a visit) and poison (broken rows or none).
--
-- An order may have two visits: one that ends in it, and one some days before that ends in nothing. Steps with the same
-- draw are nested: who clicks has viewed. Draws are per line, so a purchase without a view happens, as in life.
create or replace table visit_steps as
from (values
    ('order', 1, 'view', 'look', 0.8, 0),
    ('order', 2, 'click', 'look', 0.5, 6),
    ('order', 3, 'add_to_cart', 'cart', 0.9, 14),
    ('order', 4, 'checkout', 'once', 1.0, 0),
    ('order', 5, 'purchase', 'always', 1.0, 0),
    ('browse', 6, 'view', 'browse', 0.5, 0),
    ('browse', 7, 'click', 'browse', 0.2, 9),
    ('browse', 8, 'add_to_cart', 'browse', 0.07, 17),
    ('browse', 9, 'remove_from_cart', 'browse', 0.015, 25),
    ('browse', 10, 'checkout', 'browse', 0.005, 40)
) as steps(visit, step, event_type, draw, share, seconds);

create or replace view events as
with visits as (
    select
        *,
        hash(order_id, line_no) as line,
        chance(line, 'look') as look,
        chance(line, 'cart') as cart,
        chance(line, 'browse') as browse,
        floor(10 * chance(line, 'jitter'))::int as jitter,
        chance(order_id, 'order visit') < getvariable('session_share') as has_order_visit,
        chance(order_id, 'browse visit') < getvariable('session_share') as has_browse_visit,
        chance(order_id, 'bounce') < 0.3 as is_bounce,
        chance(order_id, 'anonymous') < 0.35 as is_anonymous,
        chance(order_id, 'pause') < 0.03 as has_pause,
        -- A day to six before the order.
        86400 + floor(432000 * chance(order_id, 'days before'))::int as seconds_before
    from basket_lines
    where has_order_visit or has_browse_visit
),
taken as (
    select *, hash(line, step, getvariable('seed')) as event
    from visits cross join visit_steps
    where if(visit = 'order', has_order_visit, has_browse_visit and (not is_bounce or (line_no = 1 and step = 6)))
        and case draw
            when 'look' then look < share
            when 'cart' then cart < share
            when 'browse' then browse < share or (step = 6 and line_no = 1)
            when 'once' then line_no = 1
            else true
        end
),
timed as (
    select
        *,
        case
            when event_type = 'purchase' then ordered_at
            when visit = 'order' and event_type = 'checkout' then ordered_at - interval 45 seconds
            when visit = 'order' then ordered_at - to_seconds(
                90 + 40 * (n_lines - line_no + 1) - seconds - jitter
                -- Somebody is called away in mid-visit, for longer than a session lasts.
                + if(has_pause and line_no * 2 <= n_lines, 2400, 0)
            )
            else ordered_at + to_seconds(35 * line_no + seconds + jitter - seconds_before)
        end as happened_at,
        getvariable('poison') and chance(event, 'poison') < 0.0002 as is_poison
    from taken
),
stored as (
    -- The tracker sends one event in two thousand twice.
    select *, unnest(if(chance(event, 'duplicate') < 0.0005, [1, 2], [1])) as copy
    from timed
)
select
    if(is_poison and event % 3 = 0, null, hexadecimal(event)) as event_id,
    hexadecimal(hash(order_id, visit, getvariable('seed'))) as session_id,
    if(visit = 'browse' and is_anonymous, null, customer_id) as customer_id,
    if(event_type = 'checkout', null, article_id) as article_id,
    if(event_type = 'click' and chance(event, 'unknown') < 0.002, 'wishlist', event_type) as event_type,
    if(event_type in ('add_to_cart', 'remove_from_cart', 'purchase'), price, null)::decimal(18, 6) as event_value,
    case
        when is_poison and event % 3 = 1 then null
        when is_poison and event % 3 = 2 then happened_at + interval 3 years
        else happened_at
    end as event_datetime
from stored;
