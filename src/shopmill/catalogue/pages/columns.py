"""The columns of a version with what they look like."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from shopmill.catalogue.drawings import histogram
from shopmill.versions.column_statistics import ColumnStatistics
from shopmill.versions.manifest import Manifest
from shopmill.versions.statistics import Statistics, TableStatistics


@dataclass(frozen=True)
class ColumnRow:
    """A column: what it means, and what it looks like in this version."""

    name: str
    type: str
    unit: str
    meaning: str
    is_key: bool
    nulls: str
    distinct: str
    range: str
    picture: Markup
    top: list[tuple[str, str]]
    personal: bool


@dataclass(frozen=True)
class TableBlock:
    """A table with its columns."""

    name: str
    grain: str
    rows: int
    sampled: int
    columns: list[ColumnRow]


def tables_of(manifest: Manifest, statistics: Statistics) -> list[TableBlock]:
    """The tables of a version, the main one first."""
    return [_table(manifest, name, statistics.get(name)) for name in in_order(manifest)]


def in_order(manifest: Manifest) -> list[str]:
    """The tables, the main one first."""
    main = manifest.content["main_table"]
    return sorted(manifest.tables, key=lambda name: (name != main, name == "rejects", name))


def _table(manifest: Manifest, name: str, found: TableStatistics | None) -> TableBlock:
    described = manifest.content["tables"][name]
    rows = [
        _column(column, column["name"] in described["key"], found.column(column["name"]) if found else None, found)
        for column in described["columns"]
    ]
    return TableBlock(name, described["grain"], manifest.rows(name), found.sampled if found else 0, rows)


def _column(
    column: dict[str, str], is_key: bool, found: ColumnStatistics | None, table: TableStatistics | None
) -> ColumnRow:
    sampled = table.sampled if table else 0
    return ColumnRow(
        name=column["name"],
        type=column["type"],
        unit=column["unit"],
        meaning=column["meaning"],
        is_key=is_key,
        nulls=share(found.nulls, sampled) if found else "",
        distinct=f"{found.distinct:,}" if found and found.distinct is not None else "",
        range=_range(found),
        picture=_picture(column["name"], found),
        top=[(bar.label, share(bar.rows, sampled)) for bar in found.top[:5]] if found else [],
        personal=bool(found and found.personal),
    )


def share(part: int, whole: int) -> str:
    """A part in percent; a few in many are not none."""
    if not part or not whole:
        return "0"
    percent = 100 * part / whole
    return "< 0.1 %" if percent < 0.1 else f"{percent:.1f} %" if percent < 99.95 else "100 %"  # noqa: PLR2004


def _range(found: ColumnStatistics | None) -> str:
    if not found or found.minimum is None or found.maximum is None:
        return ""
    return found.minimum if found.minimum == found.maximum else f"{found.minimum} … {found.maximum}"


def _picture(name: str, found: ColumnStatistics | None) -> Markup:
    if not found:
        return Markup("")
    shown: Iterable[tuple[str, int]] = [(bar.label, bar.rows) for bar in found.histogram]
    return histogram(list(shown), f"Distribution of {name}")
