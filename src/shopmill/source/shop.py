"""Whose rows a store holds: the identity of the database that it was filled from. A store belongs to one shop."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from shopmill.connection_string import address
from shopmill.engine.identifiers import literal
from shopmill.errors import DamagedError, InvalidInputError, MissingTableError
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import Source, open_source
from shopmill.source.mapping import load_mapping
from shopmill.source.selection import Selection
from shopmill.versions.layout import SHOP
from shopmill.versions.shapes import well_typed
from shopmill.versions.store import Store, to_json

MAY_KNOW_SYSTEM = "select has_function_privilege('pg_control_system()', 'execute')"
SYSTEM = "select system_identifier::text from pg_control_system()"
MADE_AS = "select oid::text from pg_database where datname = current_database()"
OF_A_ROLE = r"""
select viewed.oid::regclass::text
from pg_locks as locked join pg_class as viewed on viewed.oid = locked.relation
where locked.pid = pg_backend_pid() and locked.locktype = 'relation' and viewed.relkind = 'v' and viewed.oid >= 16384
  and regexp_replace(pg_get_viewdef(viewed.oid), '''([^'']|'''')*''', '', 'g')
    ~ '(?<!")\m(CURRENT_USER|SESSION_USER|CURRENT_ROLE|USER)\M|\mpg_has_role\('
order by 1
"""
"""The views that this transaction has read and that ask who reads them."""
ASKS_WHO = re.compile(r"(?i)\b(current_user|session_user|current_role|pg_has_role)\b")
SCHEMA = "select relnamespace::regnamespace::text from pg_class where oid = to_regclass({name})"


@dataclass(frozen=True)
class Shop:
    """What identifies a database, a replica of it excepted: that is the same shop.

    `system` is empty where the role may not read it, and the `address` that was connected to stands for it. `made_as` is the
    number that a server gives a database when it is made: one of the same name that took its place has another. `schemas`
    says in which schema each unqualified table was found. The role is told apart where row-level security, or a view that asks
    who reads it (`of_role`), makes it see rows of its own.
    """

    system: str
    database: str
    role: str
    row_security: str = "refuse"
    schemas: Mapping[str, str] = field(default_factory=dict)
    made_as: str = ""
    address: str = ""
    of_role: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Shop":
        """The shop in a JSON document."""
        return cls(**document)

    def and_what_is_known_of(self, other: "Shop") -> "Shop":
        """The same shop with what another look at it has found besides."""
        return replace(
            self,
            system=self.system or other.system,
            schemas={**other.schemas, **self.schemas},
            made_as=self.made_as or other.made_as,
            address=self.address or other.address,
            of_role=self.of_role or other.of_role,
        )

    def differences(self, other: "Shop") -> list[str]:
        """How another shop differs from this one, in words; nothing for the same."""
        pairs = [("server", self.system, other.system), ("database", self.database, other.database)]
        if not (self.system and other.system):
            pairs.append(("address", self.address, other.address))
        if self.database == other.database:
            pairs.append((f"database {self.database} made as", self.made_as, other.made_as))
        is_allowed = "allow" in {self.row_security, other.row_security}
        if is_allowed or self.of_role or other.of_role:
            pairs.append(("role", self.role, other.role))
        if is_allowed:
            pairs.append(("SHOPMILL_ROW_SECURITY", self.row_security, other.row_security))
        pairs += [
            (f"schema of {n}", s, other.schemas[n]) for n, s in sorted(self.schemas.items()) if n in other.schemas
        ]
        return [f"{what} {theirs}, not {ours}" for what, ours, theirs in pairs if ours and theirs and ours != theirs]


def shop_of(source: Source, selections: Iterable[Selection]) -> Shop:
    """The identity of the database that a source reads, and of the tables that the selections name."""
    selections = tuple(selections)
    names = {name for selection in selections for name in _unqualified(selection.select)}
    schemas = {name: source.value(SCHEMA.format(name=literal(name))) for name in sorted(names)}
    return Shop(
        str(source.value(SYSTEM)) if source.value(MAY_KNOW_SYSTEM) else "",
        str(source.value("select current_database()")),
        str(source.value("select current_user")),
        source.settings.row_security,
        {name: str(schema) for name, schema in schemas.items() if schema},
        str(source.value(MADE_AS)),
        address(source.settings.source_dsn.get_secret_value(), "SHOPMILL_SOURCE_DSN"),
        ", ".join(what_asks_who_reads(source, selections)),
    )


def what_asks_who_reads(source: Source, selections: Iterable[Selection]) -> list[str]:
    """The views that were read, and the files of the mapping, whose rows may depend on the role that reads them."""
    views = [str(name) for (name,) in source.answers(OF_A_ROLE)]
    return views + [f"{one.table.name}.sql" for one in selections if ASKS_WHO.search(one.select)]


def _unqualified(select: str) -> set[str]:
    """The tables that a SELECT names without their schema, quoted as it quotes them."""
    try:
        parsed = parse_one(select, dialect="postgres")
    except SqlglotError:
        return set()
    inner = {cte.alias for cte in parsed.find_all(exp.CTE)}
    tables = (table.this for table in parsed.find_all(exp.Table) if not table.db)
    return {
        name.sql(dialect="postgres") for name in tables if isinstance(name, exp.Identifier) and name.name not in inner
    }


def difference_to_owner(store: Store, shop: Shop) -> list[str]:
    """How a shop differs from the one that the store belongs to, in words; nothing for the same, or for an empty store."""
    return _owner(store).differences(shop) if store.exists(SHOP) else []


def _owner(store: Store) -> Shop:
    """The shop that a store belongs to; DamagedError where nobody can say which."""
    with suppress(DamagedError, AttributeError, TypeError):
        return well_typed(Shop.from_document(store.read_json(SHOP)))
    raise DamagedError(
        f"{store.uri(SHOP)} is damaged: it says whose rows the store holds. Where they are of the shop that is set, run "
        "`shopmill moved`, which writes it again."
    )


def fault_of_owner(store: Store) -> str | None:
    """What to do where nobody can say whose rows a store holds; None where that is known, or there are none."""
    try:
        if store.exists(SHOP):
            _owner(store)
    except DamagedError:
        return "Where it is the store of the shop that is set, run `shopmill moved`, which writes it again."
    return None


def claim(store: Store, shop: Shop) -> None:
    """Says that the store belongs to a shop; InvalidInputError where it belongs to another one."""
    if store.create(SHOP, to_json(asdict(shop))):
        return
    owner = _owner(store)
    if differences := owner.differences(shop):
        raise InvalidInputError(
            f"The store {store.url} holds rows of another shop (now: {'; '.join(differences)}), and a store belongs to one: "
            "set SHOPMILL_STORE to a store of its own, or run `shopmill moved` if this is the same shop in another place, such as "
            "one that was restored from a dump; `shopmill reconcile` then reads again what differs."
        )
    known = owner.and_what_is_known_of(shop)
    if known != owner:
        store.write(SHOP, to_json(asdict(known)))


def move(settings: Settings) -> list[str]:
    """Takes the database that the settings name as the shop of the store from now on; gives what changed."""
    store, mapping = Store(settings.store, settings.work_folder), load_mapping(settings)
    with open_source(settings, mapping) as source:
        shop = shop_of(source, _there(source))
    differences: list[str] = []
    with suppress(DamagedError):
        differences = difference_to_owner(store, shop)
    store.write(SHOP, to_json(asdict(shop)))
    return differences


def _there(source: Source) -> Iterator[Selection]:
    for table in TABLES.values():
        with suppress(MissingTableError):
            yield source.selected(table)
