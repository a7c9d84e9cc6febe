"""Whether files are what was written: their size, which is cheap, and their hash, which reads them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from shopmill.errors import DamagedError
from shopmill.versions.store import Entry, Store

Entries = dict[str, Entry]
"""What lies in a folder, by key."""


Report = Callable[[int, int], None]
"""Called with the bytes that are read so far, and those that are known to be read in all."""


def unreported(_done: int, _total: int) -> None:
    """Nobody waits."""


@dataclass
class Hashing:
    """Reads files for their hashes, those that versions share once, and reports how many bytes of how many are read."""

    report: Report = unreported
    done: int = 0
    total: int = 0
    """The bytes that are known to be read so far: more may come."""
    _known: dict[str, str] = field(default_factory=dict)
    """Hashes by tag. The tags of objects are those of their bytes, which is what is to be found out: local files only."""
    _counting: Lock = field(default_factory=Lock)

    def expect(self, store: Store, entries: Iterable[Entry]) -> None:
        """These are about to be read."""
        sizes = {entry.tag if store.root else entry.key: entry.bytes for entry in entries}
        self.total += sum(size for tag, size in sizes.items() if tag not in self._known)

    def of(self, store: Store, entry: Entry) -> str:
        """The hash of a file that was listed a moment ago."""
        if store.root and entry.tag in self._known:
            return self._known[entry.tag]
        found = store.sha256(entry.key)
        if store.root:
            self._known[entry.tag] = found
        self._count(entry.bytes)
        return found

    def _count(self, more: int) -> None:
        with self._counting:
            self.done += more
            self.report(self.done, max(self.done, self.total))


class Sealed(Protocol):
    """A file of the store as a document recorded it when it was written."""

    @property
    def key(self) -> str:
        """Where it is."""

    @property
    def bytes(self) -> int:
        """Its size."""

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""


def faults(store: Store, files: Iterable[Sealed], folder: str, hashes: bool = False) -> dict[str, str]:
    """What is wrong with files that lie below `folder`, by key: nothing for whole ones.

    With `hashes` every byte is read; without, a file of the right size passes.
    """
    sealed = {file.key: file for file in files}
    found = _wrong_sizes(sealed, store.sizes(list(sealed), folder))
    due = [key for key, fault in found.items() if not fault] if hashes else []
    return _with_bytes(store, sealed, found, due, store.sha256)


def faults_among(store: Store, files: Iterable[Sealed], entries: Entries, hashing: Hashing) -> dict[str, str]:
    """The same of files that were listed a moment ago, by every byte: who looks at thousands of folders asks for none twice."""
    sealed = {file.key: file for file in files}
    found = _wrong_sizes(sealed, {key: entries[key].bytes for key in sealed if key in entries})  # of few among many
    due = [key for key, fault in found.items() if not fault]
    return _with_bytes(store, sealed, found, due, lambda key: hashing.of(store, entries[key]))


def _with_bytes(
    store: Store, sealed: Mapping[str, Sealed], found: dict[str, str], due: list[str], sha256: Callable[[str], str]
) -> dict[str, str]:
    """What was found, with what reading those of the right size finds; nothing of whole files."""
    read = store.each(lambda key: _wrong_bytes(sealed[key], sha256), due)
    return {key: fault for key, fault in {**found, **dict(zip(due, read, strict=True))}.items() if fault}


def _wrong_bytes(file: Sealed, sha256: Callable[[str], str]) -> str:
    try:
        return "" if sha256(file.key) == file.sha256 else "has other bytes than were written"
    except FileNotFoundError:  # it was there a moment ago
        return "is missing"


def _wrong_sizes(sealed: Mapping[str, Sealed], sizes: Mapping[str, int]) -> dict[str, str]:
    return {key: _wrong_size(file, sizes.get(key)) for key, file in sealed.items()}


def _wrong_size(file: Sealed, size: int | None) -> str:
    if size is None:
        return "is missing"
    return "" if size == file.bytes else f"has {size:,} bytes instead of {file.bytes:,}"


def refuse(store: Store, found: Mapping[str, str], way_out: str) -> None:
    """DamagedError that names the first damaged file, unless there is none."""
    if found:
        key, fault = next(iter(found.items()))
        more = f", and {len(found) - 1} more files are damaged" if len(found) > 1 else ""
        raise DamagedError(f"{store.uri(key)} {fault}{more}. {way_out}")
