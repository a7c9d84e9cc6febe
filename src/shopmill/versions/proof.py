"""Whether files are what was written: their size, which is cheap, and their hash, which reads them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shopmill.errors import DamagedError
from shopmill.versions.store import Entry, Store

Entries = dict[str, Entry]
"""What lies in a folder, by key."""
Hashes = dict[str, str]
"""The hashes of local files that were read, by tag."""


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
    different = store.each(lambda key: store.sha256(key) != sealed[key].sha256, due)
    return _with_other_bytes(found, due, different)


def faults_among(store: Store, files: Iterable[Sealed], entries: Entries, known: Hashes) -> dict[str, str]:
    """The same of files that were listed a moment ago, by every byte: who looks at thousands of folders asks for none twice."""
    sealed = {file.key: file for file in files}
    found = _wrong_sizes(sealed, {key: entry.bytes for key, entry in entries.items()})
    due = [key for key, fault in found.items() if not fault]
    different = store.each(lambda key: _read_once(store, entries[key], known) != sealed[key].sha256, due)
    return _with_other_bytes(found, due, different)


def _read_once(store: Store, entry: Entry, known: Hashes) -> str:
    if store.root is None:  # the tags of objects are those of their bytes, which is what is to be found out
        return store.sha256(entry.key)
    if entry.tag not in known:
        known[entry.tag] = store.sha256(entry.key)
    return known[entry.tag]


def _with_other_bytes(found: dict[str, str], due: list[str], different: list[bool]) -> dict[str, str]:
    found |= {key: "has other bytes than were written" for key, is_so in zip(due, different, strict=True) if is_so}
    return {key: fault for key, fault in found.items() if fault}


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
