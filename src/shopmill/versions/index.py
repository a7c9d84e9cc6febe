"""What there is of a dataset, in a line per version, so that finding one among a year of them reads no manifests.

index/<dataset>/2020-09.json    the versions of the as_ofs of a month

A line is written before the first file of its version (not yet `whole`) and again after its pointers: so the lines say of
every folder of a version what it is, that of a killed run included. All of it can be made again from the manifests, and is
for an as_of that no line knows.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_args
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.versions import layout
from shopmill.versions.manifest import Manifest
from shopmill.versions.shapes import from_json, well_typed
from shopmill.versions.store import Store

log = logging.getLogger(__name__)
Name = tuple[str, str, str]
"""A version: dataset, as_of, id."""
PARTS = len(get_args(Name))


@dataclass(frozen=True)
class Line:
    """A version in short: its figures, and what it refers to."""

    as_of: str
    version: str
    rows: int
    rejected: int
    bytes: int
    files: int
    at: str
    """When it was published, or its publishing began."""
    whole: bool = True
    withdrawn: str = ""
    """Why it was withdrawn, if it was."""
    previous: tuple[str, str] | None = None
    inputs: tuple[Name, ...] = ()
    snapshots: tuple[str, ...] = field(default=(), repr=False)
    making: str = field(default="", repr=False)
    """What decides how it is computed, in a hash; empty where that is not known."""

    @classmethod
    def of(cls, manifest: Manifest, at: datetime, whole: bool = True) -> "Line":
        """The line of a manifest."""
        made_of = manifest.content.get("inputs", {}).items()
        before = manifest.beside.get("previous")
        return cls(
            manifest.as_of,
            manifest.version,
            manifest.summary.rows,
            manifest.summary.rejected,
            manifest.summary.bytes,
            len(manifest.all_files),
            at.astimezone(UTC).isoformat(timespec="microseconds"),
            whole,
            previous=(before["as_of"], before["version"]) if before else None,
            inputs=tuple((name, one["as_of"], one["version"]) for name, one in made_of if "version" in one),
            snapshots=tuple(one["key"] for one in manifest.beside.get("snapshots", {}).values()),
            making=manifest.beside.get("making", ""),
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Line":
        """The line in a JSON document; KeyError, TypeError or ValueError where it is none."""
        previous, inputs = document["previous"], document["inputs"]
        found = cls(
            **{
                **document,
                "previous": tuple(previous) if previous else None,
                "inputs": tuple(tuple(name) for name in inputs),
                "snapshots": tuple(document["snapshots"]),
            }
        )
        return well_typed(found)._with_its_parts()

    def _with_its_parts(self) -> "Line":
        """Itself; ValueError where a time is none, or a name has not all its parts."""
        names = [*self.inputs, *([(self.as_of, *self.previous)] if self.previous else [])]
        if self.published_at.tzinfo is None or any(len(name) != PARTS for name in names):
            raise ValueError(f"the line of version {self.version} is damaged")
        return self

    @property
    def published_at(self) -> datetime:
        """`at`, as a moment."""
        return datetime.fromisoformat(self.at)


Lines = dict[tuple[str, str], Line]
"""By as_of and id."""


@dataclass(frozen=True)
class VersionIndex:
    """The index of one dataset."""

    store: Store
    dataset: str
    zone: ZoneInfo

    def lines(self) -> Lines:
        """Every version that is whole, and every folder of one that is not."""
        return {name: line for month in self.months() for name, line in self._read(month).items()}

    def months(self) -> list[str]:
        """The months that lines are kept for, such as 2020-09."""
        keys = self.store.keys(layout.index_of(self.dataset))
        return [key.rsplit("/", 1)[-1].removesuffix(".json") for key in keys if key.endswith(".json")]

    def put(self, lines: Iterable[Line]) -> None:
        """Adds or replaces lines."""
        self._change(lines, lambda known, due: known | {(line.as_of, line.version): line for line in due})

    def remove(self, lines: Iterable[Line]) -> None:
        """Takes lines away."""

        def without(known: Lines, due: list[Line]) -> Lines:
            gone = {(line.as_of, line.version) for line in due}
            return {name: line for name, line in known.items() if name not in gone}

        self._change(lines, without)

    def replace_all(self, lines: Iterable[Line]) -> None:
        """Writes the index again."""
        self.store.delete(layout.index_of(self.dataset))
        self.put(lines)

    def _change(self, lines: Iterable[Line], change: Callable[[Lines, list[Line]], Lines]) -> None:
        by_month: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_month[self._month(line.as_of)].append(line)
        for month, due in by_month.items():
            self.store.update(self._key(month), partial(self._changed, change, due))

    def _changed(self, change: Callable[[Lines, list[Line]], Lines], due: list[Line], data: bytes | None) -> bytes:
        return _encoded(change(self._decoded(data), due))

    def _month(self, as_of: str) -> str:
        return AsOf.parse(as_of, self.zone).label[:7]

    def _key(self, month: str) -> str:
        return f"{layout.index_of(self.dataset)}/{month}.json"

    def _read(self, month: str) -> Lines:
        return self._decoded(self.store.read(self._key(month)))

    def _decoded(self, data: bytes | None) -> Lines:
        """The lines of a document; none where it is damaged: its versions are then found by their folders."""
        if data is None:
            return {}
        try:
            found = [Line.from_document(from_json(text)) for text in data.decode().splitlines()]
        except (KeyError, TypeError, ValueError):
            log.warning("The index of %s is damaged and is made again.", self.dataset)
            return {}
        return {(line.as_of, line.version): line for line in found}


def _encoded(lines: Lines) -> bytes:
    """A line of JSON each, in order."""
    texts = (json.dumps(vars(line), sort_keys=True, ensure_ascii=False) for _, line in sorted(lines.items()))
    return "".join(f"{text}\n" for text in texts).encode()
