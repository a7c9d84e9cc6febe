"""The documents that name the raw files of a table at an as_of: whole ones, and differences against a whole one.

A table of two years has 730 files, of which the next quarter of an hour changes three. So most documents hold only what
differs from an earlier, whole one; a difference is never against a difference.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shopmill.errors import DamagedError
from shopmill.versions.store import Store

WHOLE_AT = 0.2
"""A difference that names more than this share of the files is written as a whole document."""


def read_snapshot(store: Store, key: str, wholes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The document under a key with all its files; FileNotFoundError, or DamagedError where it or its base cannot be read.

    `wholes` keeps the whole documents that differences rest on, for who reads many.
    """
    document: dict[str, Any] = store.read_json(key)
    try:
        if not (base := document.pop("base", None)):
            return document
        wholes = {} if wholes is None else wholes
        whole = wholes[base] if base in wholes else wholes.setdefault(base, store.read_json(base))
        left_out, added = set(document.pop("without")), document["files"]
        kept = [file for file in whole["files"] if file["key"] not in left_out]
        files = sorted([*kept, *added], key=lambda file: (file["day"], file["key"]))
    except FileNotFoundError:
        raise DamagedError(f"{store.uri(key)} rests on {base}, which is missing.") from None
    except (AttributeError, KeyError, TypeError):
        raise DamagedError(f"{store.uri(key)} is not a snapshot: it is damaged.") from None
    return {**document, "files": files}


def named_by(store: Store, keys: Iterable[str]) -> tuple[set[str], set[str]]:
    """The raw files that the documents under some keys name, and the whole documents that they rest on.

    Each is read once, however many rest on it; errors as of `read_snapshot`.
    """
    files: set[str] = set()
    left_out_by_all: dict[str, set[str]] = {}
    for key in keys:
        document: dict[str, Any] = store.read_json(key)
        try:
            files.update(file["key"] for file in document["files"])
            if base := document.get("base"):
                left_out = set(document["without"])
                left_out_by_all[base] = left_out & left_out_by_all.get(base, left_out)
        except (AttributeError, KeyError, TypeError):
            raise DamagedError(f"{store.uri(key)} is not a snapshot: it is damaged.") from None
    for base, left_out in left_out_by_all.items():
        files |= {file["key"] for file in read_snapshot(store, base)["files"]} - left_out
    return files, set(left_out_by_all)


def base_of(store: Store, key: str) -> str | None:
    """The whole document that the one under a key is a difference against; None for a whole one."""
    base: str | None = store.read_json(key).get("base")
    return base


def difference(document: Mapping[str, Any], whole: Mapping[str, Any], base: str) -> dict[str, Any] | None:
    """A document as its difference against a whole one; None where that saves too little."""
    before, now = ({file["key"]: file for file in one["files"]} for one in (whole, document))
    without = [key for key in before if before[key] != now.get(key)]
    added = [file for key, file in now.items() if file != before.get(key)]
    if len(without) + len(added) > WHOLE_AT * len(now):
        return None
    return {**document, "files": added, "base": base, "without": without}
