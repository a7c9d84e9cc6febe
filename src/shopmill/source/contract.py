"""What the seven tables of a shop (and the optional promotions) must look like, whatever they are called there.

A mapping (one SELECT per table) brings a shop's own names into this shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# Which PostgreSQL types may stand for ours. Text never comes from a number: leading zeros would be lost.
ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "varchar": ("text", "varchar", "bpchar", "uuid"),
    "integer": ("int2", "int4", "int8", "bool"),
    "decimal(18,6)": ("numeric", "int2", "int4", "int8", "float4", "float8"),
    "date": ("date",),
    "timestamptz": ("timestamptz",),
}

MEND: Mapping[str, str] = {
    "varchar": "cast it to text in the mapping, padded as the shop pads it",
    "integer": "cast it to integer in the mapping",
    "decimal(18,6)": "cast it to numeric in the mapping",
    "date": "cast it to date in the mapping, in the shop's time zone",
    "timestamptz": "say its zone in the mapping: column at time zone 'Europe/Stockholm'",
}


@dataclass(frozen=True)
class SourceColumn:
    """A column of the contract. An optional one may be missing from the mapping and is then null."""

    name: str
    type: str
    optional: bool = False


@dataclass(frozen=True)
class SourceTable:
    """A table of the contract. With a `time` it is a fact, read by day; without one a dimension, read whole.

    `time_of` names the table that has the time when this one has none of its own, and the column to join on.
    """

    name: str
    columns: tuple[SourceColumn, ...]
    time: str = ""
    time_of: tuple[str, str] | None = None
    optional: bool = False

    @property
    def is_fact(self) -> bool:
        """Whether it is read day by day."""
        return bool(self.time)

    @property
    def has_dates(self) -> bool:
        """Whether its time is a column of dates: already the shop's day."""
        return any(column.name == self.time and column.type == "date" for column in self.columns)


def _columns(text: str, optional: str = "") -> tuple[SourceColumn, ...]:
    """Columns from lines of `type: name name ...`."""
    found = []
    for line in text.strip().splitlines():
        kind, names = line.split(":")
        found += [SourceColumn(name, kind.strip(), name in optional.split()) for name in names.split()]
    return tuple(found)


TABLES: Mapping[str, SourceTable] = {
    table.name: table
    for table in (
        SourceTable(
            "customers",
            _columns("""
                varchar: customer_id
                integer: FN Active
                varchar: club_member_status fashion_news_frequency
                integer: age
                varchar: postal_code
            """),
        ),
        SourceTable(
            "articles",
            _columns(
                """
                varchar: article_id product_code prod_name
                integer: product_type_no
                varchar: product_type_name product_group_name
                integer: graphical_appearance_no
                varchar: graphical_appearance_name
                integer: colour_group_code
                varchar: colour_group_name
                integer: perceived_colour_value_id
                varchar: perceived_colour_value_name
                integer: perceived_colour_master_id
                varchar: perceived_colour_master_name
                integer: department_no
                varchar: department_name index_code index_name
                integer: index_group_no
                varchar: index_group_name
                integer: section_no
                varchar: section_name
                integer: garment_group_no
                varchar: garment_group_name detail_desc
                decimal(18,6): price
                integer: stock
                """,
                optional="price stock",
            ),
        ),
        SourceTable(
            "transactions",
            _columns("""
                date: t_dat
                varchar: customer_id article_id
                decimal(18,6): price
                integer: sales_channel_id
            """),
            time="t_dat",
        ),
        SourceTable(
            "orders",
            _columns("""
                varchar: order_id customer_id
                timestamptz: order_datetime
                varchar: order_status
            """),
            time="order_datetime",
        ),
        SourceTable(
            "order_items",
            _columns("""
                varchar: order_id article_id
                integer: quantity
                decimal(18,6): price
            """),
            time="order_datetime",
            time_of=("orders", "order_id"),
        ),
        SourceTable(
            "events",
            _columns("""
                varchar: event_id session_id customer_id article_id event_type
                decimal(18,6): event_value
                timestamptz: event_datetime
            """),
            time="event_datetime",
        ),
        SourceTable(
            "reviews",
            _columns("""
                varchar: review_id customer_id article_id
                integer: rating
                varchar: review_text
                timestamptz: review_date
            """),
            time="review_date",
        ),
        SourceTable(
            "promotions",
            _columns("""
                varchar: article_id product_group_name
                date: starts_on ends_on
                varchar: kind
            """),
            optional=True,
        ),
    )
}
