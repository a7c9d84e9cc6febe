"""Where an export is written before it takes its place, so that a folder has all of it or nothing.

A draft is beside the folder, or in it where it is there, for it may be a disk of its own. Whoever writes one holds it
locked: the kernel lets go when the process dies, and the next export into the folder removes what nobody holds.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4
from zlib import crc32

from shopmill.errors import InvalidInputError

LENGTH = 40
"""So many letters of a folder's name its drafts have at most: a name has 255 bytes."""


@contextmanager
def draft_of(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which `put` moves into its place; at the end of the block it is deleted."""
    _clear(folder)
    draft = (folder if folder.is_dir() else folder.parent) / f"{_prefix(folder)}{uuid4().hex}"
    try:
        draft.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        with _held(draft):
            yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put(draft: Path, folder: Path, last: str) -> None:
    """Moves a draft into its place, the entry named `last` after all others. What others have put there stays."""
    if not folder.exists():
        draft.replace(folder)
        return
    for entry in sorted(draft.iterdir(), key=lambda entry: entry.name == last):
        target = folder / entry.name
        if target.is_dir():
            shutil.rmtree(target)
        entry.replace(target)


def entries(folder: Path) -> list[Path]:
    """What is in a folder beside drafts of it."""
    return [entry for entry in folder.iterdir() if not _is_draft(entry, folder)]


def _prefix(folder: Path) -> str:
    return f".{folder.name[:LENGTH]}.{crc32(folder.name.encode()):08x}."


def _is_draft(entry: Path, folder: Path) -> bool:
    return bool(re.fullmatch(re.escape(_prefix(folder)) + "[0-9a-f]{32}", entry.name)) and entry.is_dir()


def _clear(folder: Path) -> None:
    """Removes drafts whose process has ended; InvalidInputError where one is being written."""
    for place in (place for place in (folder, folder.parent) if place.is_dir() and os.access(place, os.R_OK)):
        for draft in [entry for entry in place.iterdir() if _is_draft(entry, folder)]:
            with _held(draft) as is_ours:
                if not is_ours:
                    raise InvalidInputError(
                        f"Another export is writing into {folder}: wait for its end, or choose another folder."
                    )
                shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _held(draft: Path) -> Iterator[bool]:
    """Whether nobody else holds a draft; until the end of the block we do."""
    opened = os.open(draft, os.O_RDONLY)
    try:
        yield _is_locked(opened)
    finally:
        os.close(opened)


def _is_locked(opened: int) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that knows no locks
        return True
    return True
