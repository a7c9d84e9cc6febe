"""Whether files are what was written: their size, which is cheap, and their hash, which reads them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shopmill.errors import DamagedError
from shopmill.versions.store import Bytes, Store


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


def faults(
    store: Store, files: Iterable[Sealed], folder: str, hashes: bool = False, known: dict[Bytes, str] | None = None
) -> dict[str, str]:
    """What is wrong with files that lie below `folder`, by key: nothing for whole ones.

    With `hashes` every byte is read, or was by who gives `known`; without, a file of the right size passes.
    """
    sealed = {file.key: file for file in files}
    sizes = store.sizes(list(sealed), folder)
    found = {key: _wrong_size(file, sizes.get(key)) for key, file in sealed.items()}
    due = [key for key, fault in found.items() if not fault] if hashes else []
    different = store.each(lambda key: store.sha256(key, known) != sealed[key].sha256, due)
    found |= {key: "has other bytes than were written" for key, is_so in zip(due, different, strict=True) if is_so}
    return {key: fault for key, fault in found.items() if fault}


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
