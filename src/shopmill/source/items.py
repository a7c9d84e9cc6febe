"""What is sent for a table whose rows are dated by another table: items by their order, once, however the runs are cut."""

from dataclasses import dataclass
from datetime import datetime

from shopmill.engine.identifiers import quote
from shopmill.source.selection import Selection, Span, between
from shopmill.source.snapshot import FIRST_DAY

OWN_TIME = "item_datetime"
"""Dates a row where it is there: what happened to an item later than its order, such as a return."""


@dataclass(frozen=True)
class DatedSelection(Selection):
    """Rows that the earliest usable time of their order dates, or else their own time where they have one."""

    orders: Selection
    key: str

    @property
    def times(self) -> tuple[str, ...]:
        """The columns that date a row, of which the first that is not null counts."""
        own = (OWN_TIME,) if self._has_own_time else ()
        return (*own, self.table.time)

    def dated(self, span: Span) -> str:
        """The rows of some days, in the order of their time."""
        time, own = quote(self.table.time), f"mapped.{OWN_TIME}"
        by_order = (
            f"select {self.columns()}, dated.{time} from {self.mapped} "
            f"join ({self._dated_orders(span)}) as dated on dated.{quote(self.key)} = mapped.{quote(self.key)}"
        )
        if not self._has_own_time:
            return f"{by_order} order by dated.{time}"
        due = between(own, *self.instants(span))
        by_itself = (
            f"select {self.columns()}, first_order.{time} from {self.mapped} {self._first_order(due, span)} where {due}"
        )
        return (
            f"select * from ({by_order} where {self.unusable(own)} union all {by_itself}) as rows_of_both "
            f"order by coalesce({OWN_TIME}, {time})"
        )

    def undated(self) -> str:
        """The rows without a usable time, whatever as_of is: those of no order, or of orders without a time."""
        time = quote(self.table.time)
        usable = between(f"o.{time}", self.first, self.last)
        condition = f"not exists (select 1 from {self._orders('o')} where {self._is_its_order} and {usable})"
        if self._has_own_time:
            condition += f" and {self.unusable(f'mapped.{OWN_TIME}')}"
        return f"select {self.columns()}, null::timestamptz as {time} from {self.mapped} where {condition}"

    def days_changed(self, column: str, since: datetime, span: Span) -> str:
        """The days of a span of which a row has changed since a moment."""
        time, own = quote(self.table.time), f"mapped.{OWN_TIME}" if self._has_own_time else "null::timestamptz"
        changed = f"mapped.{quote(column)} >= timestamptz '{since.isoformat()}'"
        joined = f"{self.mapped} {self._first_order(changed, span)}"
        dated = f"select coalesce({own}, first_order.{time}) as at from {joined} where {changed}"
        day = f"(at at time zone '{self.zone.key}')::date::text"
        return f"select distinct {day} from ({dated}) as changed where {between('at', *self.instants(span))}"

    def _first_order(self, condition: str, span: Span) -> str:
        """Joins the rows that meet a condition to the earliest usable time of their order.

        All orders are looked up together: one at a time would read a mapping of many joins once for each row.
        """
        key, time = quote(self.key), quote(self.table.time)
        due = f"select mapped.{key} from {self.mapped} where {condition}"
        usable = f"o.{key} in ({due}) and {self._is_usable('o', span)}"
        first = f"select o.{key}, min(o.{time}) as {time} from {self._orders('o')} where {usable} group by o.{key}"
        return f"left join ({first}) as first_order on first_order.{key} = mapped.{key}"

    @property
    def _has_own_time(self) -> bool:
        return OWN_TIME in self.types

    @property
    def _is_its_order(self) -> str:
        return f"o.{quote(self.key)} = mapped.{quote(self.key)}"

    def _orders(self, alias: str) -> str:
        return f"(\n{self.orders.select}\n) as {alias}"

    def _is_usable(self, alias: str, span: Span) -> str:
        return between(f"{alias}.{quote(self.table.time)}", self.first, self.instants(span)[1])

    def _dated_orders(self, span: Span) -> str:
        """The orders whose earliest usable time is in the span: a second row of an order does not date it again."""
        key, time = quote(self.key), quote(self.table.time)
        condition = self.orders.within(span, "o")
        if span.since > FIRST_DAY:
            earlier = between(f"e.{time}", self.first, self.orders.bounds(span)[0])
            condition += f" and not exists (select 1 from {self._orders('e')} where e.{key} = o.{key} and {earlier})"
        return f"select o.{key}, min(o.{time}) as {time} from {self._orders('o')} where {condition} group by o.{key}"
