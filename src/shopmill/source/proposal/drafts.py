"""The SELECT of a table as it is proposed: each column with why it is so, and what a person must decide as a commented line."""

from collections.abc import Iterable
from dataclasses import dataclass

from shopmill.source.proposal.tables import ShopColumn
from shopmill.source.proposal.vocabulary import flat

ZONE = "at time zone current_setting('shopmill.time_zone')"
IDS = {"text", "varchar", "bpchar", "uuid", "name", "citext", "enum"}
CENTS = ("cents", "cent", "minor", "pence", "ore", "öre")
TOTALS = {"total", "linetotal", "subtotal", "totalprice"}


@dataclass(frozen=True)
class Item:
    """A column of the contract: the expression that gives it, and what a person should know of the choice."""

    column: str
    expression: str
    note: str = ""


@dataclass(frozen=True)
class Draft:
    """A file of the mapping. What is undecided makes `questions`; without a required column nothing is selected yet.

    One that PostgreSQL refuses selects nothing either. `more` follows the rows: a `where`, a `group by`, other rows after `union all`.
    """

    table: str
    about: str
    items: tuple[Item, ...]
    rows: str
    more: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    is_refused: bool = False

    @property
    def text(self) -> str:
        """The file."""
        head = [f"-- {line}" for line in (self.about, *self.questions)]
        body = ["select", *_listed(self.items), f"from {self.rows}", *self.more]
        if not self.undecided and not self.is_refused:
            return "\n".join([*head, *body]) + "\n"
        missing = [f"  ? as {name}," for name in self.undecided]
        if missing and not self.items:
            missing[-1] = missing[-1].rstrip(",")
        asked = [f"-- {self.asked[-1]} Then take the dashes below away."]
        dashed = "\n".join([body[0], *missing, *body[1:]]).splitlines()
        return "\n".join([*head, *asked, *(f"-- {line}" for line in dashed)]) + "\n"

    @property
    def asked(self) -> tuple[str, ...]:
        """What a person must decide."""
        missing = f"Which column of {' '.join(self.rows.split())} is {' and which '.join(self.undecided)}?"
        return (*self.questions, *([missing] if self.undecided else []))


def _listed(items: Iterable[Item]) -> list[str]:
    lines = [
        item.expression if item.expression == item.column else f"{item.expression} as {item.column}" for item in items
    ]
    ends = [","] * (len(lines) - 1) + [""] * bool(lines)
    notes = [f"  -- {item.note}" if item.note else "" for item in items]
    return [f"  {line}{end}{note}" for line, end, note in zip(lines, ends, notes, strict=True)]


def id_item(name: str, column: ShopColumn, alias: str = "") -> Item:
    """An id, as text."""
    value = alias + column.sql
    return Item(name, value if column.type in IDS else f"{value}::text")


def word_item(name: str, column: ShopColumn, alias: str = "") -> Item:
    """Text, a number or a flag as it is."""
    return Item(name, alias + column.sql)


def time_item(name: str, column: ShopColumn, alias: str = "", as_day: bool = False) -> Item:
    """A moment: what has no zone is taken as the shop's own time. Of a day a date is enough."""
    value = alias + column.sql
    if column.type == "timestamptz" or (as_day and column.type == "date"):
        return Item(name, value)
    if column.type == "date":
        return Item(name, f"{value}::timestamp {ZONE}", "a date only: taken as the beginning of the shop's day")
    return Item(name, f"{value} {ZONE}", "has no zone: taken as the shop's own time; if it is UTC, write 'UTC'")


def price_item(name: str, column: ShopColumn, alias: str = "", units: str = "") -> Item:
    """What one unit cost."""
    value = f"{alias}{column.sql}::numeric" if column.type == "money" else alias + column.sql
    called = flat(column.name)
    if called.endswith(CENTS):
        return Item(name, f"{value} / 100.0", f"{column.name}: a hundredth")
    if called in TOTALS and units:
        return Item(name, f"{value} / nullif({units}, 0)", "a line's total, divided by its units")
    if column.type in {"int2", "int4", "int8"}:
        return Item(name, value, f"whole numbers: if {column.name} counts cents, write {value} / 100.0")
    if called == "amount":
        return Item(name, value, "what one unit cost? If it is the line's total, divide it by the units")
    return Item(name, value)
