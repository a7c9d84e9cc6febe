"""A file of a mapping: one SELECT, and what its first line asks for: `-- with placed, sold`.

A part is a SELECT that several files of a mapping share, in the folder `parts` beside them. The file reads it by name, like
a table, and each part reads those before it. So what a line of an order cost is said once, for transactions and order_items.
"""

import re
from pathlib import Path

from shopmill.errors import InvalidInputError

ASKS = re.compile(r"-- with (\w+(?:, *\w+)*)\s*\n")


def read_select(path: Path) -> str:
    """The whole SELECT, with its parts before it and without a closing semicolon."""
    text = _read(path)
    asked = ASKS.match(text)
    if not asked:
        return text
    parts = ",\n".join(_part(path, name.strip()) for name in asked[1].split(","))
    return f"with {parts}\nselect * from (\n{text}\n) as mapped"


def _part(path: Path, name: str) -> str:
    part = path.parent / "parts" / f"{name}.sql"
    if not part.is_file():
        raise InvalidInputError(f"{path} asks for the part {name}, but there is no {part}: write it, or change line 1.")
    return f"{name} as (\n{_read(part)}\n)"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip().rstrip(";")
