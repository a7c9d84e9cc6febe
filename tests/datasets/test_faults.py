"""What is wrong with a declaration is one sentence, before anything runs; the declarations that there are have no fault."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shopmill import datasets
from shopmill.datasets.dag_file import dags_folder, read_tasks
from shopmill.datasets.faults import faults, refuse_faults
from shopmill.declaration import REJECTS, Column, Dataset, Input, Join, Measure, Parameter, QueryCheck, RowCheck, Table
from shopmill.errors import InvalidInputError

NAME = "user_item_interactions"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """A copy of a dataset whose files a test may spoil."""
    given = datasets.load(NAME)
    shutil.copytree(given.folder, tmp_path / NAME)
    return replace(given, folder=tmp_path / NAME)


def changed(dataset: Dataset, table: str, **values: Any) -> Dataset:
    tables = tuple(replace(one, **values) if one.name == table else one for one in dataset.tables)
    return replace(dataset, tables=tables)


def added(dataset: Dataset, *values: Any, **more: Any) -> Dataset:
    return replace(dataset, parameters=(*dataset.parameters, Parameter(*values, **more)))


def with_column(dataset: Dataset, name: str, kind: str, **more: Any) -> Dataset:
    columns = dataset.table("interactions").columns
    return changed(dataset, "interactions", columns=(*columns, Column(name, kind, "a column", **more)))


def with_rule(dataset: Dataset, rule: str) -> Dataset:
    return changed(dataset, "interactions", checks=(RowCheck("rule", rule, "a rule"),))


@pytest.mark.parametrize("name", datasets.names())
def test_the_datasets_have_no_fault(name: str) -> None:
    assert faults(datasets.load(name)) == []


def test_a_copy_has_no_fault(dataset: Dataset) -> None:
    refuse_faults(dataset)


FILES = [
    ("tables/interactions.sql", None, "tables/interactions.sql is missing"),
    ("tables/more.sql", "select 1", "tables/more.sql is not declared"),
    ("views/unread.sql", "select 1", "views/unread.sql is read by no query"),
    ("checks/more.sql", "select 1", "checks/more.sql is not declared"),
    ("checks/numbers_kept.sql", None, "checks/numbers_kept.sql is missing"),
    ("announcements/more.sql", "select 1", "announcements/more.sql is not declared"),
    ("loose.sql", "select 1", "loose.sql is not read"),
    ("tables/customer_index.sql", "select * from interaction", "reads 'interaction'.* Did you mean 'interactions'"),
    ("tables/customer_index.sql", "select * from interactions where $veiw_weight > 1", r"\$veiw_weight.* Did you mean 'view_weight'"),
    ("tables/customer_index.sql", "select from from where", "tables/customer_index.sql is not SQL"),
    ("tables/customer_index.sql", "delete from interactions", "customer_index.sql is not one SELECT"),
    ("tables/customer_index.sql", "select 1; select 2", "customer_index.sql is not one SELECT"),
    ("tables/customer_index.sql", "copy interactions to 'x'", "customer_index.sql is not one SELECT"),
    ("tables/customer_index.sql", "select 1 as customer_id", "customer_index.sql selects no customer_index, which is a column"),
    ("checks/numbers_kept.sql", "select 1 as a, 2 as b", "'numbers kept' .* selects no violations.* may select detail"),
    ("views/interactions.sql", "select 1", "views/interactions.sql has the name of a table"),
    ("views/circle.sql", "select * from circle", "views/circle.sql reads itself"),
    (
        "tables/interactions.sql",
        "with orders_of_source_items as (select 1) select * from orders_of_source_items, signals",
        "2 common table expressions called orders_of_source_items",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "told"), FILES)
def test_a_fault_of_a_file(dataset: Dataset, file: str, text: str | None, told: str) -> None:
    path = dataset.folder / file
    path.parent.mkdir(exist_ok=True)
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InvalidInputError, match=told):
        refuse_faults(dataset)


DECLARATIONS: list[tuple[Callable[[Dataset], Dataset], str]] = [
    (lambda d: replace(d, name="other"), "calls itself 'other'"),
    (lambda d: replace(d, extracts={"extract": (Input("transaction"),)}), "Did you mean 'transactions'"),
    (lambda d: replace(d, tables=d.tables[:-1], tasks=(replace(d.tasks[0], tables=d.tasks[0].tables[:-1]),)),
     "rejects.sql is not used: add REJECTS"),
    (lambda d: replace(d, tasks=(replace(d.tasks[0], tables=d.tasks[0].tables[:-1]),)), "computes rejects in 0 tasks"),
    (lambda d: replace(d, tasks=(replace(d.tasks[0], tables=(*d.tasks[0].tables, "interacts")),)),
     "'interacts', which is not declared.* Did you mean 'interactions'"),
    (lambda d: replace(d, tables=(*d.tables, REJECTS)), "declares the table rejects 2 times"),
    (lambda d: changed(d, "interactions", columns=(Column("customer_id", "text", "x"),)), "of type 'text'"),
    (lambda d: changed(d, "interactions", key=("customer",)), "no column 'customer'"),
    (lambda d: changed(d, "interactions", split_by="customer"), "no column 'customer'"),
    (lambda d: changed(d, "interactions", split_by="purchase_count"), "cannot be split by purchase_count: .* a column of its key"),
    (lambda d: changed(d, "log", split_by="customer_id"), "cannot be split by customer_id: .* without partition_by"),
    (lambda d: replace(d, checks=(*d.checks, QueryCheck("all is well", "it is"))), "checks/all_is_well.sql is missing"),
    (lambda d: replace(d, measures=(Measure("signals", "how many"),)), "measures/signals.sql is missing"),
    (lambda d: replace(d, tables=(*d.tables, Table("more", "rows", ()))), "computes more in 0 tasks"),
    (lambda d: added(d, "most", "integer", 50, "m", 0, 10), r"parameter most .* default that it does not allow: .*\[0, 10\]"),
    (lambda d: added(d, "most", "integer", "5", "m"), "most .* default of another type: write 5, not '5'"),
    (lambda d: added(d, "most", "decimal", 0.1, "m"), r"most .* write Decimal\('0.1'\), not 0.1"),
    (lambda d: added(d, "mode", "text", "c", "m", choices=("a", "b")), "mode .* does not allow: .* one of a, b"),
    (lambda d: added(d, "most", "integer", 5, "m", 10, 0), "most .* allows nothing: its minimum 10 is above"),
    (lambda d: added(d, "most", "number", 5, "m"), "most .* default that it does not allow"),
    (lambda d: added(d, "as_of", "text", "x", "m"), "as_of .* means something else in every dataset"),
    (lambda d: added(d, "refresh", "boolean", False, "m"), "refresh .* means something else in every dataset"),
    (lambda d: added(d, "the most", "integer", 5, "m"), "cannot be called 'the most'"),
    (lambda d: replace(d, parameters=(*d.parameters, d.parameters[0])), "declares the parameter 'purchase_weight' 2 times"),
    (lambda d: replace(d, checks=(*d.checks, d.checks[0])), "declares the check 'log adds up' 2 times"),
    (lambda d: with_column(d, "customer_id", "varchar"), "declares the column customer_id 2 times"),
    (lambda d: with_column(d, "the total", "varchar"), "cannot be called 'the total'"),
    (lambda d: with_column(d, "total", "decimal(50,2)"), r"total is of type decimal\(50,2\): a decimal has 1 to 38 digits"),
    (lambda d: with_column(d, "total", "decimal(5,9)"), "no more places than digits"),
    (lambda d: with_column(d, "total", "bigint", minimum=5, maximum=1), "total allows nothing: its minimum 5 is above"),
    (lambda d: changed(d, "log", partition_by="customer_id"), "partition_by a date"),
    (lambda d: changed(d, "interactions", in_spans=True), "interactions cannot be computed in spans: a published one needs partition_by"),
    (lambda d: replace(d, held=("signal",)), "holds 'signal', which is no view of it. Did you mean 'signals'"),
    (lambda d: with_rule(d, "purchase_count >> > 0"), "'rule' of .*interactions is not SQL that can be read"),
    (lambda d: with_rule(d, "purchase_cuont > 0"), "names the column 'purchase_cuont'.* Did you mean 'purchase_count'"),
    (lambda d: replace(d, settings=("currrency",)), "names 'currrency' in settings.* Did you mean 'currency'"),
    (lambda d: replace(d, upstream=(Input("time_series"),)), "names 'time_series' in upstream.* Did you mean 'timeseries'"),
    (lambda d: replace(d, upstream=(Input(NAME),)), f"names '{NAME}' in upstream"),
    (lambda d: replace(d, joins=(Join("log", "article", "articles"),)), "names 'article' in joins.* Did you mean 'article_id'"),
    (lambda d: replace(d, joins=(Join("log", "article_id", "article"),)), "names 'article' in joins.* Did you mean 'articles'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), DECLARATIONS, ids=[told for _, told in DECLARATIONS])
def test_a_fault_of_a_declaration(dataset: Dataset, change: Callable[[Dataset], Dataset], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        refuse_faults(change(dataset))


DAGS = [
    ('transform("transform")', 'transform("transfrom")', "has the transform task 'transfrom', which .* Did you mean 'transform'"),
    ('transform("transform")', 'extract("transform")', "has the extract task 'transform', which .* does not declare"),
    ('        >> transform("transform")\n', "", "lacks the transform task 'transform', which .* declares"),
    ('extract("extract")', "extract(name='other')", "has the extract task 'other'"),
    ('dataset_dag("user_item', 'dataset_dag("user_itm', "makes the DAG of 'user_itm_interactions'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), DAGS)
def test_a_dag_that_is_not_the_declarations(dataset: Dataset, tmp_path: Path, old: str, new: str, told: str) -> None:
    text = (dags_folder() / f"{NAME}.py").read_text()
    assert old in text
    (tmp_path / "dag.py").write_text(text.replace(old, new))
    with pytest.raises(InvalidInputError, match=f"dags/dag.py {told}"):
        refuse_faults(dataset, read_tasks(tmp_path / "dag.py"))


def test_a_dag_that_computes_its_tasks_is_not_judged_from_its_text(tmp_path: Path) -> None:
    (tmp_path / "dag.py").write_text("[extract(name) for name in names]")
    assert read_tasks(tmp_path / "dag.py") is None
    assert read_tasks(tmp_path / "missing.py") is None


@pytest.mark.parametrize("name", datasets.names())
def test_the_text_of_every_dag_names_all_its_tasks(name: str) -> None:
    read, declared = read_tasks(dags_folder() / f"{name}.py"), datasets.load(name)
    assert read is not None
    assert (read.extracts, read.transforms) == (tuple(declared.extracts), tuple(task.name for task in declared.tasks))


def test_a_dag_file_that_is_no_python_is_named(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopmill.datasets.faults.dags_folder", lambda: tmp_path)
    (tmp_path / f"{NAME}.py").write_text("with dataset_dag(:")
    with pytest.raises(InvalidInputError, match=f"dags/{NAME}.py is not Python that can be read: "):
        refuse_faults(dataset)
