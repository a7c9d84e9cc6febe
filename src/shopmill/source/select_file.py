"""A file of a mapping: one SELECT, and what its first line asks for: `-- with placed, sold`.

A part is a SELECT that several files of a mapping share, in the folder `parts` beside them. The file reads it by name, like
a table, and each part reads those before it. So what a line of an order cost is said once, for transactions and order_items.
"""

import re
from pathlib import Path

from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from shopmill.errors import InvalidInputError

ASKS = re.compile(r"-- with (\w+(?:, *\w+)*)\s*\n")


def read_select(path: Path) -> str:
    """The SELECT of a file with its parts before it, without what ends it; empty where the file has no statement."""
    text = statement(path)
    asked = ASKS.match(text)
    if not asked:
        return text
    parts = ",\n".join(_part(path, name.strip()) for name in asked[1].split(","))
    return f"with {parts}\nselect * from (\n{text}\n) as mapped"


def _part(path: Path, name: str) -> str:
    part = path.parent / "parts" / f"{name}.sql"
    if not part.is_file():
        raise InvalidInputError(
            f"{path} asks for the part {name}, and {part} does not exist: write it, or change line 1."
        )
    return f"{name} as (\n{statement(part)}\n)"


def statement(path: Path) -> str:
    """The one statement of a file, without what ends it; empty where the file has none."""
    try:
        text = path.read_text(encoding="utf-8-sig").replace("\x00", "")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from None
    tokens = _tokens(text)
    if tokens is None:
        return text.strip().rstrip(";")
    end = next((token for token in tokens if token.token_type == TokenType.SEMICOLON), None)
    if end is None:
        return text.strip() if tokens else ""
    if any(token.token_type != TokenType.SEMICOLON for token in tokens[tokens.index(end) :]):
        raise InvalidInputError(f"{path} has more than one statement: write one SELECT.")
    return text[: end.start].strip() if tokens[0] is not end else ""


def _tokens(text: str) -> list[Token] | None:
    """The words of a statement without its comments; None where they cannot be told apart: the database will say why."""
    try:
        return Postgres().tokenize(text)
    except SqlglotError:
        return None
