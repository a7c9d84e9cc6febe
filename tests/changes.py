"""The changes that a store can be asked for, and a look at each before it is made."""

from collections.abc import Callable
from typing import Any

from shopmill.versions.store import Store

CHANGES = (
    "write",
    "write_all",
    "create",
    "adopt",
    "copy",
    "swap",
    "update",
    "flush",
    "flush_names",
    "delete",
    "delete_keys",
    "set_aside",
)
REMOVES = {"delete", "delete_keys", "set_aside"}
"""Those that a full disk lets happen."""
TARGET_LAST = {"adopt", "copy"}


def before_each(look: Callable[[str, str], None]) -> None:
    """In this process, from now on: `look` gets the name of each change, and what is changed."""
    for name in CHANGES:
        setattr(Store, name, _looked_at(name, look))


def _looked_at(name: str, look: Callable[[str, str], None]) -> Any:
    original = getattr(Store, name)

    def change(store: Store, *arguments: Any) -> Any:
        look(name, str(arguments[-1] if name in TARGET_LAST else arguments[0])[:150])
        return original(store, *arguments)

    return change
