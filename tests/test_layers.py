"""Dependencies point downwards only, and in no circle: read from the text of every module."""

from graphlib import CycleError, TopologicalSorter

import pytest

from imports import imported, modules

LAYERS = (
    ("shopmill", "cli"),
    ("demo",),
    ("airflow",),
    ("catalogue",),
    ("exports", "lineage", "reading", "training", "trust"),
    ("datasets",),
    ("embeddings",),
    ("run",),
    ("source", "registry", "text", "shops"),
    ("versions",),
    ("engine",),
    ("declaration", "settings", "asof", "connection_string"),
    ("sql_files", "vocabulary", "zones"),
    ("errors",),
    ("personal", "redaction"),
)
"""From the top down. Neighbours in a layer know nothing of each other."""
RANKS = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def layer_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_every_module_has_its_layer() -> None:
    assert {layer_of(module) for module in modules()} == set(RANKS)


@pytest.mark.parametrize("package", sorted(RANKS))
def test_a_package_imports_lower_layers_only(package: str) -> None:
    edges = {(m, other) for m in modules() if layer_of(m) == package for other in imported(m)}
    foreign = {(m, other) for m, other in edges if layer_of(other) != package}
    assert {(m, other) for m, other in foreign if RANKS[layer_of(other)] <= RANKS[package]} == set()


def test_no_module_imports_itself_through_others() -> None:
    graph = {module: imported(module) - {module} for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_airflow_is_imported_by_its_package_alone() -> None:
    users = {module for module in modules() if "airflow." in modules()[module].read_text()}
    foreign = {m for m in users if layer_of(m) != "airflow" and _imports_airflow(m)}
    assert foreign == set()


def _imports_airflow(module: str) -> bool:
    lines = (line.strip() for line in modules()[module].read_text().splitlines())
    return any(line.startswith(("from airflow", "import airflow")) for line in lines)
