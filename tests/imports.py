"""What the modules of shopmill import of each other, read from their text: also inside functions and for types alone."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


@cache
def modules() -> dict[str, Path]:
    """Every module of shopmill by its dotted name; a package is named as its `__init__.py`."""
    found = {path.relative_to(SOURCE).with_suffix(""): path for path in sorted(SOURCE.glob("shopmill/**/*.py"))}
    return {".".join(part for part in name.parts if part != "__init__"): path for name, path in found.items()}


def imported(module: str) -> set[str]:
    """The modules of shopmill that a module names in an import."""
    tree = ast.parse(modules()[module].read_text())
    return {_module(name) for node in ast.walk(tree) for name in _names(node) if name.split(".")[0] == "shopmill"}


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module(name: str) -> str:
    """The module that a name is, or is in."""
    return name if name in modules() else _module(name.rpartition(".")[0])
