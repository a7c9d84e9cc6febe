"""Where an export is written: a folder of this machine, and what to say where it cannot be."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shopmill.errors import InvalidInputError, StoreError
from shopmill.versions.causes import ADDRESS, NO_SPACE, cause_of

ERRNO = re.compile(r'"errno":"(\d+)"')
"""How DuckDB says why the system did not write a file."""


def local_path(output: str | Path) -> Path:
    """The place as a path; InvalidInputError for an address, which would be a new folder of that name here."""
    if ADDRESS.match(str(output)):
        raise InvalidInputError(
            f"{output} is an address, and what is written here is for a folder of this machine: write it there, then copy it "
            "(aws s3 cp --recursive)."
        )
    try:
        path = Path(output).expanduser().resolve()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInputError(f"{str(output)[:80]!r} cannot be a path: {error.args[-1]}.") from None
    return path


@contextmanager
def explained(folder: Path, draft: Path) -> Iterator[None]:
    """Errors of writing a draft as ours: about the folder, and not about the files that are read for it."""
    try:
        yield
    except Exception as error:
        if cause := _cause(error, draft):
            raise StoreError(f"{folder} cannot be written: {cause}.") from None
        raise


def _cause(error: Exception, draft: Path) -> str:
    """Why the draft could not be written; nothing where the error is about something else."""
    if isinstance(error, OSError):
        named = [str(name) for name in (error.filename, error.filename2) if name is not None]
        is_ours = any(name.startswith(str(draft)) for name in named) or (not named and error.errno in NO_SPACE)
        return cause_of(OSError(error.errno, error.strerror)) if is_ours else ""
    said = ERRNO.search(str(error))
    if said and str(draft) in str(error):
        return cause_of(OSError(number := int(said[1]), os.strerror(number)))
    return ""
