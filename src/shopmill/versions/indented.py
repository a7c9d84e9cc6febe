"""JSON with an indentation of one, as `json.dumps(..., indent=1)` writes it, in half the time.

The standard library encodes in C only what it writes in one line. What has no more than plain values within is one line
to it here: the separator between two values holds the line end and the indentation.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

PLAIN = frozenset({str, int, float, bool})


class Written(str):
    """A value that is JSON already, indented for its place."""

    __slots__ = ()


def indented(value: Any, line: str = "\n") -> str:
    """A value as JSON. `line` is a line end, with the indentation that the value has."""
    if isinstance(value, Written):
        return value
    if not value or not isinstance(value, dict | list | tuple):
        return _encoder(line).encode(value)
    inner = f"{line} "
    if _is_plain(value.values() if isinstance(value, dict) else value):
        text = _encoder(inner).encode(value)
        return f"{text[0]}{inner}{text[1:-1]}{line}{text[-1]}"
    if isinstance(value, dict):
        parts = [f"{_name(name)}: {indented(one, inner)}" for name, one in sorted(value.items())]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
    return f"[{inner}{f',{inner}'.join([indented(one, inner) for one in value])}{line}]"


def _name(name: Any) -> str:
    return _encoder("").encode(name if isinstance(name, str) else json.dumps(name))


def _is_plain(values: Iterable[Any]) -> bool:
    return all(not one or type(one) in PLAIN for one in values)


@cache
def _encoder(line: str) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(f",{line}", ": "))
