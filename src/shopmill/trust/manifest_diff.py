"""What two manifests say differs: rows, columns, checks, inputs, and how the versions were made. Reads no file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shopmill.versions.manifest import Manifest, check_name


@dataclass(frozen=True)
class Change:
    """A thing that differs, before and after; empty where it was not there."""

    name: str
    before: str
    after: str
    by: str = ""


@dataclass(frozen=True)
class Group:
    """Changes of one kind."""

    heading: str
    changes: tuple[Change, ...]


def groups(before: Manifest, after: Manifest) -> list[Group]:
    """All that differs, by kind; kinds without a change are left out."""
    found = [
        Group("Rows", tuple(_rows(before, after))),
        Group("Columns", _changes(_columns(before), _columns(after))),
        Group("Checks", _changes(_checks(before), _checks(after))),
        Group("Rejected rows", _changes(_rejected(before), _rejected(after))),
        Group("Inputs", _changes(_inputs(before), _inputs(after))),
        *(
            Group(kind.title(), _changes(_made(before, kind), _made(after, kind)))
            for kind in ("parameters", "software")
        ),
        Group("Code", _changes(_code(before), _code(after))),
    ]
    return [group for group in found if group.changes]


def _rows(before: Manifest, after: Manifest) -> Iterator[Change]:
    for table in sorted({*before.tables, *after.tables}):
        old = before.rows(table) if table in before.tables else None
        new = after.rows(table) if table in after.tables else None
        if old != new:
            yield Change(table, _number(old), _number(new), f"{(new or 0) - (old or 0):+,}")


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(name, str(before.get(name, "")), str(after.get(name, "")))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _made(manifest: Manifest, kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest.content.get(kind, {})
    return found


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


def _rejected(manifest: Manifest) -> dict[str, str]:
    return {reason: f"{rows:,}" for reason, rows in manifest.content.get("rejected", {}).items()}


def _inputs(manifest: Manifest) -> dict[str, str]:
    return {name: _input(found) for name, found in manifest.content["inputs"].items()}


def _input(found: Mapping[str, Any]) -> str:
    what = f"version {found['version']}" if "version" in found else f"raw {found.get('sha256', '')[:12]}"
    return f"{found['rows']:,} rows, {what}"


def _code(manifest: Manifest) -> dict[str, str]:
    return {name: str(digest)[:12] for name, digest in manifest.content.get("code", {}).items()}
