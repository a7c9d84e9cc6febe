"""The mapping: one SELECT per table that brings a shop's own names and types into the contract's shape."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shopmill.connection_string import database_name
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.source.contract import TABLES, SourceTable

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Mapping:
    """The SELECTs of a mapping folder by table, the time zone that their days are cut in, and the shop's database."""

    folder: Path
    time_zone: str
    database: str = ""

    @cached_property
    def selects(self) -> dict[str, str]:
        """SQL text by table, without a closing semicolon."""
        return {
            path.stem: path.read_text().strip().rstrip(";")
            for path in sorted(self.folder.glob("*.sql"))
            if path.stem in TABLES
        }

    def select(self, table: str) -> str:
        """The SELECT of one table; InvalidInputError where the mapping has none."""
        if table not in self.selects:
            raise InvalidInputError(
                f"The mapping {self.folder} has no {table}.sql: write one SELECT with the columns of {table}."
            )
        return self.selects[table]

    def fingerprint(self, table: SourceTable) -> str:
        """Tells raw files apart that were read from another database, or under another SELECT, contract or time zone.

        The database is known by its name alone, for a replica of it is the same shop.
        """
        texts = [self.selects.get(name, "") for name in (table.name, *(table.time_of or ())[:1])]
        content = "\n".join([*texts, self.time_zone, self.database, repr(table)])
        return hashlib.sha256(content.encode()).hexdigest()[:8]


def load_mapping(settings: Settings) -> Mapping:
    """The mapping that the settings name: a preset, or a folder."""
    for folder in (PRESETS / settings.mapping, Path(settings.mapping)):
        if folder.is_dir():
            return Mapping(folder, settings.time_zone, database_name(settings.source_dsn.get_secret_value()))
    presets = ", ".join(sorted(path.name for path in PRESETS.iterdir() if path.is_dir()))
    raise InvalidInputError(
        f"SHOPMILL_MAPPING={settings.mapping!r} is neither a folder nor one of the presets ({presets}): "
        "create the folder with one .sql per table."
    )
