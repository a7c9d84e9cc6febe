"""Whether statistics that older code kept have values of people: of thousands of versions, in a typed read of each."""

from functools import cache

import msgspec

from shopmill import personal
from shopmill.errors import DamagedError
from shopmill.versions.statistics import has_people
from shopmill.versions.store import Store

is_personal = cache(personal.is_personal)
"""A year of versions has the same few columns."""


class Bar(msgspec.Struct, frozen=True, gc=False):
    """A frequent value."""

    label: str


class Column(msgspec.Struct, frozen=True):
    """What may show a value of a column."""

    name: str
    histogram: list[msgspec.Raw]
    top: list[Bar]
    minimum: str | None = None
    maximum: str | None = None
    mean: str | None = None
    deviation: str | None = None
    personal: bool = False

    @property
    def may_show_people(self) -> bool:
        """Whether there could be a value of a person: then it is looked at as a whole."""
        values = (self.histogram, self.top, self.minimum, self.maximum, self.mean, self.deviation)
        by_name = is_personal(self.name) and (any(values) or not self.personal)
        return by_name or any(bar.label.startswith("{") for bar in self.top)


class Table(msgspec.Struct, frozen=True):
    """A table, and its newest day."""

    columns: list[Column]
    newest: "Table | None" = None


class Statistics(msgspec.Struct, frozen=True):
    """A document of them."""

    tables: dict[str, Table]


DECODER = msgspec.json.Decoder(Statistics)


def show_people(store: Store, key: str) -> bool:
    """Whether the statistics under a key have values of people. None are there, or none that can be read: they have not."""
    try:
        found = DECODER.decode(store.document(key))
    except FileNotFoundError:
        return False
    except (DamagedError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return has_people(store, key)
    tables = [one for table in found.tables.values() for one in (table, table.newest) if one]
    return any(column.may_show_people for table in tables for column in table.columns) and has_people(store, key)
