"""What customers did with articles, as recommenders take it: a row per signal where the version has the log of them."""

from shopmill.exports.source import Source

WEIGHTS = (
    "case signal when 'purchase' then 1.0 when 'cart' then 0.3 when 'click' then 0.1 when 'view' then 0.05 else 0 end"
)


def has_log(source: Source) -> bool:
    """Whether the version has a row per signal; one from before there was a log has a row per customer and article."""
    return "log" in source.version.tables


def interactions(source: Source) -> str:
    """user_id, item_id, weight (above 0), datetime: the moment of a signal by the shop's clock, which
    decides what a day is, or the day of the last one.

    Returns have no weight above 0, and are left out.
    """
    if has_log(source):
        source.need("log", "customer_id", "article_id", "signal", "day", "happened_at")
        return f"""
            select customer_id as user_id, article_id as item_id, cast({WEIGHTS} as double) as weight,
              coalesce(timezone('{source.settings.time_zone}', happened_at), cast(day as timestamp)) as datetime
            from log
            where {WEIGHTS} > 0
        """
    source.need("interactions", "customer_id", "article_id", "time_weighted_score", "last_interaction_date")
    return """
        select
          customer_id as user_id, article_id as item_id, cast(time_weighted_score as double) as weight,
          cast(last_interaction_date as timestamp) as datetime
        from interactions
        where time_weighted_score > 0
    """
