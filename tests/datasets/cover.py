"""Which golden cases Spark computes in the gate: a case takes DuckDB a second and Spark twenty.

Both engines run the same SQL, so what has to differ from case to case is what the SQL meets: a column that is filled, a
reason to reject, a parameter. Cases are chosen, the one that shows most first, until none adds much.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from golden import load_case

FEW = 5
"""A dataset of so few cases has them all; a case that adds fewer things than this, and no table, is left to DuckDB."""


def chosen(paths: Sequence[Path]) -> list[Path]:
    """The cases that show every dataset's columns, tables and reasons, in the order of `paths`."""
    folders = sorted({path.parent for path in paths})
    kept = {path for folder in folders for path in _chosen_of([path for path in paths if path.parent == folder])}
    return [path for path in paths if path in kept]


def _chosen_of(paths: Sequence[Path]) -> list[Path]:
    if len(paths) <= FEW:
        return list(paths)
    shown = {path: set(_shown(path)) for path in paths}
    seen: set[tuple[str, ...]] = set()
    kept = []
    while adding := [path for path in paths if _adds(shown[path] - seen)]:
        best = max(adding, key=lambda path: len(shown[path] - seen))
        kept.append(best)
        seen |= shown[best]
    return kept


def _adds(new: set[tuple[str, ...]]) -> bool:
    return len(new) >= FEW or any(kind == "expect" and not column for kind, _, *column in new)


def _shown(path: Path) -> Iterator[tuple[str, ...]]:
    for case in load_case(path):
        for kind in ("given", "expect"):
            for table, rows in case.get(kind, {}).items():
                yield (kind, table)
                for row in rows:
                    yield from _filled(kind, table, row)
        for kind in ("parameters", "settings"):
            yield from ((kind, name) for name in case.get(kind, {}))


def _filled(kind: str, table: str, row: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from ((kind, table, column) for column, value in row.items() if value is not None)
    if "reason" in row:
        yield (kind, table, "reason", re.sub(r"[^a-z ]", "", str(row["reason"])))
