"""Versions in the shape that another library loads: `shopmill export`, and `shopmill.export` in Python.

A consumer is a module in consumers/. None of them imports the library that it writes for, but for those whose own format
only it can write; these are named in the extra of that name.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from shopmill import datasets
from shopmill.declaration import Value
from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.exports.consumer import Consumer
from shopmill.exports.draft import draft_of, entries, put
from shopmill.exports.place import explained, local_path
from shopmill.exports.source import open_source
from shopmill.redaction import without_secrets
from shopmill.settings import Settings, load_settings
from shopmill.versions.load import Version
from shopmill.versions.store import to_json

NOTE = "shopmill-export.json"
"""The file in an export's folder that says what it is."""
SAME = ("consumer", "dataset", "as_of", "version", "options")
"""What two exports must have in common to be one."""


@dataclass(frozen=True)
class Exported:
    """What was written, for whom, and of which version."""

    consumer: str
    dataset: str
    as_of: str
    version: str
    options: Mapping[str, str]
    rows: Mapping[str, int]
    """Rows by file."""
    folder: str


@cache
def names() -> tuple[str, ...]:
    """The names of all consumers, sorted."""
    files = (Path(__file__).parent / "consumers").glob("[a-z]*.py")
    return tuple(sorted(path.stem.replace("_", "-") for path in files))


def consumer(name: str) -> Consumer:
    """The consumer of that name; InvalidInputError where there is none."""
    if name not in names():
        meant = did_you_mean(name.lower().replace("_", "-"), names())
        raise InvalidInputError(f"There is no consumer {name!r}. There are: {', '.join(names())}.{meant}")
    found: Consumer = import_module(f"shopmill.exports.consumers.{name.replace('-', '_')}").CONSUMER
    return found


def export(
    dataset: str,
    to: str,
    output: str | Path,
    as_of: str | date | None = None,
    options: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
) -> Exported:
    """Writes a version for a consumer into the folder `output`: all of it, or nothing.

    The same export may be repeated. InvalidInputError where the consumer does not take the dataset, or the folder holds
    anything else.
    """
    chosen, settings = consumer(to), settings or load_settings()
    chosen.writer(datasets.load(dataset).name)
    parsed = chosen.parse_options(options or {})
    folder = local_path(output)
    version = Version(dataset, as_of, settings)
    done = Exported(
        to,
        dataset,
        version.as_of,
        version.version,
        {k: without_secrets(str(v)) for k, v in parsed.items()},
        {},
        str(output),
    )
    _refuse_another(folder, done, chosen.accumulates)
    place = _kept_in_place if chosen.accumulates else draft_of
    with place(folder) as writing, explained(folder, writing):
        done = _written(writing, done, chosen, version, settings, parsed)
        if writing != folder:
            put(writing, folder, NOTE)
    return done


@contextmanager
def _kept_in_place(folder: Path) -> Iterator[Path]:
    """The folder itself, where one takes many versions; a folder that is new, and in which nothing was written, is removed."""
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        yield folder
    finally:
        if [entry.name for entry in folder.iterdir()] == [NOTE]:
            (folder / NOTE).unlink()
        with suppress(OSError):  # what has anything in it stays
            if is_new:
                folder.rmdir()


def _written(
    folder: Path, done: Exported, chosen: Consumer, version: Version, settings: Settings, options: Mapping[str, Value]
) -> Exported:
    if chosen.accumulates and not (folder / NOTE).exists():
        _note_down(folder, done)  # an export that is killed can be repeated
    with open_source(version, settings, options) as source:
        rows = chosen.writer(done.dataset)(source, folder)
    done = replace(done, rows=dict(rows))
    _note_down(folder, done)
    return done


def _note_down(folder: Path, done: Exported) -> None:
    note = {name: value for name, value in asdict(done).items() if name != "folder"}
    (folder / NOTE).write_bytes(to_json(note))


def _refuse_another(folder: Path, done: Exported, accumulates: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file: give a folder to export into.")
    if not folder.exists() or not entries(folder):
        return
    held, wanted = _note(folder), asdict(done)
    if any(held[name] != wanted[name] for name in (SAME[:1] if accumulates else SAME)):
        options = ", ".join(f"{name}={value}" for name, value in held["options"].items() if value)
        raise InvalidInputError(
            f"{folder} holds the export of {held['dataset']} as of {held['as_of']}, version {held['version']}, to "
            f"{held['consumer']}{f' with {options}' if options else ''}: choose another folder."
        )


def _note(folder: Path) -> Mapping[str, Any]:
    """What a folder's note says; InvalidInputError where it has none, or not ours."""
    try:
        held = json.loads((folder / NOTE).read_bytes())
        return {name: held[name] for name in SAME} | {"options": dict(held["options"])}
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInputError(f"{folder} holds other files: choose an empty folder, or a new one.") from None
