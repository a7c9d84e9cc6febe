"""The mapping: one SELECT per table that brings a shop's own names and types into the contract's shape.

`SHOPMILL_MAPPING` names folders and presets, separated by commas: the first that has a table's .sql file counts for that
table. A table that none of them has is looked for under the contract's own names. A file without a statement says that
the shop does not have the table.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shopmill.engine.identifiers import quote
from shopmill.errors import InvalidInputError, MissingTableError
from shopmill.settings import Settings
from shopmill.source.contract import TABLES, SourceTable
from shopmill.source.personal_data import Policy
from shopmill.source.pseudonyms import mark
from shopmill.source.select_file import read_select

PRESETS = Path(__file__).parent / "presets"
CANONICAL = "canonical"


@dataclass(frozen=True)
class Select:
    """The SELECT of one table and the file it is from; a canonical one, which is in no file, has the contract's names."""

    sql: str
    path: Path | None = None

    @property
    def is_canonical(self) -> bool:
        """Whether it is shopmill's own, and may be narrowed to the columns that the shop's table has."""
        return self.path is None


@dataclass(frozen=True)
class Mapping:
    """The SELECTs by table, and the settings that a SELECT may read. `guests` tells the keys apart that name guests,
    `personal` what is kept of personal columns.
    """

    folders: tuple[Path, ...]
    time_zone: str
    currency: str = ""
    guests: str = ""
    personal: str = ""

    @cached_property
    def selects(self) -> dict[str, Select]:
        """The SELECT of each table, but for tables that a file says are not there."""
        found = {name: Select(canonical(table)) for name, table in TABLES.items()}
        for folder in reversed(self.folders):
            for path in sorted(folder.glob("*.sql")):
                if path.stem in TABLES:
                    found[path.stem] = Select(read_select(path), path)
        return {name: select for name, select in found.items() if select.sql}

    @property
    def is_canonical(self) -> bool:
        """Whether nothing but the contract's names is asked for: then every table is expected."""
        return not self.folders

    def select(self, table: str) -> str:
        """The SELECT of one table; MissingTableError where the shop does not have the table."""
        if table not in self.selects:
            raise MissingTableError(f"The shop has no {table}: {table}.sql of the mapping has no statement.")
        return self.selects[table].sql

    def place(self, table: str) -> str:
        """What a person must change to change the SELECT of a table."""
        path = self.selects[table].path if table in self.selects else None
        return str(path) if path else f"{table}.sql of a mapping folder (SHOPMILL_MAPPING)"

    def whereabouts(self, table: str) -> str:
        """Where a table that the shop does not have was looked for."""
        folders = ", ".join(map(str, self.folders))
        return f"{folders} has no {table}.sql" if folders else f"its database has no table {table} (SHOPMILL_MAPPING)"

    def fingerprint(self, table: SourceTable) -> str:
        """Tells raw files apart that were read under another SELECT, contract, time zone, currency or key."""
        relatives = (table.name, *(table.time_of or ())[:1])
        texts = [self.selects[name].sql if name in self.selects else "" for name in relatives]
        reads_key = self.personal or any("shopmill.pseudonym" in text for text in texts)
        keyed = [self.guests if reads_key else "", self.personal]
        content = "\n".join([*texts, self.time_zone, self.currency, *filter(None, keyed), repr(table)])
        return hashlib.sha256(content.encode()).hexdigest()[:8]


def canonical(table: SourceTable) -> str:
    """The SELECT of a shop that has the contract's own names."""
    return selection_of(table, (column.name for column in table.selected))


def selection_of(table: SourceTable, columns: Iterable[str]) -> str:
    """A SELECT of some columns of the table that has the contract's name."""
    return f"select {', '.join(map(quote, columns))} from {quote(table.name)}"


def load_mapping(settings: Settings) -> Mapping:
    """The mapping that the settings name: presets and folders, of which the first that has a table counts."""
    names = [name.strip() for name in settings.mapping.split(",")]
    folders = tuple(_folder(name) for name in names if name and name != CANONICAL)
    return Mapping(
        folders, settings.time_zone, settings.currency, mark(settings.pseudonym_key), Policy.of(settings).text
    )


def _folder(name: str) -> Path:
    for folder in (PRESETS / name, Path(name).expanduser()):
        if folder.is_dir():
            _refuse_other_case(folder)
        if folder.is_dir() and any(path.stem in TABLES for path in folder.glob("*.sql")):
            return folder
        if folder.is_dir():
            raise InvalidInputError(
                f"The mapping {folder} has no file that is named after a table ({', '.join(TABLES)}): "
                "write one SELECT into TABLE.sql for each table that has other names."
            )
    presets = ", ".join(sorted([CANONICAL, *(path.name for path in PRESETS.glob("*/"))]))
    raise InvalidInputError(
        f"SHOPMILL_MAPPING={name!r} is neither a folder nor one of the presets ({presets}): "
        "create the folder with a .sql file for each table that has other names."
    )


def _refuse_other_case(folder: Path) -> None:
    """A file that differs from a table's only in the case of its name would not be used, without a word."""
    wanted = {f"{table}.sql" for table in TABLES}
    for path in sorted(folder.iterdir()):
        if path.name.lower() in wanted - {path.name}:
            raise InvalidInputError(f"{path} would not be used: rename it to {path.name.lower()}, in small letters.")
