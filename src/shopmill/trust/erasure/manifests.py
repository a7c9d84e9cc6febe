"""What a manifest will say without a person: other files, other rows that it was made of, masked messages, and which id it had.

Texts that manifests have in common are looked at once: of a year of them most are the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shopmill.trust.erasure.person import Person
from shopmill.versions.index import Name
from shopmill.versions.manifest import ERASED_FROM
from shopmill.versions.manifest_text import (
    CONTENT,
    KEPT,
    TABLE,
    TABLES,
    ManifestText,
    Members,
    members,
    text_of,
    value_of,
    written,
)

MESSAGES = ("detail", "examples")


@dataclass(frozen=True)
class Becomes:
    """What others say of a version that they were made of: its id, and the rows of its main table."""

    version: str
    rows: int


class Rewriting:
    """Of all versions that an erasure changes. `file` gives what takes the place of a file, and `becomes` of a version."""

    def __init__(
        self,
        person: Person,
        file: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        read: Callable[[str], Mapping[str, Any] | None],
        becomes: Callable[[Name], Becomes | None],
    ):
        self._person, self._file, self._read, self._becomes = person, file, read, becomes
        self._tables, self._table = lru_cache(KEPT)(self._tables_anew), lru_cache(KEPT)(self._table_anew)
        self._checks = lru_cache(KEPT)(self._checks_anew)

    def of(self, before: ManifestText) -> ManifestText:
        """A manifest as it will be; an equal one where nothing of it changes."""
        content: dict[str, str] = {"tables": self._tables(before.content["tables"])}
        content["inputs"] = text_of(self._inputs(before), CONTENT)
        after = before.with_content(content)
        if after.content != before.content:
            erased_from = [*value_of(before.content.get(ERASED_FROM, "[]")), before.version]
            after = after.with_content({ERASED_FROM: text_of(erased_from, CONTENT)})
        return after.with_beside(self._beside(before))

    def _tables_anew(self, text: str) -> str:
        tables = {name: self._table(table) for name, table in members(text, TABLES).items()}
        return written(tables, TABLES)

    def _table_anew(self, text: str) -> str:
        found = members(text, TABLE)
        files = [dict(self._file(file)) for file in value_of(found["files"])]
        return written({**found, "files": text_of(files, TABLE)}, TABLE)

    def _inputs(self, before: ManifestText) -> dict[str, Mapping[str, Any]]:
        snapshots = value_of(before.beside.get("snapshots", "{}"))
        made_of: dict[str, dict[str, Any]] = value_of(before.content["inputs"])
        return {name: self._input(name, made, snapshots.get(name)) for name, made in made_of.items()}

    def _input(self, name: str, made: dict[str, Any], noted: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if "version" in made:
            after = self._becomes((name, made["as_of"], made["version"]))
            return {**made, "rows": after.rows, "version": after.version} if after else made
        read = self._read(noted["key"]) if noted else None
        return {**made, **read} if read else made

    def _beside(self, before: ManifestText) -> Members:
        changed: dict[str, str] = {}
        if "checks" in before.beside:
            changed["checks"] = self._checks(before.beside["checks"])
        if previous := value_of(before.beside.get("previous", "null")):
            name = (value_of(before.beside["dataset"]), previous["as_of"], previous["version"])
            if after := self._becomes(name):
                changed["previous"] = text_of({**previous, "version": after.version}, " ")
        return changed

    def _checks_anew(self, text: str) -> str:
        return text_of([self._check(check) for check in value_of(text)], " ")

    def _check(self, check: Mapping[str, Any]) -> dict[str, Any]:
        said = {name: self._person.masked_document(check[name]) for name in MESSAGES if name in check}
        return {**check, **said}
