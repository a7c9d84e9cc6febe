"""RelBench: a folder that `relbench.load_dataset` takes, with two tasks whose labels RelBench makes itself.

    manifest.yaml                      tables with their keys, and the days of validation and test
    db/customer.parquet                customer_id (0 to n - 1), customer: as the shop names it
    db/article.parquet                 article_id, article, and what articles_content says where it has a version
    db/log.parquet                     customer_id, article_id, day, signal, quantity, value: a row per signal
    tasks/user-churn/manifest.yaml     of customers who bought in the last 7 days, who buys nothing in the next 7
    tasks/item-sales/manifest.yaml     what is sold of an article in the next 7 days

The tasks are those of rel-hm. A timestamp is the last day that features may see, so the day before an origin of
training_labels. The test is the last 7 days before as_of, the validation the 7 days before it. What customer_features
knows is left out: it is of as_of, which no task may see.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from shopmill.errors import InvalidInputError
from shopmill.exports.consumer import Consumer
from shopmill.exports.source import Source
from shopmill.versions.store import to_json

WEEK = timedelta(days=7)
LEAST_DAYS = 36
"""Weeks of test, validation and three of training, each with the day that its features end on."""
ITEM = ("prod_name", "product_type_name", "product_group_name", "colour_group_name")
TABLES = {
    "customer": {"pkey": "customer_id", "time_col": None, "fkeys": {}},
    "article": {"pkey": "article_id", "time_col": None, "fkeys": {}},
    "log": {"pkey": None, "time_col": "day", "fkeys": {"customer_id": "customer", "article_id": "article"}},
}
IN_WINDOW = "log.signal = 'purchase' and log.day > timestamp and log.day <= timestamp + interval '{timedelta}'"
CHURN = f"""
select timestamp, customer_id, cast(not exists (
  select 1 from log where log.customer_id = customer.customer_id and {IN_WINDOW}
) as integer) as churn
from timestamps, customer
where exists (
  select 1 from log
  where log.customer_id = customer.customer_id and log.signal = 'purchase'
    and log.day > timestamp - interval '{{timedelta}}' and log.day <= timestamp
)
"""
SALES = f"""
select timestamp, article.article_id, coalesce(sum(log.value), 0) as sales
from timestamps cross join article
left join log on log.article_id = article.article_id and {IN_WINDOW}
group by timestamp, article.article_id
"""


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Three tables, then what says how they belong together."""
    source.need("log", "customer_id", "article_id", "day", "signal", "quantity", "value")
    source.need("customer_index", "customer_id", "customer_index")
    source.need("article_index", "article_id", "article_index")
    last = _last_day(source)
    queries = {"customer": _customers(), "article": _articles(source), "log": _log()}
    rows = {f"db/{name}.parquet": source.write_parquet(q, folder / f"db/{name}.parquet") for name, q in queries.items()}
    _write_document(folder, _manifest(source, last))
    _write_document(
        folder / "tasks/user-churn", _task("user-churn", "binary_classification", "customer", "churn", CHURN)
    )
    _write_document(folder / "tasks/item-sales", _task("item-sales", "regression", "article", "sales", SALES))
    return rows


def _last_day(source: Source) -> date:
    """The last whole day that signals are known of."""
    [known] = source.rows("select min(day) as first, max(day) as last, max(day) - min(day) + 1 as days from log")
    if (known["days"] or 0) < LEAST_DAYS:
        raise InvalidInputError(
            f"RelBench's tasks of 7 days need {LEAST_DAYS} days of signals; {source.manifest.dataset} as of "
            f"{source.version.as_of} has {known['days'] or 0}: export a later as_of."
        )
    last: date = known["last"]
    return min(last, source.as_of.day(source.settings.zone) - timedelta(days=1))


def _customers() -> str:
    return "select customer_index as customer_id, customer_id as customer from customer_index order by customer_index"


def _articles(source: Source) -> str:
    more, join = "", ""
    if has := source.beside("articles_content", "articles", "article_id", *ITEM):
        more = "".join(f", described.{column}" for column in has)
        join = "left join articles_content__articles as described on described.article_id = known.article_id"
    return f"""
        select known.article_index as article_id, known.article_id as article{more}
        from article_index as known {join}
        order by known.article_index
    """


def _log() -> str:
    return """
        select
          cast(customer_index as bigint) as customer_id, cast(article_index as bigint) as article_id,
          cast(day as timestamp) as day, signal, cast(quantity as double) as quantity, cast(value as double) as value
        from log join customer_index using (customer_id) join article_index using (article_id)
        order by day, customer_index, article_index, signal, quantity, value
    """


def _manifest(source: Source, last: date) -> dict[str, Any]:
    return {
        "name": "shop",
        "manifest_version": 1,
        "description": f"{source.manifest.dataset} as of {source.version.as_of}, version {source.version.version}",
        "val_timestamp": str(last - 2 * WEEK),
        "test_timestamp": str(last - WEEK),
        "tables": TABLES,
    }


def _task(name: str, kind: str, entity: str, target: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "forecast",
        "task_type": kind,
        "entity_table": entity,
        "entity_col": f"{entity}_id",
        "target_col": target,
        "time_col": "timestamp",
        "timedelta": "7 days",
        "sql": query.strip(),
        "manifest_version": 1,
    }


def _write_document(folder: Path, document: Mapping[str, Any]) -> None:
    """JSON is YAML as well."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.yaml").write_bytes(to_json(document))


CONSUMER = Consumer(
    name="relbench",
    loads="a folder for relbench.load_dataset, with the tasks user-churn and item-sales",
    writes={"user_item_interactions": write},
)
