"""Exports of 31.8 million rows, as H&M has them, and the memory that each takes: python large.py FOLDER [ROWS] [CONSUMER...]

Makes a store in FOLDER with versions made by hand, once, then exports them to each consumer and prints what each cost, and
notes it in FOLDER/exports.jsonl, for table.py. Ends with exit code 1 where an export took 2 GiB or more. `make bench-exports` runs it.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from fabricated import publish

from shopmill import datasets
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.settings import Settings
from shopmill.versions.store import Store

ROWS, CUSTOMERS, ARTICLES = 31_788_324, 1_371_980, 105_542
AS_OF = date(2020, 9, 23)
MEBIBYTES = 2048
"""What an export may hold at most."""
PROMO = ("is_promo", "is_holiday", "is_weekend")

CUSTOMER = "sha256(cast({i} % {customers} as varchar))"
"""H&M's customers have ids of 64 letters."""
ARTICLE = "lpad(cast(({i} // {customers} * 7919 + {i}) % {articles} as varchar), 10, '0')"
"""Another article at each of a customer's rows."""
IDS = {"customer_id": CUSTOMER, "article_id": ARTICLE}
INTERACTIONS = IDS | {
    "purchase_count": "1",
    "interaction_count": "1",
    "spend_sum": "hash({i}) % 10000 / 100",
    "first_interaction_date": "date '2020-09-22' - cast(hash({i}) % 730 as integer)",
    "last_interaction_date": "date '2020-09-22' - cast(hash({i}) % 730 as integer)",
    "time_weighted_score": "0.5 ^ (hash({i}) % 730 / 30)",
}
LOG = IDS | {
    "day": "date '{month}' + cast(hash({i}) % 28 as integer)",
    "signal": "'purchase'",
    "happened_at": "null",
    "quantity": "1",
    "value": "hash({i}) % 10000 / 100",
    "session_id": "null",
}
SERIES = {
    "unique_id": "lpad(cast({i} // {days} as varchar), 10, '0')",
    "ds": "date '2020-09-22' - cast({i} % {days} as integer)",
    "y": "hash({i}) % 5",
    "fill_reason": "case hash({i}) % 5 when 0 then 'zero' else 'observed' end",
    "day_of_week": "1",
    "month": "1",
    "week": "1",
}
HIERARCHY = {
    "unique_id": "lpad(cast({i} as varchar), 10, '0')",
    "category": "'category ' || {i} % 30",
    "product_group_name": "'group ' || {i} % 20",
    "first_day": "date '2019-01-01'",
}


def main(folder: Path, rows: int, chosen: list[str]) -> int:
    store = folder / f"store-{rows}"
    if not store.exists():
        shutil.rmtree(folder / "making", ignore_errors=True)
        make(folder / "making", rows)
        (folder / "making").rename(store)
    exports = [one for one in EXPORTS if not chosen or one[1] in chosen]
    with (folder / "exports.jsonl").open("w") as noted:
        return int(max([measure(store, folder / "out", noted, *one) for one in exports]) >= MEBIBYTES)


def make(folder: Path, rows: int) -> None:
    """A store with user_item_interactions and timeseries, of so many rows each."""
    files, zone = Maker(folder, rows), ZoneInfo("UTC")
    signals = {
        "interactions": files.one("interactions", INTERACTIONS, rows),
        "log": files.months(LOG),
        "customer_index": files.one("customer_index", {"customer_id": CUSTOMER, "customer_index": "{i}"}, files.customers),
        "article_index": files.one("article_index", {"article_id": HIERARCHY["unique_id"], "article_index": "{i}"}, ARTICLES),
    }  # fmt: skip
    publish(Store(str(folder)), "user_item_interactions", AS_OF.isoformat(), signals, zone)
    files.dataset = "timeseries"
    series = {
        "article_daily": files.one("article_daily", SERIES, files.days * ARTICLES),
        "hierarchy": files.one("hierarchy", HIERARCHY, ARTICLES),
        "planned_promotions": files.one("planned_promotions", {}, 0),
    }
    publish(Store(str(folder)), "timeseries", AS_OF.isoformat(), series, zone)


class Maker:
    """Writes the tables of a dataset out of an expression for each column; others are 0, false or empty."""

    def __init__(self, folder: Path, rows: int):
        self._folder, self._rows = folder, rows
        self.dataset = "user_item_interactions"
        self.customers, self.days = min(CUSTOMERS, rows), max(1, rows // ARTICLES)

    def one(self, table: str, columns: dict[str, str], rows: int) -> dict[str, Path]:
        """A table that is one file."""
        place = f"{table}/part-00000.parquet"
        return {place: self._write(table, place, columns, 0, rows)}

    def months(self, columns: dict[str, str]) -> dict[str, Path]:
        """A log of two years, a file for each month."""
        starts = [date(2018 + (8 + n) // 12, (8 + n) % 12 + 1, 1) for n in range(24)]
        share = self._rows // len(starts)
        return {
            f"log/{month}.parquet": self._write(
                "log",
                f"log/{month}.parquet",
                columns,
                n * share,
                self._rows if month == starts[-1] else (n + 1) * share,
                str(month),
            )
            for n, month in enumerate(starts)
        }

    def _write(self, table: str, place: str, columns: dict[str, str], first: int, end: int, month: str = "") -> Path:
        values = {"i": "i", "customers": self.customers, "articles": ARTICLES, "days": self.days, "month": month}
        declared = datasets.load(self.dataset).table(table).columns
        typed = ", ".join(
            f"cast({columns.get(c.name, empty(c.type)).format(**values)} as {c.type}) as {c.name}" for c in declared
        )
        target = self._folder / "files" / place
        with DuckDBEngine(Settings(_env_file=None), self._folder / "scratch") as engine:
            engine.write(f"select {typed} from range({first}, {end}) as numbers(i)", {}, target)
        return target


def empty(kind: str) -> str:
    """A value of a column that no export looks at."""
    if kind in ("date", "timestamptz"):
        return "null"
    return {"varchar": "''", "boolean": "false"}.get(kind, "0")


def measure(store: Path, out: Path, noted: TextIO, dataset: str, to: str, *options: str) -> int:
    """Notes what one export cost; gives its mebibytes."""
    shutil.rmtree(out, ignore_errors=True)
    chosen = [part for option in options for part in ("-o", option)]
    command = ["export", dataset, "--to", to, *chosen, "--output"]
    measured = [sys.executable, str(Path(__file__).with_name("measured.py")), sys.executable, "-m", "shopmill.cli.app"]
    environment = {"SHOPMILL_STORE": str(store), "SHOPMILL_TIME_ZONE": "UTC", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*measured, *command, str(out), "--json"], stdout=subprocess.PIPE, env=environment, text=True, check=True
    )
    *said, last = done.stdout.splitlines()
    rows, cost = sum(json.loads("".join(said))["rows"].values()), json.loads(last)
    shown = " ".join(["shopmill", *command, "FOLDER"])
    line = json.dumps({"to": to, "rows": rows, **cost, "command": shown})
    print(line, flush=True)
    print(line, file=noted, flush=True)
    return int(cost["megabytes"])


EXPORTS: tuple[tuple[str, ...], ...] = (
    ("user_item_interactions", "recbole", "test_days=7"),
    ("user_item_interactions", "implicit"),
    ("user_item_interactions", "iceberg"),
    ("timeseries", "nixtla"),
    ("user_item_interactions", "rectools"),
    ("user_item_interactions", "gorse"),
    ("user_item_interactions", "relbench"),
    ("user_item_interactions", "huggingface"),
    ("timeseries", "gluonts"),
    ("timeseries", "hierarchicalforecast"),
)


def parsed(arguments: list[str]) -> Iterator[object]:
    folder, *others = arguments
    yield Path(folder).resolve()
    yield next((int(one) for one in others if one.isdigit()), ROWS)
    yield [one for one in others if not one.isdigit()]


if __name__ == "__main__":
    sys.exit(main(*parsed(sys.argv[1:])))  # type: ignore[arg-type]
