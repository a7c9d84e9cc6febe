-- Reviews made from baskets. Needs basket_lines (see clickstream.sql), articles, and the variables seed, review_share
-- (of lines that get one), ends_at (no review is later) and poison (broken rows or none).
create or replace table review_words as
select
    map {
        'good': ['Love it!', 'Really happy with this.', 'Excellent.', 'Great value.', 'Wonderful find.',
            'Exactly what I hoped for.', 'Five stars from us.', 'Perfect for our family.'],
        'mixed': ['It is okay.', 'Not bad, not great.', 'Does the job.', 'Mixed feelings.', 'As expected.'],
        'bad': ['Very disappointed.', 'Awful.', 'Would not buy again.', 'Terrible quality.', 'What a waste of money.',
            'I really wanted to like it, but no.']
    } as opening,
    map {
        'good': ['The {product} was fresh and nicely packed, and it lasted longer than the one I usually get.',
            'We buy {product} every week and this is the best so far.',
            'Good {product} for the price, and delivery was quick too.',
            'My kids adore this {product}, so it is always gone by Friday.',
            'I was sceptical about the {product} but it is really good.'],
        'mixed': ['The {product} is fine, though the one from last year was a little better.',
            'You get {product}, nothing more. The package could be easier to open.',
            'Some of the {product} was good and some was not.'],
        'bad': ['The {product} was damaged when it arrived and smelled bad.',
            'This {product} is nothing like the picture, and far too expensive.',
            'Half of the {product} went straight into the bin.',
            'Never had such poor {product}. Customer service did not care.']
    } as body,
    map {
        'good': ['Will buy again.', 'Highly recommended!', 'Thank you!', '', 'Already ordered two more.'],
        'mixed': ['Might try another brand.', '', 'We will see.'],
        'bad': ['I want my money back.', 'Avoid!', '', 'Never again.']
    } as closing,
    map {
        'good': ['Muy buen producto, lo compro siempre y a mi familia le encanta.',
            'Très bon produit, livraison rapide et emballage soigné. Je recommande !',
            'Sehr gute Qualität, wir sind rundum zufrieden und kaufen es gerne wieder.',
            'Prodotto ottimo, arrivato in fretta e ben confezionato.'],
        'mixed': ['Está bien, pero esperaba algo más por este precio.', 'Correct, sans plus, pour le prix demandé.',
            'Ganz in Ordnung, aber nichts Besonderes.'],
        'bad': ['Muy mala calidad, llegó roto y nadie me responde.', 'Très déçue, le produit était abîmé à la livraison.',
            'Leider eine große Enttäuschung, das Geld war es nicht wert.']
    } as foreign_text,
    ['More at https://www.example.com/review?id={n}', '<br/><b>See also</b> <a href="http://example.org/{n}">my blog</a>',
        'Questions? Write to shopper{n}@example.com', 'Call me on +1 (555) 010-{n} if you want the rest.',
        E'\n\nUpdate after {n} days:\r\nstill the same opinion.', '👍👍', '&amp; that is all &hellip;'] as extra;

create or replace table reviews as
with lines as (
    select *, hash(order_id, line_no, getvariable('seed')) as line
    from basket_lines
    where chance(hash(order_id, line_no), 'review') < getvariable('review_share')
),
rated as (
    select
        *,
        ordered_at + to_seconds(86400 + floor(1728000 * chance(line, 'written'))::int) as written_at,
        pick([5, 5, 5, 5, 5, 4, 4, 3, 1, 2], line, 'rating') as honest_rating,
        getvariable('poison') and chance(line, 'poison') < 0.005 as is_poison
    from lines
),
worded as (
    select
        * exclude (price),
        -- Now and then somebody takes one star for the best.
        if(chance(line, 'mistaken') < 0.03, 6 - honest_rating, honest_rating) as rating,
        case when honest_rating >= 4 then 'good' when honest_rating = 3 then 'mixed' else 'bad' end as mood
    from rated
    where written_at < getvariable('ends_at')
),
written as (
    select
        worded.*,
        case
            when chance(line, 'text') < 0.02 then null
            when chance(line, 'text') < 0.025 then ''
            when chance(line, 'text') < 0.03 then 'ok'
            when chance(line, 'text') < 0.09 then pick(foreign_text[mood], line, 'foreign')
            else replace(
                concat_ws(
                    if(chance(line, 'break') < 0.05, E'\n', ' '),
                    pick(opening[mood], line, 'opening'),
                    replace(
                        pick(body[mood], line, 'body'),
                        '{product}', lower(coalesce(articles.product_type_name, 'product'))
                    ),
                    pick(closing[mood], line, 'closing'),
                    if(chance(line, 'extra') < 0.08, pick(extra, line, 'which extra'), null)
                ),
                '{n}', (1000 + line % 9000)::text
            )
        end as words
    from worded cross join review_words left join articles using (article_id)
)
select
    -- One in a hundred is posted twice, and one in a thousand is stored twice under one id.
    hexadecimal(xor(line, if(chance(line, 'copies') < 0.001, 0, copy)::ubigint)) as review_id,
    customer_id,
    article_id,
    if(is_poison, pick([0, 6, -1, null], line, 'bad rating'), rating)::int as rating,
    if(chance(line, 'html') < 0.03, '<p>' || words || '</p>', words) as review_text,
    written_at + to_hours(copy::int) as review_date
from written, unnest(range(if(chance(line, 'copies') < 0.011, 2, 1))) as copies(copy)
order by review_date, review_id;
