"""Golden cases: rows of the shop in, rows of the dataset out, written in YAML beside each other.

A case is one run, or a list of `runs` on one store, each continuing from those before it:

    doc: what the case shows
    as_of: 2020-09-23                  # or 2020-09-23T10:15:00Z
    time_zone: Europe/Stockholm        # default UTC
    parameters: {view_weight: 1}       # default: the dataset's
    settings: {currency: EUR}          # default: those of Settings
    given:    {transactions: [{t_dat: 2020-09-20, customer_id: c1, ...}]}   # columns left out are null
    expect:   {interactions: [{customer_id: c1, purchase_count: 1}]}        # columns left out are not compared
    accounts: {transactions: {used: 1, not_wanted: {guest_lines: 2}}}       # where the rows of a source table went
    warned:   ["11 days old"]          # words of a warning
    not_warned: ["came back"]          # words that no warning has
    blocked:  ["too many rejects"]     # words of the error that blocks the publish; default: it is published

The rows go into a real PostgreSQL and through every step of a run, extraction and checks included.
Limits on rejects and lost rows are wide open unless the case sets them, for a case has few rows.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from shopmill import datasets
from shopmill.engine.duckdb_engine import connect
from shopmill.errors import CheckFailedError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.versions.manifest import Manifest

LENIENT = {"max_reject_share": 1, "max_unmatched_share": 1, "max_row_drop": 1}


def load_case(path: Path) -> list[dict[str, Any]]:
    """The runs of a case."""
    document = yaml.safe_load(path.read_text())
    common = {name: value for name, value in document.items() if name != "runs"}
    return [{**common, **run} for run in document.get("runs", [{}])]


def fill_shop(dsn: str, given: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Makes the shop's tables hold exactly the given rows."""
    with psycopg.connect(dsn) as connection:
        for name in TABLES:
            connection.execute(f"truncate {name}")
            for row in given.get(name, []):
                columns = ", ".join(f'"{column}"' for column in row)
                places = ", ".join(["%s"] * len(row))
                connection.execute(
                    f"insert into {name} ({columns}) values ({places})", [_text(value) for value in row.values()]
                )


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def run_case(dataset: str, case: Mapping[str, Any], settings: Settings) -> Manifest | None:
    """Runs one run of a case and compares; returns what was published."""
    fill_shop(settings.source_dsn.get_secret_value(), case.get("given", {}))
    zoned = settings.model_copy(update={"time_zone": case.get("time_zone", "UTC"), **case.get("settings", {})})
    run = Run.create(datasets.load(dataset), str(case["as_of"]), zoned, {**LENIENT, **case.get("parameters", {})})
    if "blocked" in case:
        with pytest.raises(CheckFailedError) as blocked:
            steps.run_all(run)
        for words in case["blocked"]:
            assert words in str(blocked.value), str(blocked.value)
        return None
    published = steps.run_all(run)
    for words in case.get("warned", []):
        assert any(words in warning for warning in published.warned), published.warned
    for words in case.get("not_warned", []):
        assert not any(words in warning for warning in published.warned), published.warned
    manifest = run.versions.need(run.as_of)
    for table, rows in case.get("expect", {}).items():
        found, expected = published_rows(run, manifest, table, rows), [normal(row) for row in rows]
        assert found == expected, (
            f"{table}: found\n" + "\n".join(map(str, found)) + "\nexpected\n" + "\n".join(map(str, expected))
        )
    accounts = {account.table: account.document() for account in manifest.accounts}
    for table, expected_account in case.get("accounts", {}).items():
        assert {name: accounts[table][name] for name in expected_account} == expected_account, accounts[table]
    return manifest


def published_rows(
    run: Run, manifest: Manifest, table: str, expected: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of a published table in file order, with the columns that the expected rows name."""
    names = (
        list(expected[0]) if expected else [column["name"] for column in manifest.content["tables"][table]["columns"]]
    )
    files = run.store.fetch(run.versions.keys_of(manifest, table), Path(run.settings.store))
    columns = ", ".join(f'"{name}"' for name in names)
    with connect(run.settings, Path(run.settings.store)) as engine:
        found = engine.execute(f"select {columns} from read_parquet({[str(file) for file in files]})").fetchall()
    return [normal({n: _twelve(v) for n, v in zip(names, row, strict=True)}) for row in found]


def _twelve(value: Any) -> Any:
    """Doubles to twelve digits, which is what a case can write and two engines agree on."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


def normal(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values in a form in which what YAML writes and what DuckDB reads compare exactly."""
    return {name: _normal(value) for name, value in row.items()}


def _normal(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | Decimal):
        return Decimal(value).normalize()
    if isinstance(value, float):
        return Decimal(repr(value)).normalize()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    return str(value)
