"""JSON that cannot be trusted: a disk, another program or a person may have changed it, and it is JSON all the same.

So it is looked at where it is read, and counts as damaged there: nothing further on has to expect it.
"""

import json
from collections.abc import Hashable, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_json(data: bytes | str) -> Any:
    """What a JSON document says; ValueError where it is none, or is nested too deep."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None


def well_typed(one: T) -> T:
    """A dataclass that was made of JSON; TypeError where a field has another type than it says."""
    values = vars(one)
    for name, kinds in _kinds(cast(Hashable, type(one))):
        if not isinstance(values[name], kinds):
            raise TypeError(f"{type(one).__name__}.{name} is {values[name]!r:.40}")
    return one


@cache
def _kinds(owner: Any) -> tuple[tuple[str, tuple[type, ...]], ...]:
    return tuple((name, tuple(_of(hint))) for name, hint in get_type_hints(owner).items())


def _of(hint: Any) -> list[type]:
    """The classes of a type, without what is in them."""
    if get_origin(hint) in {Union, UnionType}:
        return [kind for one in get_args(hint) for kind in _of(one)]
    found = get_origin(hint) or hint
    return [dict] if found is Mapping or found is dict else [found]
