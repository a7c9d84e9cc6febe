"""Why a step failed in a way that nobody has foreseen: where one of its inputs is damaged, that is named, and the way out."""

from collections.abc import Iterator
from contextlib import contextmanager

from shopmill.errors import StoreError, UnexpectedError
from shopmill.run.run import Run
from shopmill.versions.layout import raw_of
from shopmill.versions.proof import faults, refuse


@contextmanager
def damaged_inputs_named(run: Run) -> Iterator[None]:
    """DamagedError instead of an unexpected one, where a raw file has other bytes than were written: a run compares sizes only."""
    try:
        yield
    except UnexpectedError:
        way_out = f"Run `shopmill run {run.dataset.name} --as-of {run.as_of.label} --refresh`."
        refuse(run.store, _damaged(run), way_out)
        raise


def _damaged(run: Run) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        for snapshot in run.inputs.values():
            found |= faults(run.store, snapshot.files, raw_of(snapshot.table), hashes=True)
    except (FileNotFoundError, StoreError):  # not extracted yet, or the store is what failed
        return {}
    return found
