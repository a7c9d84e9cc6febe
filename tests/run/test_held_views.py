"""What a view gives is computed once for all queries of a step, and again where it is made of other files."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopmill import datasets
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.engine.protocol import Bound
from shopmill.run.run import Run
from shopmill.run.spans import Span
from shopmill.run.staging import Extent
from shopmill.run.workspace import Workspace, open_workspace
from shopmill.settings import Settings
from shopmill.source.snapshot import RawFile, Snapshot
from shopmill.versions.store import sha256_of

NOON = datetime(2020, 9, 20, 12, tzinfo=UTC)
ORDERS, LINES = "select order_id from judged_orders", "select order_id from judged_order_items"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    settings = Settings(_env_file=None, store=str(tmp_path / "store"))
    found = Run.create(datasets.load("user_item_interactions"), "2020-09-23", settings)
    names = [needed.table for needed in found.dataset.inputs]
    found.staging.write_inputs("extract", {name: _snapshot(found, name, ["o1", "o1"]) for name in names})
    found.staging.pin_previous(None)
    found.staging.write_extent(Extent())
    return found


def _snapshot(run: Run, table: str, orders: list[str]) -> Snapshot:
    if table != "orders":
        return Snapshot(table, run.as_of.label, run.as_of.label, ())
    with run.store.scratch() as scratch:
        path = scratch / "day.parquet"
        times = pa.array([NOON] * len(orders), pa.timestamp("us", "UTC"))
        pq.write_table(pa.table({"order_id": orders, "order_datetime": times}), path)
        digest, size = sha256_of(path), path.stat().st_size
        key = f"raw/{table}/day=2020-09-20/{digest[:16]}.parquet"
        run.store.adopt(path, key)
    file = RawFile("2020-09-20", key, len(orders), size, digest)
    return Snapshot(table, run.as_of.label, run.as_of.label, (file,))


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    hold = DuckDBEngine.hold

    def noted(engine: DuckDBEngine, name: str, query: str, bound: Bound) -> bool:
        names.append(name)
        return hold(engine, name, query, bound)

    monkeypatch.setattr(DuckDBEngine, "hold", noted)
    return names


def _rows(workspace: Workspace, query: str) -> int:
    workspace.prepare([query])
    return len(workspace.engine.rows(workspace.compose(query), workspace.bound))


def test_orders_are_judged_once_for_all_queries_of_a_step(run: Run, held: list[str]) -> None:
    with open_workspace(run) as workspace:
        assert _rows(workspace, f"{ORDERS} where problem is null") == 1
        assert _rows(workspace, LINES) == 0
        workspace.begin(reads_all=True)
        assert _rows(workspace, f"{ORDERS} where source_row like '%o1%'") == 1  # the one that repeats
    assert held == ["judged_orders"]


def test_a_view_is_held_anew_where_it_is_made_of_other_files(run: Run, held: list[str]) -> None:
    with open_workspace(run) as workspace:
        assert _rows(workspace, ORDERS) == 2
        run.inputs["orders"] = _snapshot(run, "orders", ["o1", "o2", "o3"])
        workspace.begin(reads_all=True)
        assert _rows(workspace, ORDERS) == 3
    assert held == ["judged_orders", "judged_orders"]


def test_what_is_not_read_is_not_held(run: Run, held: list[str]) -> None:
    with open_workspace(run) as workspace:
        workspace.prepare(["select t_dat from judged_transactions"])
    assert held == []


def test_what_a_dataset_holds_is_computed_again_where_its_values_differ(run: Run, held: list[str]) -> None:
    dataset = replace(run.dataset, held=("lately",))
    lately = {"lately": "select source_day from judged_orders where source_day >= $since"}
    vars(dataset)["views"] = {**run.dataset.views, **lately}
    first, later = Span(date(2020, 9, 1), date(2020, 9, 21)), Span(date(2020, 9, 21), date.max)
    with open_workspace(replace(run, dataset=dataset)) as workspace:
        found = []
        for span in (first, replace(first, until=date(2020, 9, 22)), later):
            workspace.go_to(span)
            found.append(_rows(workspace, "select * from lately"))
    assert found == [2, 2, 0]
    assert held == ["judged_orders", "lately", "lately"]
