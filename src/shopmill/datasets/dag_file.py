"""Which tasks the DAG of a dataset has, read from the text of its file: without Airflow, and without running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shopmill.declaration import Dataset
from shopmill.errors import did_you_mean

KINDS = {"extract": "extract", "transform": "transform", "embed": "transform"}
"""The functions of a DAG file that name a task of the declaration, and what kind of task each makes."""


@dataclass(frozen=True)
class DagTasks:
    """The tasks of a DAG that the declaration must have as well. `where` is what a person calls the DAG."""

    where: str
    dataset: str
    extracts: tuple[str, ...]
    transforms: tuple[str, ...]


def dags_folder() -> Path:
    """Where the DAG files are: in the installed package, or beside `src` in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "dags"
    return installed if installed.exists() else package.parents[1] / "dags"


def read_tasks(path: Path) -> DagTasks | None:
    """What a DAG file names; None where there is no such file, or where it computes a name. SyntaxError if it is no Python."""
    if not path.exists():
        return None
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    named = [(node.func.id, _first(node)) for node in calls if isinstance(node.func, ast.Name)]
    ours = [(function, name) for function, name in named if function in {*KINDS, "dataset_dag"}]
    if any(name is None for _, name in ours):
        return None
    by_kind = {kind: tuple(str(n) for f, n in ours if KINDS.get(f) == kind) for kind in set(KINDS.values())}
    made = next((str(name) for function, name in ours if function == "dataset_dag"), path.stem)
    return DagTasks(f"dags/{path.name}", made, by_kind["extract"], by_kind["transform"])


def _first(call: ast.Call) -> str | None:
    """The first argument of a call where it is a text, or else the default, which is the function's name."""
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "name")]
    if not given:
        return str(getattr(call.func, "id", ""))
    first = given[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def dag_faults(dataset: Dataset, dag: DagTasks) -> Iterator[str]:
    """Where a DAG and the declaration of its dataset disagree, one sentence each."""
    if dag.dataset != dataset.name:
        yield f"{dag.where} makes the DAG of {dag.dataset!r}: name the DAG file after its dataset."
    declared = {"extract": list(dataset.extracts), "transform": [task.name for task in dataset.tasks]}
    for kind, found in (("extract", dag.extracts), ("transform", dag.transforms)):
        yield from (
            f"{dag.where} has the {kind} task {name!r}, which {dataset.name} does not declare: declare it or delete it."
            f"{did_you_mean(name, declared[kind])}"
            for name in found
            if name not in declared[kind]
        )
        yield from (
            f"{dag.where} lacks the {kind} task {name!r}, which {dataset.name} declares: add it to the DAG."
            for name in declared[kind]
            if name not in found
        )
