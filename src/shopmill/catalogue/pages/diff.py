"""Two versions beside each other: what changed in rows, columns, checks, inputs and in how they were made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopmill.catalogue.pages import Page, dataset_path, diff_path, version_path
from shopmill.catalogue.pages.version import find
from shopmill.catalogue.reader import Reader
from shopmill.catalogue.summaries import VersionSummary, check_name
from shopmill.versions.manifest import Manifest


@dataclass(frozen=True)
class Change:
    """A thing that differs, before and after; empty where it was not there."""

    name: str
    before: str
    after: str
    by: str = ""


@dataclass(frozen=True)
class DiffPage:
    """The page's content: groups of changes, each with its heading. Groups without a change are left out."""

    old: VersionSummary
    new: VersionSummary
    old_href: str
    new_href: str
    groups: list[tuple[str, list[Change]]]
    same_files: int
    files: int


def build(reader: Reader, name: str, old_key: str, new_key: str) -> Page:
    """The page that compares two versions of a dataset."""
    old, new = find(reader, name, old_key), find(reader, name, new_key)
    before, after = reader.manifest(old), reader.manifest(new)
    groups = [
        ("Rows", _rows(before, after)),
        ("Columns", _changes(_columns(before), _columns(after))),
        ("Checks", _changes(_checks(before), _checks(after))),
        (
            "Rejected rows",
            _changes(_counts(before.content.get("rejected", {})), _counts(after.content.get("rejected", {}))),
        ),
        ("Inputs", _changes(_inputs(before), _inputs(after))),
        ("Parameters", _changes(before.content.get("parameters", {}), after.content.get("parameters", {}))),
        ("Software", _changes(before.content.get("software", {}), after.content.get("software", {}))),
        ("Code", _changes(_code(before), _code(after))),
    ]
    hashes = {file.sha256 for file in before.all_files}
    model = DiffPage(
        old=old,
        new=new,
        old_href=version_path(name, old.key),
        new_href=version_path(name, new.key),
        groups=[(heading, changes) for heading, changes in groups if changes],
        same_files=sum(file.sha256 in hashes for file in after.all_files),
        files=len(after.all_files),
    )
    crumbs = (("Catalogue", "index.html"), (name, dataset_path(name)))
    return Page(
        "diff.html", f"{name}: {old.as_of} and {new.as_of}", model, crumbs, name, diff_path(name, old.key, new.key)
    )


def _rows(before: Manifest, after: Manifest) -> list[Change]:
    found = []
    for table in sorted({*before.tables, *after.tables}):
        old = before.rows(table) if table in before.tables else None
        new = after.rows(table) if table in after.tables else None
        if old != new:
            by = f"{(new or 0) - (old or 0):+,}"
            found.append(Change(table, _number(old), _number(new), by))
    return found


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    return [
        Change(name, str(before.get(name, "")), str(after.get(name, "")))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _columns(manifest: Manifest) -> dict[str, str]:
    return {
        f"{table}.{column['name']}": column["type"]
        for table, described in manifest.content["tables"].items()
        for column in described["columns"]
    }


def _checks(manifest: Manifest) -> dict[str, str]:
    return {
        check_name(check): "passed"
        if check["passed"]
        else f"{check['severity']}: {check['detail'] or check['violations']}"
        for check in manifest.beside.get("checks", ())
    }


def _counts(rejected: Mapping[str, int]) -> dict[str, str]:
    return {reason: f"{rows:,}" for reason, rows in rejected.items()}


def _inputs(manifest: Manifest) -> dict[str, str]:
    return {
        name: f"{found['rows']:,} rows" + (f", version {found['version']}" if "version" in found else "")
        for name, found in manifest.content["inputs"].items()
    }


def _code(manifest: Manifest) -> dict[str, str]:
    return {name: str(digest)[:12] for name, digest in manifest.content.get("code", {}).items()}
