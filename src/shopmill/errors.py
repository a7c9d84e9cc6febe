"""The errors a person meets: one sentence each, naming the thing and the way out."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from shopmill.personal import masked, shape_of

log = logging.getLogger(__name__)
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""
CONVERTED = re.compile(r"(?i)(could not (?:convert|cast|parse)[^'\"]*|invalid input[^'\"]*)(['\"].*['\"])")
"""A value that an engine could not read as what it should be: whatever column it is of, its shape says enough."""


class ShopmillError(Exception):
    """Something a person can fix. The message is complete: what is wrong, where, what to do."""


class PermanentError(ShopmillError):
    """Trying again cannot help: the source, the settings or the data must change first."""


class SchemaDriftError(PermanentError):
    """A source table is not what the contract says: a column is missing or has another type."""


class MissingTableError(SchemaDriftError):
    """A source table is not there."""


class CheckFailedError(PermanentError):
    """Checks of severity error failed, so nothing was published. `failures` are the results that failed."""

    def __init__(self, message: str, failures: Sequence[Any] = ()):
        super().__init__(message)
        self.failures = tuple(failures)


class InvalidInputError(PermanentError):
    """A setting, parameter or argument cannot be used."""


class SourceUnavailableError(ShopmillError):
    """The shop's database does not answer."""


class StoreError(ShopmillError):
    """The store cannot be read or written."""


class DamagedError(StoreError):
    """What is in the store is not what was written there."""


class RegistryError(ShopmillError):
    """The registry does not answer, refuses or fails."""


class ConflictError(ShopmillError):
    """Another run works on the same thing, or has published in between."""


class PodError(ShopmillError):
    """A pod ended without having done its work."""


class EngineUnavailableError(ShopmillError):
    """The cluster that runs the SQL does not answer."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that does not exist; nothing where no known name is like it."""
    found = get_close_matches(given, list(known), n=1)
    return f" Did you mean {found[0]!r}?" if found else ""


def no_table(owner: str, name: str, known: Iterable[str]) -> InvalidInputError:
    """The error for a table that a dataset does not have."""
    tables = list(known)
    return InvalidInputError(f"{owner} has no table {name!r}; it has {', '.join(tables)}.{did_you_mean(name, tables)}")


class UnexpectedError(ShopmillError):
    """Something that nobody has foreseen, in a sentence: where it happened, and its cause."""


@contextmanager
def said_in_a_sentence(where: str, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Makes an error that is not ours one that names where it happened, except those of `but`; its traceback goes to the log."""
    try:
        yield
    except Exception as error:
        if isinstance(error, (ShopmillError, *but)):
            raise
        log.info("%s failed", where, exc_info=error)
        raise UnexpectedError(
            f"{where} failed: {cause_in_a_line(error)}. The log of the step has the traceback."
        ) from error


def cause_in_a_line(error: BaseException) -> str:
    """The kind of an error and the first line of what it says, without e-mail addresses and values: engines quote them."""
    line = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    said = CONVERTED.sub(lambda found: f"{found[1]}like {shape_of(found[2])}", str(masked("", line)))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
