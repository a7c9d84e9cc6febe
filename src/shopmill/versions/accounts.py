"""Where every row of a source table went: used, not wanted by a kind, or rejected for a reason. Nothing vanishes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Account:
    """The rows of one source table. `unknown` counts rows that were used although a value of theirs could not be."""

    table: str
    rows: int
    used: int
    not_wanted: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)

    @property
    def rejected_rows(self) -> int:
        """Rows that were rejected, whatever the reason."""
        return sum(self.rejected.values())

    @property
    def found(self) -> int:
        """The rows that are accounted for."""
        return self.used + sum(self.not_wanted.values()) + self.rejected_rows

    def document(self) -> dict[str, Any]:
        """As JSON, without the table, under whose name it stands."""
        return {name: value for name, value in asdict(self).items() if name != "table"}

    @classmethod
    def from_documents(cls, documents: Mapping[str, Mapping[str, Any]]) -> tuple["Account", ...]:
        """The accounts in the JSON of a manifest."""
        return tuple(cls(table, **document) for table, document in documents.items())

    def sentence(self) -> str:
        """All of it in one line."""
        parts = [f"{self.used:,} used"]
        parts += [f"{n:,} not wanted ({kind.replace('_', ' ')})" for kind, n in self.not_wanted.items()]
        parts += [f"{n:,} rejected ({reason})" for reason, n in most_first(self.rejected)]
        return f"{self.table}: {self.rows:,} rows = {' + '.join(parts)}"


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The counts with their names, the largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
