"""Gorse: users, items and feedback, a JSON document a line, as its REST API and pygorse take them.

    users.jsonl      UserId, Labels
    items.jsonl      ItemId, IsHidden, Categories, Timestamp, Labels, Comment
    feedback.jsonl   FeedbackType (purchase, cart, click, view), UserId, ItemId, Value, Timestamp

Gorse addresses users and items in paths, where an id with a "/" cannot be named: such ids are refused.
"""

from collections.abc import Mapping
from pathlib import Path

from shopmill.errors import InvalidInputError
from shopmill.exports.consumer import Consumer
from shopmill.exports.signals import has_log
from shopmill.exports.source import Source

JSON = "(format json)"
TIME = "strftime({0}, '%Y-%m-%dT%H:%M:%SZ')"
LAST = "max(coalesce(happened_at, timezone('{zone}', cast(day as timestamp))))"
"""Of a day without a moment, the moment at which it began in the shop; the connection writes moments in UTC."""
ITEM = ("is_active", "first_seen", "prod_name", "product_group_name", "product_type_name", "colour_group_name")
COUNTS = ("purchase", "cart", "click", "view")


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Three queries."""
    for table, key in (("customer_index", "customer_id"), ("article_index", "article_id")):
        source.need(table, key)
        _refuse_slashes(source, table, key)
    return {
        "users.jsonl": source.write_text(_users(source), folder / "users.jsonl", JSON),
        "items.jsonl": source.write_text(_items(source), folder / "items.jsonl", JSON),
        "feedback.jsonl": source.write_text(_feedback(source), folder / "feedback.jsonl", JSON),
    }


def _refuse_slashes(source: Source, table: str, key: str) -> None:
    found = source.value(f"select min({key}) from {table} where {key} like '%/%'")
    if found is not None:
        raise InvalidInputError(
            f"{key} {found!r} has a '/', which Gorse cannot address: map such ids to others before."
        )


def _users(source: Source) -> str:
    labels = source.beside("customer_features", "features", "customer_id", "rfm_segment", "club_member_status")
    if not labels:
        return 'select customer_id as "UserId", [] as "Labels" from customer_index order by customer_id'
    return f"""
        select
          customer_id as "UserId",
          list_filter([{", ".join(labels)}], lambda label: label is not null) as "Labels"
        from customer_index
        left join customer_features__features using (customer_id)
        order by customer_id
    """


def _items(source: Source) -> str:
    moment = TIME.format(f"timestamp '{source.as_of.instant:%Y-%m-%d %H:%M:%S}'")
    if source.beside("articles_content", "articles", "article_id", *ITEM) != ITEM:
        return f"""
            select
              article_id as "ItemId", false as "IsHidden", []::varchar[] as "Categories", {moment} as "Timestamp",
              []::varchar[] as "Labels", '' as "Comment"
            from article_index order by article_id
        """
    return f"""
        select
          article_id as "ItemId",
          not coalesce(is_active, false) as "IsHidden",
          list_filter([product_group_name], lambda label: label is not null) as "Categories",
          {TIME.format("coalesce(cast(first_seen as timestamp), timestamp '1970-01-01')")} as "Timestamp",
          list_filter([product_type_name, colour_group_name], lambda label: label is not null) as "Labels",
          coalesce(prod_name, '') as "Comment"
        from article_index
        left join articles_content__articles using (article_id)
        order by article_id
    """


def _feedback(source: Source) -> str:
    if has_log(source):
        source.need("log", "customer_id", "article_id", "signal", "day", "happened_at")
        return f"""
            select
              signal as "FeedbackType", customer_id as "UserId", article_id as "ItemId",
              cast(count(*) as double) as "Value", {TIME.format(LAST.format(zone=source.settings.time_zone))} as "Timestamp"
            from log
            where signal in {COUNTS}
            group by signal, customer_id, article_id
        """
    counts = (f"{signal}_count" for signal in COUNTS)
    source.need("interactions", "customer_id", "article_id", "last_interaction_date", *counts)
    moment = TIME.format("cast(last_interaction_date as timestamp)")
    return " union all ".join(
        f"""
        select
          '{signal}' as "FeedbackType", customer_id as "UserId", article_id as "ItemId",
          cast({signal}_count as double) as "Value", {moment} as "Timestamp"
        from interactions
        where {signal}_count > 0
        """
        for signal in COUNTS
    )


CONSUMER = Consumer(
    name="gorse", loads="users, items and feedback as JSON lines", writes={"user_item_interactions": write}
)
