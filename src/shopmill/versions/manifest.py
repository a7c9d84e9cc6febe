"""The manifest of a version: what it holds, what it was made of, and the hash of that, which is its id.

Only content is hashed. Where bytes lie, how the checks went against another version, and when or where it ran
are not part of what a version is.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shopmill.errors import no_table
from shopmill.versions.accounts import Account
from shopmill.versions.shapes import from_json
from shopmill.versions.store import to_json

VERSION_DIGITS = 12
ERASED_FROM = "erased_from"
CHECKED = {"name", "passed", "severity"}
"""What is said of each check."""
OWN = frozenset({"as_of", "dataset"})
"""What is hashed beside the content, among its names."""
NAME = re.compile(r'\n "([^"\\]+)": ')
"""A name of a document's first level, as `to_json` writes it."""


@dataclass(frozen=True)
class File:
    """A file of a version. `path` is relative to the version's folder."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Pin:
    """A version of a dataset that is known from elsewhere: its as_of and its id."""

    as_of: str
    version: str


@dataclass(frozen=True)
class Summary:
    """A version in figures. `rows` are those of its main table."""

    dataset: str
    as_of: str
    version: str
    rows: int
    bytes: int
    rejected: int


@dataclass(frozen=True)
class Manifest:
    """The content of a version (JSON-ready), and what stands beside it."""

    dataset: str
    as_of: str
    content: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def version(self) -> str:
        """The hash of dataset, as_of and content."""
        return id_of(to_json({"dataset": self.dataset, "as_of": self.as_of, **self.content}))

    def to_json(self) -> bytes:
        """The bytes of manifest.json."""
        return to_json(
            {
                "version": self.version,
                "dataset": self.dataset,
                "as_of": self.as_of,
                "content": self.content,
                **self.beside,
            }
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Manifest":
        """The manifest in a JSON document."""
        own = {"version", "dataset", "as_of", "content"}
        beside = {name: value for name, value in document.items() if name not in own}
        return cls(document["dataset"], document["as_of"], document["content"], beside)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """The manifest in the bytes of a manifest.json; ValueError and others where they are not of one.

        What is hashed stands in them already: not to write it again makes reading a manifest ten times as fast.
        """
        document = from_json(data)
        manifest = cls.from_document(document)
        if id_in(data.decode(), manifest.dataset, manifest.as_of) == document["version"]:
            vars(manifest)["version"] = document["version"]
        return manifest

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Where the rows of each source table went; none of a version that is older than its accounts."""
        return Account.from_documents(self.content.get("accounts", {}))

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return list(self.content["tables"])

    @property
    def artifacts(self) -> Mapping[str, Any]:
        """What is not a table, by name: its meaning and files."""
        found: Mapping[str, Any] = self.content.get("artifacts", {})
        return found

    def need(self, table: str) -> str:
        """The name of a table of the version; InvalidInputError when it has no such table."""
        if table not in self.tables:
            raise no_table(self.dataset, table, self.tables)
        return table

    def files(self, table: str) -> list[File]:
        """The files of one table or artifact, in order; those of an artifact have no rows."""
        return self._files[table]

    @cached_property
    def _files(self) -> Mapping[str, list[File]]:
        """The files of each table and artifact: thousands of manifests are asked for them more than once."""
        described = {**self.content["tables"], **self.artifacts}
        return {name: [File(**{"rows": 0, **file}) for file in one["files"]] for name, one in described.items()}

    @property
    def all_files(self) -> list[File]:
        """The files of all tables and artifacts."""
        return [file for name in (*self.tables, *self.artifacts) for file in self.files(name)]

    @property
    def stays_inside(self) -> bool:
        """Whether the paths of all files lie below the version's folder."""
        return not any(leads_out(file.path) for file in self.all_files)

    @property
    def is_well_formed(self) -> bool:
        """Whether what stands beside the content, and is in no hash, is what everybody takes it for."""
        previous, checks = self.beside.get("previous"), self.beside.get("checks", [])
        snapshots, making = self.beside.get("snapshots", {}), self.beside.get("making", "")
        return (
            (previous is None or (previous.keys() == {"as_of", "version"} and _are_texts(previous.values())))
            and all(check.keys() >= CHECKED for check in _list(checks))
            and _are_texts([*snapshots.keys(), *(noted["key"] for noted in snapshots.values())])
            and isinstance(making, str)
        )

    def rows(self, table: str) -> int:
        """Rows of one table."""
        return sum(file.rows for file in self.files(table))

    @property
    def pin(self) -> Pin:
        """What finds this version again."""
        return Pin(self.as_of, self.version)

    @property
    def previous(self) -> Pin | None:
        """The version that this one continued from, or was compared with; None for a first one."""
        document = self.beside.get("previous")
        return Pin(**document) if document else None

    @property
    def erased_from(self) -> tuple[str, ...]:
        """The ids that the version had before people were erased from it, the oldest first."""
        return tuple(self.content.get(ERASED_FROM, ()))

    @property
    def checks(self) -> list[dict[str, Any]]:
        """How the checks went, as JSON."""
        found: list[dict[str, Any]] = self.beside.get("checks", [])
        return found

    @property
    def summary(self) -> Summary:
        """The figures that registry, CLI and notifications report."""
        return Summary(
            self.dataset,
            self.as_of,
            self.version,
            self.rows(self.content["main_table"]),
            sum(file.bytes for file in self.all_files),
            sum(self.content["rejected"].values()),
        )


def leads_out(path: str) -> bool:
    """Whether a path within a version's folder could lead out of it, or names no file."""
    return "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/"))


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.40} is no list")
    return value


def id_of(hashed: bytes) -> str:
    """The id of what a version is, by the bytes that are hashed."""
    return hashlib.sha256(hashed).hexdigest()[:VERSION_DIGITS]


def id_in(text: str, dataset: str, as_of: str) -> str:
    """The id of a manifest by the text of its content, where it is written as `to_json` writes it: else that of no version."""
    return id_of(_hashed_text(text, {"dataset": dataset, "as_of": as_of}))


def _hashed_text(text: str, own: Mapping[str, str]) -> bytes:
    """What `to_json` would write of the content, with dataset and as_of, cut out of a manifest.json that it wrote."""
    _, _, rest = text.partition('\n "content": {')
    within = rest.partition("\n }")[0].replace("\n ", "\n")  # no line ends within a text: JSON writes it as \\n
    names = [(found[1], found.start()) for found in NAME.finditer(within)]
    for name in sorted(OWN, reverse=True):
        later = next((start for other, start in names if other > name), len(within))
        line = f'\n "{name}": {json.dumps(own[name], ensure_ascii=False)},'
        within = f"{within[:later]}{line}{within[later:]}"
    return f"{{{within}\n}}\n".encode()


def check_name(check: Mapping[str, Any]) -> str:
    """How a check is named beyond its table."""
    return f"{check['table']}: {check['name']}" if check.get("table") else str(check["name"])
