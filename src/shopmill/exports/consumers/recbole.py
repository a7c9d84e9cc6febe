"""RecBole: atomic files, tab-separated, whose first line names columns and types.

    shop.inter   user_id:token  item_id:token  rating:float  timestamp:float
    shop.user    user_id:token, features    (where customer_features has a version at this as_of or before)
    shop.item    item_id:token, features    (where articles_content has one)

Where the version has the log of signals there is a row per signal, which sequential models need. With `test_days` the
interactions are split by time beforehand: shop.train.inter, shop.valid.inter and shop.test.inter, for
`benchmark_filename: [train, valid, test]`. RecBole reads with pandas' usual settings, which know quotes and words for nothing:
in texts tabs and line breaks become blanks and quotes apostrophes, and ids that would be read as others are refused.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from shopmill.declaration import Parameter
from shopmill.errors import InvalidInputError
from shopmill.exports.consumer import Consumer
from shopmill.exports.signals import interactions
from shopmill.exports.source import Source

NAME = "shop"
TABS = "(format csv, delimiter '\\t', header false, quote '', escape '')"
USER = {"club_member_status": "token", "age": "float", "rfm_segment": "token", "favourite_group_lifetime": "token"}
ITEM = {
    "product_group_name": "token",
    "product_type_name": "token",
    "colour_group_name": "token",
    "prod_name": "token_seq",
}
NOTHING = ("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
           "NaN", "None", "n/a", "nan", "null")  # fmt: skip
"""Words that pandas takes for no value; RecBole leaves out the rows of such a user or item."""
FIELDS = "user_id:token\titem_id:token\trating:float\ttimestamp:float"


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Interactions, then what is known of users and items."""
    for table, key in (("customer_index", "customer_id"), ("article_index", "article_id")):
        source.need(table, key)
        _refuse_unreadable(source, table, key)
    rows = {}
    for name, condition in _parts(source).items():
        query = f"""
            select user_id, item_id, weight, cast(epoch(datetime) as bigint)
            from ({interactions(source)}) as signals
            where {condition}
        """
        rows[f"{NAME}.{name}"] = _write(source, FIELDS, query, folder / f"{NAME}.{name}")
    if has := source.beside("customer_features", "features", "customer_id", *USER):
        _refuse_unreadable(source, "customer_features__features", "customer_id")
        fields, query = _features("customer_features__features", "customer_id", "user_id", {c: USER[c] for c in has})
        rows[f"{NAME}.user"] = _write(source, fields, query, folder / f"{NAME}.user")
    if has := source.beside("articles_content", "articles", "article_id", *ITEM):
        _refuse_unreadable(source, "articles_content__articles", "article_id")
        fields, query = _features("articles_content__articles", "article_id", "item_id", {c: ITEM[c] for c in has})
        rows[f"{NAME}.item"] = _write(source, fields, query, folder / f"{NAME}.item")
    return rows


def _refuse_unreadable(source: Source, table: str, key: str) -> None:
    words = ", ".join(f"'{word}'" for word in NOTHING)
    found = source.value(
        f"select min({key}) from {table} where regexp_matches({key}, '[\\t\\r\\n]|^\"') or {key} in ({words})"
    )
    if found is not None:
        raise InvalidInputError(
            f"{key} {found!r} would be read as another id or as none by RecBole, which knows no tab, line break or quote at "
            "the beginning in an id, and takes words such as NULL for nothing: map such ids to others before."
        )


def _parts(source: Source) -> dict[str, str]:
    days = int(source.options["test_days"])
    if not days:
        return {"inter": "true"}
    end = source.as_of.day(source.settings.zone)
    test, valid = (f"timestamp '{end - timedelta(days=days * many)}'" for many in (1, 2))
    return {
        "train.inter": f"datetime < {valid}",
        "valid.inter": f"datetime >= {valid} and datetime < {test}",
        "test.inter": f"datetime >= {test}",
    }


def _features(table: str, key: str, name: str, kinds: Mapping[str, str]) -> tuple[str, str]:
    fields = "\t".join([f"{name}:token", *(f"{column}:{kind}" for column, kind in kinds.items())])
    values = ", ".join(column if kind == "float" else _token(column) for column, kind in kinds.items())
    return fields, f"select {key}, {values} from {table} where {key} is not null order by {key}"


def _token(column: str) -> str:
    """A text without what separates columns and rows, and without quotes."""
    return f"""replace(regexp_replace(coalesce(cast({column} as varchar), ''), '[\\t\\r\\n]+', ' ', 'g'), '"', '''')"""


def _write(source: Source, fields: str, query: str, path: Path) -> int:
    """The line of fields, then the rows: DuckDB's own header would be the names alone."""
    body = path.with_suffix(".body")
    rows = source.write_text(query, body, TABS)
    with path.open("wb") as whole, body.open("rb") as part:
        whole.write(f"{fields}\n".encode())
        while chunk := part.read(2**20):
            whole.write(chunk)
    body.unlink()
    return rows


CONSUMER = Consumer(
    name="recbole",
    loads="atomic files .inter, .user and .item",
    writes={"user_item_interactions": write},
    options=(
        Parameter(
            "test_days", "integer", 0, "days of the test, and before them of the validation; 0: no split", 0, 365
        ),
    ),
)
