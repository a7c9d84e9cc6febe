"""The tables of a shop's database as its catalogue describes them: columns, types, keys and references."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from shopmill.errors import InvalidInputError
from shopmill.source.database import Source

COLUMNS = """
select
  pg_class.oid::int8, nspname::text, relname::text, pg_table_is_visible(pg_class.oid), attname::text,
  case coalesce(base.typtype, pg_type.typtype) when 'e' then 'enum' else coalesce(base.typname, pg_type.typname)::text end,
  exists (select from pg_index where indrelid = pg_class.oid and indisunique and indnkeyatts = 1 and indkey[0] = attnum),
  foreign_key.confrelid::int8, foreign_key.confkey[1]::int4, attnum::int4,
  has_schema_privilege(pg_namespace.oid, 'usage') and has_column_privilege(pg_class.oid, attnum, 'select'),
  quote_ident(nspname)::text, quote_ident(relname)::text, quote_ident(attname)::text
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
join pg_type on pg_type.oid = atttypid
left join pg_type as base on base.oid = nullif(pg_type.typbasetype, 0)
left join lateral (
  select confrelid, confkey from pg_constraint
  where conrelid = pg_class.oid and contype = 'f' and conkey = array[attnum] order by conname limit 1
) as foreign_key on true
where relkind in ('r', 'p', 'v', 'm', 'f') and not relispartition
and nspname not in ('pg_catalog', 'information_schema', 'shopmill') and nspname not like 'pg\\_%'
and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
order by nspname, relname, attnum
"""
DATABASE = "select current_database() || ' ' || current_user"


@dataclass(frozen=True)
class ShopColumn:
    """A column of a shop's table; `sql` is its name as SQL has it. `refers_to` are the table and the column that a foreign key names."""

    name: str
    sql: str
    type: str
    is_key: bool = False
    refers_to: tuple[int, str] | None = None


@dataclass(frozen=True)
class ShopTable:
    """A table or view of a shop that the role may read, with the columns that it may read; `sql` is its name as SQL has it."""

    oid: int
    name: str
    sql: str
    is_visible: bool
    columns: Mapping[str, ShopColumn]


def shop_tables(source: Source) -> tuple[ShopTable, ...]:
    """All tables that the role may read; InvalidInputError where there are none."""
    rows = source.answers(COLUMNS)
    database, _, role = str(source.value(DATABASE)).partition(" ")
    if not rows:
        raise InvalidInputError(
            f"The database {database} has no tables: set SHOPMILL_SOURCE_DSN to the database of the shop, or fill it first."
        )
    found = tuple(_tables(rows))
    if not found:
        number = len({row[0] for row in rows})
        raise InvalidInputError(
            f"The role {role} may read none of the {number} tables of {database}: grant it usage on their schema and select "
            f"on its tables (deploy/postgres/source.sql does both)."
        )
    return found


def _tables(rows: list[tuple[object, ...]]) -> Iterable[ShopTable]:
    names = {(row[0], row[9]): str(row[4]) for row in rows}
    for _, group in groupby(rows, key=lambda row: row[0]):
        own = list(group)
        oid, _, name, visible, *_ = own[0]
        schema, table = str(own[0][11]), str(own[0][12])
        if columns := {column.name: column for column in map(partial(_column, names), own) if column}:
            yield ShopTable(int(str(oid)), str(name), table if visible else f"{schema}.{table}", bool(visible), columns)


def _column(names: Mapping[tuple[object, object], str], row: tuple[object, ...]) -> ShopColumn | None:
    name, kind, is_key, other, key, _, readable, _, _, sql = row[4:]
    target = (int(str(other)), names[other, key]) if (other, key) in names else None
    return ShopColumn(str(name), str(sql), str(kind), bool(is_key), target) if readable else None
