"""Exported suites, run by Great Expectations itself: the same verdict as our checks, on good data and on spoiled."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from golden import load_case, run_case
from typer.testing import CliRunner

from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.declaration import Column, Dataset, Table
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.engine.protocol import bind
from shopmill.exports.great_expectations import Exporter, Suite
from shopmill.run.checks import Checking, Result
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
gx = pytest.importorskip("great_expectations", reason="great-expectations is an extra")
pd = pytest.importorskip("pandas")

CASES = Path(__file__).parents[1] / "datasets"
NAMES = ["articles_content", "customer_features", "events_and_funnels", "timeseries", "user_item_interactions"]


class Published:
    """A version of a golden case, and its suites."""

    def __init__(self, name: str, settings: Settings):
        self.declared: Dataset = datasets.load(name)
        cases = [load_case(path) for path in sorted((CASES / name).glob("*.yaml"))]
        unblocked = next(runs for runs in cases if "blocked" not in runs[-1])
        published = [run_case(name, run, settings) for run in unblocked]
        self.manifest: Manifest = [manifest for manifest in published if manifest][-1]
        self.settings = settings.model_copy(update={"time_zone": self.manifest.content["parameters"]["time_zone"]})
        self.versions = Versions(Store(settings.store), name, self.settings.zone)

    def exporter(self, dialect: str = "") -> Exporter:
        before = self.versions.previous_of(self.manifest)
        return Exporter(self.declared, self.manifest, before, self.settings, dialect)

    def files(self, table: str) -> list[str]:
        return [str(self.versions.store.root / key) for key in self.versions.keys_of(self.manifest, table)]  # type: ignore[operator]

    def our_results(self, table: Table, files: list[str], tmp_path: Path) -> dict[str, Result]:
        given = self.exporter()._bound
        with DuckDBEngine(self.settings, tmp_path) as engine:
            engine.view(table.name, [Path(file) for file in files], {c.name: c.type for c in table.columns})
            rows = engine.rows(f'select count(*) as n from "{table.name}"', {})[0]["n"]
            checking = Checking(self.declared, engine, bind({}, **given), {table.name: rows}, {}, {})
            return {result.name: result for result in checking.of_table(table)}


@pytest.fixture(params=NAMES, scope="module")
def published(
    request: pytest.FixtureRequest, shop_dsn: str, registry_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    store = str(tmp_path_factory.mktemp("store"))
    settings = Settings(_env_file=None, store=store, source_dsn=shop_dsn, registry_dsn=registry_dsn)
    return Published(request.param, settings)


@pytest.fixture(scope="module")
def context() -> Any:
    return gx.get_context(mode="ephemeral")


def frame_of(files: list[str]) -> Any:
    """The rows as pandas reads them: dates stay dates, as Great Expectations compares them."""
    frames = [pd.read_parquet(file, partitioning=None) for file in files]
    return (pd.concat(frames) if len(frames) > 1 else frames[0]).reset_index(drop=True)


def validate(context: Any, suite: Suite, frame: Any) -> dict[str, list[Any]]:
    """The results of Great Expectations by the check that each expectation stands for."""
    document = suite.document()
    loaded = gx.ExpectationSuite(name=suite.name, expectations=document["expectations"], meta=document["meta"])
    source = context.data_sources.add_or_update_pandas("frames")
    batches = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("whole")
    batch = batches.get_batch(batch_parameters={"dataframe": frame})
    found: dict[str, list[Any]] = {}
    for result in batch.validate(loaded, result_format="SUMMARY").results:
        assert "'raised_exception': True" not in str(result.exception_info), result.exception_info
        found.setdefault(result.expectation_config.meta["check"], []).append(result)
    return found


def test_a_published_version_has_the_verdict_of_its_checks(published: Published, context: Any) -> None:
    told = {(check["table"], check["name"]): check["passed"] for check in published.manifest.beside["checks"]}
    for suite in published.exporter().suites():
        found = validate(context, suite, frame_of(published.files(suite.table)))
        verdicts = {name: all(result.success for result in results) for name, results in found.items()}
        assert verdicts.pop("columns")
        assert verdicts == {name: told[suite.table, name] for name in verdicts}


def test_a_spoiled_copy_fails_alike(published: Published, context: Any, tmp_path: Path) -> None:
    suite = published.exporter().suites()[0]
    table = published.declared.table(suite.table)
    spoiled = spoil(published.files(table.name), table, tmp_path / "spoiled.parquet")
    ours = published.our_results(table, [spoiled], tmp_path)
    found = validate(context, suite, frame_of([spoiled]))
    assert not ours["key unique"].passed
    for name, results in found.items():
        if name in ours:
            assert all(result.success for result in results) == ours[name].passed, name
        if name in ours and len(results) == 1 and "unexpected_count" in results[0].result and name != "key unique":
            assert results[0].result["unexpected_count"] == ours[name].violations, name
    assert sum(not result.passed for result in ours.values()) > 3


def spoil(files: list[str], table: Table, target: Path) -> str:
    """The rows, and for each rule of a column the first row once more with a value that breaks it."""
    wrong = [(column, value) for column in table.columns for value in _wrong_values(column)]
    first = f"(select * from read_parquet({files}, hive_partitioning=false) limit 1)"
    copies = [
        f'select * replace (cast({value} as {column.type}) as "{column.name}") from {first}' for column, value in wrong
    ]
    query = " union all ".join([f"select * from read_parquet({files}, hive_partitioning=false)", *copies])
    duckdb.connect().execute(f"copy ({query}) to '{target}' (format parquet)")
    return str(target)


def _wrong_values(column: Column) -> Iterator[str]:
    if column.required:
        yield "null"
    if column.minimum is not None:
        yield str(column.minimum - 1)
    if column.maximum is not None:
        yield str(column.maximum + 1)
    if column.allowed:
        yield "'unheard of'"


def test_nothing_is_silently_dropped(published: Published) -> None:
    exporter = published.exporter()
    suites = exporter.suites()
    exported = {(suite.table, e["meta"]["check"]) for suite in suites for e in suite.expectations}
    left_out = {(suite.table, found.check) for suite in suites for found in suite.left_out}
    left_out |= {("", found.check) for found in exporter.left_out()}
    for check in published.manifest.beside["checks"]:
        known = {(check["table"], check["name"]), ("", check["name"])}
        may_be_empty = check["table"] and published.declared.table(check["table"]).may_be_empty
        assert known & (exported | left_out) or (check["name"] == "row count" and may_be_empty), check["name"]


def test_rules_on_rows_run_in_postgresql(settings: Settings, context: Any, shop_dsn: str, tmp_path: Path) -> None:
    published = Published("user_item_interactions", settings)
    suite = published.exporter("postgres").suites()[0]
    table = published.declared.table(suite.table)
    spoiled = spoil(published.files(table.name), table, tmp_path / "spoiled.parquet")
    frame = frame_of([spoiled])
    units = {name: frame[name].astype(float) for name in ("unit_count", "return_count")}  # pandas would write text
    frame.assign(**units).to_sql("gx_spoiled", _alchemy(shop_dsn), if_exists="replace", index=False)
    document = suite.document()
    rules = [e for e in document["expectations"] if e["type"] == "unexpected_rows_expectation"]
    assert {e["meta"]["check"] for e in rules} == {rule.name for rule in table.checks}
    source = context.data_sources.add_or_update_postgres("shop", connection_string=_alchemy(shop_dsn))
    batch = source.add_table_asset("spoiled", table_name="gx_spoiled").add_batch_definition_whole_table("w").get_batch()
    ours = published.our_results(table, [spoiled], tmp_path)
    for result in batch.validate(gx.ExpectationSuite(name="rules", expectations=rules)).results:
        check = result.expectation_config.meta["check"]
        assert result.success == ours[check].passed, check
        assert result.result["observed_value"] == ours[check].violations, check
    assert not ours["has a signal"].passed


def _alchemy(dsn: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return (
        f"postgresql+psycopg2://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    )


def test_the_command_fills_a_project_and_its_data_docs(settings: Settings, tmp_path: Path) -> None:
    published = Published("user_item_interactions", settings)
    project = tmp_path / "project"
    context = gx.get_context(mode="file", project_root_dir=str(project))
    folder = project / "gx" / "expectations"
    arguments = ["--store", settings.store, "export-gx", "user_item_interactions", "--output", str(folder)]
    arguments += ["--as-of", published.manifest.as_of]
    shown = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert "not exported log adds up: it reads other tables or inputs" in shown.stdout
    name = "user_item_interactions__interactions"
    summary = json.loads(CliRunner().invoke(cli.app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert summary["files"].keys() == {str(path) for path in folder.glob("*.json")}
    assert {"table": None, "check": "log adds up"} in [
        {key: one[key] for key in ("table", "check")} for one in summary["not_exported"]
    ]
    assert (
        json.loads((folder / f"{name}.json").read_text())["meta"]["shopmill"]["version"] == published.manifest.version
    )

    source = context.data_sources.add_pandas("frames")
    batches = source.add_dataframe_asset("interactions").add_batch_definition_whole_dataframe("whole")
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name="interactions", data=batches, suite=context.suites.get(name))
    )
    result = definition.run(batch_parameters={"dataframe": frame_of(published.files("interactions"))})
    assert result.success
    context.build_data_docs()
    pages = {page.name: page.read_text() for page in (project / "gx").rglob("*.html")}
    assert any("has a signal" in text or "interaction_count" in text for text in pages.values())
    assert f"{name}.html" in pages
