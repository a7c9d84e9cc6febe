"""Which versions were whole at the last look, by what their folders looked like then: names, sizes and times of all files.

index/<dataset>/looked    a line for each: the folder, and a hash of what it looked like

A repair does not read the bytes again of what looks the same. `shopmill verify` always does, and what it finds damaged has
no line any more. All of it can be lost: then every byte is read again.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from inspect import getsource

from shopmill import personal
from shopmill.errors import StoreError
from shopmill.versions import layout
from shopmill.versions.proof import Entries
from shopmill.versions.store import Store

log = logging.getLogger(__name__)
MARK_DIGITS = 16


def listed(store: Store, dataset: str) -> dict[str, Entries]:
    """What lies in the folder of each version."""
    found: dict[str, Entries] = defaultdict(dict)
    for entry in store.entries(dataset):
        if folder := layout.folder_of_version(entry.key):
            found[folder][entry.key] = entry
    return dict(found)


def mark(entries: Entries) -> str:
    """What the folder of a version looks like to this code, in a hash: other code may know more columns of people."""
    lines = (f"{entry.key} {entry.bytes} {entry.tag}" for entry in entries.values())
    text = "\n".join((_rules(), *lines))
    return hashlib.sha256(text.encode()).hexdigest()[:MARK_DIGITS]


@cache
def _rules() -> str:
    """What decides which columns have values of people, as a hash."""
    return hashlib.sha256(getsource(personal).encode()).hexdigest()


@dataclass(frozen=True)
class Looked:
    """What was found whole of one dataset."""

    store: Store
    dataset: str

    @property
    def _key(self) -> str:
        return f"{layout.index_of(self.dataset)}/looked"

    def read(self) -> dict[str, str]:
        """The marks by folder; nothing where they are lost or damaged."""
        try:
            lines = self.store.read(self._key).decode().splitlines()
            return dict(line.rsplit(" ", 1) for line in lines)
        except (FileNotFoundError, UnicodeDecodeError, ValueError):
            return {}

    def keep(self, whole: Mapping[str, str]) -> None:
        """Notes what is whole, and nothing else; who may only read notes nothing."""
        if whole != self.read():
            try:
                self.store.write(
                    self._key, "".join(f"{name} {mark}\n" for name, mark in sorted(whole.items())).encode()
                )
            except StoreError as error:
                log.info("What was found whole is not noted: %s", error)

    def forget(self, folder: str) -> None:
        """Takes away what is damaged."""
        self.keep({name: mark for name, mark in self.read().items() if name != folder})
