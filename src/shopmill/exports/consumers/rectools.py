"""RecTools: interactions, flat features of users and items, and folds that end at as_of.

    interactions.parquet    user_id, item_id, weight, datetime: a row per signal, or per customer and article
    user_features.parquet   id, feature, value    (where customer_features has a version at this as_of or before)
    item_features.parquet   id, feature, value    (where articles_content has one)
    folds.parquet           fold, start, end: test days of each fold, the last one ends at as_of

All features are categories: name them in `cat_user_features` and `cat_item_features`, else RecTools takes them for numbers.

Train on rows before `start`, test on those from `start` on and before `end`. RecTools' own TimeRangeSplitter counts back
from the last interaction, which is another day in every shop and sample.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from shopmill.declaration import Parameter
from shopmill.exports.consumer import Consumer
from shopmill.exports.signals import interactions
from shopmill.exports.source import Source

USER_FEATURES = (
    "club_member_status",
    "fashion_news_frequency",
    "age",
    "rfm_segment",
    "favourite_group_lifetime",
    "favourite_colour_lifetime",
)
ITEM_FEATURES = ("product_group_name", "product_type_name", "index_group_name", "colour_group_name", "section_name")


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Interactions first; the rest where there is any."""
    rows = {"interactions.parquet": source.write_parquet(interactions(source), folder / "interactions.parquet")}
    for name, dataset, table, key, features in (
        ("user_features.parquet", "customer_features", "features", "customer_id", USER_FEATURES),
        ("item_features.parquet", "articles_content", "articles", "article_id", ITEM_FEATURES),
    ):
        if has := source.beside(dataset, table, key, *features):
            query = _flat(f"{dataset}__{table}", key, has)
            rows[name] = source.write_parquet(query, folder / name)
    rows["folds.parquet"] = source.write_parquet(_folds(source), folder / "folds.parquet")
    return rows


def _flat(table: str, key: str, features: tuple[str, ...]) -> str:
    """A row per id and feature that has a value."""
    values = [
        f"select {key} as id, '{name}' as feature, cast({name} as varchar) as value from {table} where {name} is not null"
        for name in features
    ]
    return f"select * from ({' union all '.join(values)}) as flat where id is not null order by id, feature"


def _folds(source: Source) -> str:
    days, folds = int(source.options["test_days"]), int(source.options["folds"])
    end = source.as_of.day(source.settings.zone)
    values = ", ".join(
        f"({fold}, timestamp '{end - timedelta(days=days * (folds - fold))}', "
        f"timestamp '{end - timedelta(days=days * (folds - fold - 1))}')"
        for fold in range(folds)
    )
    return f'select cast(fold as integer) as fold, start, "end" from (values {values}) as t(fold, start, "end") order by fold'


CONSUMER = Consumer(
    name="rectools",
    loads="interactions, features and folds",
    writes={"user_item_interactions": write},
    options=(
        Parameter("test_days", "integer", 7, "days of each fold's test", 1, 365),
        Parameter("folds", "integer", 3, "how many folds, one after another, the last one to as_of", 1, 100),
    ),
)
