"""Which table of a shop is which of the contract, and which of its columns: by names, types, keys and references."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from shopmill.source.contract import TABLES
from shopmill.source.proposal.tables import ShopColumn, ShopTable
from shopmill.source.proposal.vocabulary import REFERENCES, ROLES, TYPES, Kind, Role, Wanted, flat, words

ORDER = (
    "customers",
    "articles",
    "order_items",
    "transactions",
    "orders",
    "returns",
    "exchange_rates",
    "reviews",
    "events",
    "promotions",
)
"""Who chooses a table first."""
GIVEN_AWAY_BY = {
    "transactions": ("quantity", "customer_id"),
    "events": ("article_id", "visitor_id", "session_id"),
    "reviews": ("article_id",),
}
"""What a table may be whatever it is called, if it has one of these columns besides those that are required."""
NEVER = {"cart", "wishlist", "wish", "backup", "bak", "tmp", "temp", "old", "archive", "test", "staging", "audit"}
"""Words of a table's name by which it is none of a shop's that count."""
BY_ITS_END = 50
"""How surely a name says a role of which the last words do, at most: the whole name says it more surely."""
POINT_AT = ("order_items", "transactions", "orders", "returns", "events", "reviews", "promotions")
"""Whose references decide by which column customers, articles and orders are known, the weightiest first."""


@dataclass(frozen=True)
class Match:
    """A table of the shop in a role, with the columns that were found; `rivals` might have it as well."""

    role: Role
    table: ShopTable
    columns: Mapping[str, ShopColumn]
    rivals: tuple[ShopTable, ...] = ()
    is_canonical: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What the role cannot do without and the table does not seem to have."""
        return tuple(c.column for c in self.role.wanted if not c.optional and c.column not in self.columns)

    @property
    def is_whole(self) -> bool:
        """Whether all that the role cannot do without was found."""
        return not self.missing

    def has(self, *names: str) -> bool:
        """Whether all these columns were found."""
        return all(name in self.columns for name in names)


def matches(tables: Iterable[ShopTable]) -> dict[str, Match]:
    """The table that each role got; a table gets one role. Those that lack something come after those that do not."""
    found: dict[str, Match] = {}
    left = list(tables)
    for is_whole in (True, False):
        for name in ORDER:
            if name not in found and (match := _best(ROLES[name], left, found, is_whole)):
                found[name] = match
                left = [table for table in left if table is not match.table]
    again = {name: replace(match, columns=_columns(match.role, match.table, found)) for name, match in found.items()}
    return _with_keys(again)


def _best(role: Role, tables: Iterable[ShopTable], chosen: Mapping[str, Match], is_whole: bool) -> Match | None:
    fitting = [match for match in _candidates(role, tables, chosen) if match.is_whole == is_whole]
    if (
        role.name == "transactions" and "order_items" in chosen
    ):  # of whose lines they are made, unless a table says that it has them
        fitting = [match for match in fitting if _rank(match) and match.is_whole]
    ranked = sorted(fitting, key=_merit, reverse=True)
    if not ranked:
        return None
    best, *others = ranked
    return replace(best, rivals=tuple(other.table for other in others if _rank(other) == _rank(best)))


def _candidates(role: Role, tables: Iterable[ShopTable], chosen: Mapping[str, Match]) -> Iterator[Match]:
    for table in tables:
        if NEVER & set(words(table.name)) or _says_another(role, table):
            continue
        match = Match(role, table, _columns(role, table, chosen), (), is_canonical(role.name, table))
        gives_away = GIVEN_AWAY_BY.get(role.name, ())
        if _rank(match) or (match.is_whole and any(match.has(name) for name in gives_away)):
            yield match


def _says_another(role: Role, table: ShopTable) -> bool:
    """Whether the end of a table's name says one role and the whole of it another: order_items are no articles."""
    end = 0 < _rank_of(role, table) <= BY_ITS_END
    return end and any(_rank_of(other, table) > BY_ITS_END for other in ROLES.values())


def _merit(match: Match) -> tuple[bool, bool, int, int]:
    return match.is_canonical, match.is_whole, _rank(match), len(match.columns)


def _rank(match: Match) -> int:
    return _rank_of(match.role, match.table)


def _rank_of(role: Role, table: ShopTable) -> int:
    """How surely the name of a table says its role: 0 not at all."""
    name, known = words(table.name), [tuple(name.split("_")) for name in role.names]
    if name == words(role.name):
        return 200
    for place, called in enumerate(known):
        if name == called or "".join(name) == "".join(called):
            return 100 - place
        if name[-len(called) :] == called:
            return BY_ITS_END - place
    return 0


def is_canonical(role: str, table: ShopTable) -> bool:
    """Whether a table is the contract's own: its name, what is required and the types fit."""
    contract = TABLES.get(role)
    if contract is None or table.name != role or not table.is_visible:
        return False
    kinds = {name: column.type for name, column in table.columns.items()}
    fit = all(c.accepts(kinds[c.name]) for c in contract.selected if c.name in kinds)
    has_required = all(c.optional or c.name in kinds for c in contract.selected)
    return fit and has_required and all(kinds.keys() & set(group) for group in contract.one_of)


def _columns(role: Role, table: ShopTable, chosen: Mapping[str, Match]) -> dict[str, ShopColumn]:
    found: dict[str, ShopColumn] = {}
    for wanted in role.wanted:
        taken = {column.name for column in found.values()}
        free = [c for c in table.columns.values() if c.name not in taken and not _is_anothers(c, wanted, role)]
        if column := _column(wanted, table, free, chosen):
            found[wanted.column] = column
    return found


def _column(wanted: Wanted, table: ShopTable, free: list[ShopColumn], chosen: Mapping[str, Match]) -> ShopColumn | None:
    target = chosen[wanted.kind].table if wanted.kind in REFERENCES and wanted.kind in chosen else None
    if target and (pointing := [c for c in free if c.refers_to and c.refers_to[0] == target.oid]):
        return pointing[0]
    kind: Kind = "id" if wanted.kind in REFERENCES else wanted.kind
    fitting = [column for column in free if column.type in TYPES[kind]]
    own = (f"{'_'.join(words(target.name))}_id",) if target else ()
    return next((c for name in (*own, *wanted.names) for c in fitting if _is_called(c, name, table)), None)


def _is_anothers(column: ShopColumn, wanted: Wanted, role: Role) -> bool:
    """Whether a column has the contract's own name of another column of the table."""
    known = TABLES[role.name].selected if role.name in TABLES else ()
    own = {one.name.lower() for one in known}
    return column.name.lower() in own - {wanted.column.lower()}


def _is_called(column: ShopColumn, name: str, table: ShopTable) -> bool:
    prefixes = ("", "".join(words(table.name)), words(table.name)[-1])
    return flat(column.name) in {prefix + flat(name) for prefix in prefixes}


def _with_keys(found: dict[str, Match]) -> dict[str, Match]:
    """Customers, articles and orders are known by the column that others refer to."""
    for role, key in (("customers", "customer_id"), ("articles", "article_id"), ("orders", "order_id")):
        match = found.get(role)
        pointing = [
            found[name].columns[key] for name in POINT_AT if name in found and name != role and found[name].has(key)
        ]
        if match and pointing and not match.is_canonical:
            found[role] = _rekeyed(match, key, _target(pointing[0], match, key))
    return found


def _target(pointing: ShopColumn, match: Match, key: str) -> ShopColumn | None:
    """The column that a reference means: of its foreign key, of its own name, or the table's id."""
    columns = match.table.columns
    if pointing.refers_to and pointing.refers_to[0] == match.table.oid:
        return columns.get(pointing.refers_to[1])
    same = [column for column in columns.values() if flat(column.name) == flat(pointing.name)]
    ids = [column for column in columns.values() if flat(column.name) == "id" and pointing.name.lower().endswith("id")]
    return next(iter([*same, *ids]), match.columns.get(key))


def _rekeyed(match: Match, key: str, target: ShopColumn | None) -> Match:
    if target is None:
        return match
    others = {name: column for name, column in match.columns.items() if name != key and column.name != target.name}
    return replace(match, columns={key: target, **others})
