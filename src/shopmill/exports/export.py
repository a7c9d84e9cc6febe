"""Versions in the shape that another library loads: `shopmill export`, and `shopmill.export` in Python.

A consumer is a module in consumers/. None of them imports the library that it writes for, but for those whose own format
only it can write; these are named in the extra of that name.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

from shopmill import datasets
from shopmill.declaration import Value
from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.exports.consumer import Consumer
from shopmill.exports.source import open_source
from shopmill.settings import Settings, load_settings
from shopmill.versions.load import Version
from shopmill.versions.store import to_json

NOTE = "shopmill-export.json"
"""The file in an export's folder that says what it is."""


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
    as_of: str | None = None,
    options: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
) -> Exported:
    """Writes a version for a consumer into the folder `output`, which is there whole or not at all.

    InvalidInputError where the consumer does not take the dataset, or the folder holds anything else.
    """
    chosen, settings = consumer(to), settings or load_settings()
    chosen.writer(datasets.load(dataset).name)
    parsed = chosen.parse_options(options or {})
    version = Version(dataset, as_of, settings)
    folder = Path(output)
    done = Exported(
        to, dataset, version.as_of, version.version, {k: str(v) for k, v in parsed.items()}, {}, str(folder)
    )
    _refuse_another(folder, done, chosen.accumulates)
    if chosen.accumulates:
        return _written(folder, done, chosen, version, settings, parsed)
    writing = folder.with_name(f".{folder.name}.{uuid4().hex}")
    try:
        done = _written(writing, done, chosen, version, settings, parsed)
        if folder.exists():
            shutil.rmtree(folder)
        writing.replace(folder)
    finally:
        shutil.rmtree(writing, ignore_errors=True)
    return done


def _written(
    folder: Path, done: Exported, chosen: Consumer, version: Version, settings: Settings, options: Mapping[str, Value]
) -> Exported:
    folder.mkdir(parents=True, exist_ok=True)
    with open_source(version, settings, options) as source:
        rows = chosen.writer(done.dataset)(source, folder)
    done = replace(done, rows=dict(rows))
    note = {name: value for name, value in asdict(done).items() if name != "folder"}
    (folder / NOTE).write_bytes(to_json(note))
    return done


def _refuse_another(folder: Path, done: Exported, accumulates: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file: give a folder to export into.")
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        held = json.loads((folder / NOTE).read_bytes())
    except (OSError, ValueError):
        raise InvalidInputError(f"{folder} holds other files: choose an empty folder, or a new one.") from None
    same = held["consumer"] == done.consumer and (accumulates or _content(held) == _content(asdict(done)))
    if not same:
        raise InvalidInputError(
            f"{folder} holds the export of {held['dataset']} as of {held['as_of']}, version {held['version']}, to "
            f"{held['consumer']}: choose another folder."
        )


def _content(note: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(note[name] for name in ("dataset", "as_of", "version"))
