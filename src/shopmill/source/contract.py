"""What the tables of a shop must look like, whatever they are called there, and what is optional in them.

A mapping (one SELECT per table) brings a shop's own names into this shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

MISFITS = "misfits"
"""A column of every raw table: what did not fit its type, as a JSON object of column and text. Null where all fits."""
ATTRIBUTES = "attributes"
"""A column of raw customers and articles: the columns that the contract does not know, as a JSON object of texts."""

# Which PostgreSQL types may stand for ours. Text never comes from a number: leading zeros would be lost.
ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "varchar": ("text", "varchar", "bpchar", "uuid", "name", "citext", "enum"),
    "integer": ("int2", "int4", "int8", "bool"),
    "decimal(18,6)": ("numeric", "int2", "int4", "int8", "float4", "float8"),
    "decimal(18,10)": ("numeric", "int2", "int4", "int8", "float4", "float8"),
    "boolean": ("bool",),
    "date": ("date", "timestamptz"),
    "timestamptz": ("timestamptz",),
}

FLAGS = {"FN", "Active"}
"""Integers that may come from a boolean: of others, such as a rating, true would be the number 1."""

FIX: Mapping[str, str] = {
    "varchar": "cast it to text in the mapping, padded as the shop pads it",
    "integer": "cast it to integer in the mapping",
    "decimal(18,6)": "cast it to numeric in the mapping",
    "decimal(18,10)": "cast it to numeric in the mapping",
    "boolean": "cast it to boolean in the mapping",
    "date": "cast it to date in the mapping, in the shop's time zone",
    "timestamptz": "name its zone in the mapping: column at time zone current_setting('shopmill.time_zone')",
}
FIX_FROM: Mapping[tuple[str, str], str] = {
    ("timestamptz", "text"): "cast it in the mapping: column::timestamptz where the text names its zone, else "
    "column::timestamp at time zone current_setting('shopmill.time_zone')",
    (
        "timestamptz",
        "number",
    ): "it counts from 1970: to_timestamp(column) in the mapping, or to_timestamp(column / 1000.0) "
    "if it counts milliseconds",
    ("timestamptz", "date"): "take it as the beginning of the day in the mapping: "
    "column::timestamp at time zone current_setting('shopmill.time_zone')",
    ("date", "text"): "read it as it is written in the mapping: to_date(column, 'DD.MM.YYYY')",
    ("date", "number"): "read it as it is written in the mapping: to_date(column::text, 'YYYYMMDD')",
    ("integer", "text"): "cast it in the mapping: nullif(btrim(column), '')::integer",
    ("integer", "bool"): "say in the mapping what it counts: case when column then 5 else 1 end",
    ("integer", "number"): "round it in the mapping: round(column)::integer",
    ("decimal(18,6)", "text"): "cast it in the mapping: nullif(btrim(column), '')::numeric, with a decimal comma "
    "replace(column, ',', '.')::numeric",
    ("varchar", "array"): "take one of its values in the mapping: column[1]",
    ("varchar", "bytea"): "write its bytes as text in the mapping: encode(column, 'hex')",
    ("varchar", "json"): "take the value that is meant in the mapping: column ->> 'key'",
    ("boolean", "text"): "compare it in the mapping: lower(column) in ('yes', 'true', '1')",
    ("boolean", "number"): "compare it in the mapping: column <> 0",
}
"""What to do with a column of the wrong type, by the family of the type that was found; FIX for all others."""
_FAMILIES = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name", "enum"), "text"),
    **dict.fromkeys(("int2", "int4", "int8", "numeric", "float4", "float8"), "number"),
    "jsonb": "json",
}


def fix_of(expected: str, found: str) -> str:
    """How a mapping makes a column of one type of another."""
    family = "array" if found.endswith("[]") else _FAMILIES.get(found, found)
    return FIX_FROM.get((expected, family), FIX[expected])


@dataclass(frozen=True)
class SourceColumn:
    """A column of the contract. An optional one may be left out by the mapping; it is `default` then.

    `is_made` columns are written by the extract step and never selected. Text is trimmed, and null where it is blank;
    `is_prose` text keeps its blanks, an `is_word` one is of a vocabulary and gets its plain spelling. What `is_personal`
    identifies or describes a person: SHOPMILL_PERSONAL_DATA says what is kept of it.
    """

    name: str
    type: str
    optional: bool = False
    default: str = "null"
    is_made: bool = False
    is_prose: bool = False
    is_word: bool = False
    is_personal: bool = field(default=False, repr=False)  # raw files are told apart by all else

    def accepts(self, kind: str) -> bool:
        """Whether a column of a PostgreSQL type can be taken as it is."""
        return kind in ACCEPTED[self.type] and (kind != "bool" or self.type != "integer" or self.name in FLAGS)


@dataclass(frozen=True)
class SourceTable:
    """A table of the contract. With a `time` it is a fact, read by day; without one a dimension, read whole.

    `time_of` names the table that has the time when this one has none of its own, and the column to join on.
    Of each group in `one_of` the mapping must select at least one column. A row is known by its `key`, if it has one.
    """

    name: str
    columns: tuple[SourceColumn, ...]
    time: str = ""
    time_of: tuple[str, str] | None = None
    one_of: tuple[tuple[str, ...], ...] = ()
    key: str = ""

    @property
    def is_fact(self) -> bool:
        """Whether it is read day by day."""
        return bool(self.time)

    @cached_property
    def selected(self) -> tuple[SourceColumn, ...]:
        """The columns that a mapping may select."""
        return tuple(column for column in self.columns if not column.is_made)

    @cached_property
    def has_attributes(self) -> bool:
        """Whether a shop's own columns are kept."""
        return any(column.name == ATTRIBUTES for column in self.columns)


def _columns(text: str, defaults: Mapping[str, str] | None = None) -> tuple[SourceColumn, ...]:
    """Columns from lines of `type: name name? name* name! name~`: with a ? optional, with a * prose, with a ! personal,
    with a ~ a word.
    """
    found = []
    for line in text.strip().splitlines():
        kind, names = line.split(":")
        for written in names.split():
            name = written.rstrip("?*!~")
            default = (defaults or {}).get(name, "null")
            marks = set(written[len(name) :])
            found.append(
                SourceColumn(
                    name,
                    kind.strip(),
                    bool({"?", "*"} & marks),
                    default,
                    is_prose="*" in marks,
                    is_word="~" in marks,
                    is_personal="!" in marks,
                )
            )
    return (*found, SourceColumn(MISFITS, "varchar", is_made=True))


def _with_attributes(columns: tuple[SourceColumn, ...]) -> tuple[SourceColumn, ...]:
    return (*columns[:-1], SourceColumn(ATTRIBUTES, "varchar", is_made=True), columns[-1])


TABLES: Mapping[str, SourceTable] = {
    table.name: table
    for table in (
        SourceTable(
            "customers",
            _with_attributes(
                _columns("""
                varchar: customer_id!
                integer: FN? Active?
                varchar: club_member_status? fashion_news_frequency?
                integer: age?!
                varchar: postal_code?!
                timestamptz: created_at?
                """)
            ),
            key="customer_id",
        ),
        SourceTable(
            "articles",
            _with_attributes(
                _columns("""
                varchar: article_id product_code? prod_name?
                integer: product_type_no?
                varchar: product_type_name? product_group_name?
                integer: graphical_appearance_no?
                varchar: graphical_appearance_name?
                integer: colour_group_code?
                varchar: colour_group_name?
                integer: perceived_colour_value_id?
                varchar: perceived_colour_value_name?
                integer: perceived_colour_master_id?
                varchar: perceived_colour_master_name?
                integer: department_no?
                varchar: department_name? index_code? index_name?
                integer: index_group_no?
                varchar: index_group_name?
                integer: section_no?
                varchar: section_name?
                integer: garment_group_no?
                varchar: garment_group_name? detail_desc*
                decimal(18,6): price?
                integer: stock?
                boolean: is_listed?
                """)
            ),
            key="article_id",
        ),
        SourceTable(
            "transactions",
            _columns(
                """
                date: t_dat
                varchar: customer_id?! article_id
                decimal(18,6): price quantity?
                varchar: currency?~
                integer: sales_channel_id?
                timestamptz: changed_at?
                """,
                {"quantity": "1"},
            ),
            time="t_dat",
        ),
        SourceTable(
            "orders",
            _columns("""
                varchar: order_id customer_id?!
                timestamptz: order_datetime
                varchar: order_status?~ currency?~
                timestamptz: changed_at?
            """),
            time="order_datetime",
            key="order_id",
        ),
        SourceTable(
            "order_items",
            _columns("""
                varchar: order_id article_id
                decimal(18,6): quantity price
                timestamptz: item_datetime? changed_at?
            """),
            time="order_datetime",
            time_of=("orders", "order_id"),
        ),
        SourceTable(
            "events",
            _columns("""
                varchar: event_id session_id?! customer_id?! visitor_id?! article_id? product_code? event_type~
                decimal(18,6): event_value?
                varchar: currency?~ user_agent?
                timestamptz: event_datetime
            """),
            time="event_datetime",
            one_of=(("visitor_id", "session_id", "customer_id"),),
            key="event_id",
        ),
        SourceTable(
            "reviews",
            _columns("""
                varchar: review_id customer_id?! article_id? product_code?
                integer: rating
                varchar: review_text*
                timestamptz: review_date
            """),
            time="review_date",
            key="review_id",
        ),
        SourceTable(
            "promotions",
            _columns("""
                varchar: article_id? product_group_name?
                date: starts_on ends_on?
                varchar: kind?
            """),
            one_of=(("article_id", "product_group_name"),),
        ),
        SourceTable(
            "exchange_rates",
            _columns("""
                date: day
                varchar: currency~
                decimal(18,10): rate
            """),
        ),
    )
}
