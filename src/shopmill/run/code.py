"""The code that decides the bytes of a dataset: its folder, the shared SQL, the Python that computes, the SQL's wrapper.

What Python computes is found by following the imports of the functions that a declaration names, as their text says them,
so that nobody must keep a list. What only moves, finds or reports a version is not part of it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from shopmill.declaration import Dataset
from shopmill.engine.compose import sources

ROOT = Path(__file__).parents[1]
WRAPPERS = (
    "sql_files",
    "engine.compose",
    "engine.splitting",
    "run.compute",
    "run.continuation",
    "run.files",
    "run.functions",
    "run.shop_values",
    "run.spans",
    "run.workspace",
)
"""What makes statements and files out of a dataset's SQL, whatever the dataset."""
ENGINES = {
    "duckdb": ("engine.duckdb_engine", "engine.small_files"),
    "spark": ("engine.spark_engine", "engine.spark_store", "engine.spark_dialect"),
}
COMPUTING = ("datasets", "embeddings", "text")
"""The packages whose code computes values: imports are followed within them."""
OF_DECLARATIONS = {"vocabulary", "embeddings.table"}
"""Modules whose values a declaration writes into its SQL and its tables."""


def code_of(dataset: Dataset, engine: str) -> dict[str, Path]:
    """The files whose change may change a byte of the dataset, by a name that is the same on every machine."""
    named = {module for path in dataset.folder.glob("*.py") for module in _imports_of(path)}
    made = {*WRAPPERS, *ENGINES[engine], *_followed(_functions(dataset)), *(named & OF_DECLARATIONS)}
    return sources(dataset) | {f"shopmill/{_path(module)}": ROOT / _path(module) for module in sorted(made)}


def _functions(dataset: Dataset) -> Iterator[str]:
    """The modules of the functions that a declaration names."""
    named = [*(table.function for table in dataset.tables), *(artifact.function for artifact in dataset.artifacts)]
    yield from (name.partition(":")[0].removeprefix("shopmill.") for name in named if name)


def _followed(modules: Iterator[str]) -> set[str]:
    found: set[str] = set()
    due = list(modules)
    while due:
        module = due.pop()
        if module not in found and module.partition(".")[0] in COMPUTING:
            found.add(module)
            due += _imported(module)
    return found


def _imported(module: str) -> tuple[str, ...]:
    return _imports_of(ROOT / _path(module))


@cache
def _imports_of(path: Path) -> tuple[str, ...]:
    """The modules of shopmill that a file imports, also inside its functions."""
    named: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            named += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
    ours = {name.removeprefix("shopmill.") for name in named if name.startswith("shopmill.")}
    return tuple(sorted(name for name in ours if (ROOT / _path(name)).is_file()))


def _path(module: str) -> Path:
    path = Path(*module.split("."))
    return path.with_suffix(".py") if (ROOT / path.with_suffix(".py")).is_file() else path / "__init__.py"
