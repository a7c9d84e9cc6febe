"""A file of the mapping for each table that a shop has under names of its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from shopmill.personal import is_personal
from shopmill.source.contract import TABLES
from shopmill.source.database import Source
from shopmill.source.proposal.drafts import Draft, Item, id_item, price_item, time_item, word_item
from shopmill.source.proposal.matching import Match
from shopmill.source.proposal.tables import ShopColumn
from shopmill.source.proposal.values import count, currency_column, words_of
from shopmill.source.proposal.vocabulary import CURRENCIES, EMAILS, NEGATED, flat

NOT_YET_ORDERS = ("cart", "basket", "draft", "quot", "abandon", "incomplete")


def drafts(source: Source, found: Mapping[str, Match]) -> tuple[Draft, ...]:
    """The files that a shop needs; none for tables that have the contract's own names and types."""
    files = Files(source, found)
    made = (files.customers(), files.articles(), *files.sales(), files.rates(), *files.others())
    canonical = {name for name, match in found.items() if match.is_canonical}
    return tuple(draft for draft in made if draft and draft.table not in canonical)


@dataclass(frozen=True)
class Files:
    """The drafts of a shop's tables."""

    source: Source
    found: Mapping[str, Match]

    def customers(self) -> Draft | None:
        """Who buys; of a shop without such a table, who is named by its sales."""
        return self._dimension("customers") or self._named_in_sales(
            "customers", "customer_id", "created_at", "min", "t_dat"
        )

    def articles(self) -> Draft | None:
        """What is sold; of a shop without such a table, what is named by its sales."""
        return self._dimension("articles") or self._named_in_sales("articles", "article_id", "prod_name", "max", "")

    def _dimension(self, name: str) -> Draft | None:
        match = self.found.get(name)
        if match is None:
            return None
        items = [*_items(match), *(_is_listed(match) if name == "articles" else ())]
        used = " ".join(item.expression for item in items)
        own = [c.name for c in match.table.columns.values() if c.sql not in used and not is_personal(c.name)]
        question = (
            [f"More columns: {', '.join(own)}. Are any worth keeping? Those that you select become attributes."]
            if own
            else []
        )
        return _draft(match, items, questions=question)

    def _named_in_sales(self, name: str, key: str, other: str, of: str, column: str) -> Draft | None:
        sales = self.found.get("transactions")
        if sales is None or sales.is_canonical or not sales.has(key):
            return None
        ours = sales.columns[key]
        described = [
            c for c in sales.table.columns.values() if flat(c.name) in {"description", "name", "title", "productname"}
        ]
        value = sales.columns[column] if column else next(iter(described), None)
        items = [id_item(key, ours)]
        if value:
            made = time_item(other, value) if column else word_item(other, value)
            items.append(Item(other, f"{of}({made.expression})", made.note))
        about = f"{name}: there is no table of them, so they are those that {sales.table.sql} names."
        return Draft(
            name, about, tuple(items), sales.table.sql, (f"where {ours.sql} is not null", f"group by {ours.sql}")
        )

    def sales(self) -> Iterator[Draft]:
        """Transactions, orders and their items: of an order and its lines, or of one table of sales."""
        flat_sales, lines, orders = (self.found.get(name) for name in ("transactions", "order_items", "orders"))
        if flat_sales:
            yield self._flat_transactions(flat_sales)
        elif lines and orders:
            yield self._joined_transactions(lines, orders)
        if orders:
            yield self._orders(orders)
        elif flat_sales and not lines and flat_sales.has("order_id"):
            yield from self._orders_of(flat_sales)
        if lines:
            yield self._order_items(lines)

    def _flat_transactions(self, match: Match) -> Draft:
        items = [item for item in _items(match, self._currency(match)) if item.column != "order_id"]
        return _draft(match, items, self._bought(match, ""))

    def _joined_transactions(self, lines: Match, orders: Match) -> Draft:
        time, placed = orders.columns.get("order_datetime"), orders.columns
        items = [time_item("t_dat", time, "placed.", as_day=True)] if time else []
        items += [id_item("customer_id", placed["customer_id"], "placed.")] if "customer_id" in placed else []
        items += [i for i in _items(lines, alias="line.") if i.column in {"article_id", "price", "quantity"}]
        items += self._money(lines, orders)
        items += [time_item("changed_at", placed["changed_at"], "placed.")] if "changed_at" in placed else []
        condition, questions = self._only_orders(orders, "placed.", where := self._bought(lines, "line."))
        rows = f"{lines.table.sql} as line\njoin {orders.table.sql} as placed on {_on(lines, orders)}"
        about = f"transactions: the lines of {lines.table.sql}, dated by their order in {orders.table.sql}."
        missing = tuple(name for name in ("article_id", "price") if name not in lines.columns)
        undecided = (*missing, *([] if time else ["t_dat"]))
        return Draft("transactions", about, tuple(items), rows, (*where, *condition), tuple(questions), undecided)

    def _money(self, lines: Match, orders: Match) -> list[Item]:
        if column := self._currency(orders).get("currency"):
            return [word_item("currency", column, "placed.")]
        column = self._currency(lines).get("currency")
        return [word_item("currency", column, "line.")] if column else []

    def _orders(self, match: Match) -> Draft:
        condition, questions = self._only_orders(match, "", ())
        return _draft(match, _items(match, self._currency(match)), tuple(condition), [*questions, *self._guests(match)])

    def _orders_of(self, match: Match) -> Iterator[Draft]:
        """Orders and their items of a table that has both in one row."""
        order, time = match.columns["order_id"], time_item("order_datetime", match.columns["t_dat"])
        items = [id_item("order_id", order), Item("order_datetime", f"min({time.expression})", time.note)]
        if match.has("customer_id"):
            customer = id_item("customer_id", match.columns["customer_id"])
            items.append(Item("customer_id", f"max({customer.expression})"))
        if column := self._currency(match).get("currency"):
            items.append(Item("currency", f"max({column.sql})"))
        about = f"orders: the rows of {match.table.sql} that share {order.name}."
        more = (f"where {order.sql} is not null", f"group by {order.sql}")
        yield Draft("orders", about, tuple(items), match.table.sql, more)
        kept = [
            item
            for item in _items(match)
            if item.column in {"order_id", "article_id", "price", "quantity", "changed_at"}
        ]
        kept += [] if match.has("quantity") else [Item("quantity", "1")]
        about = f"order_items: the rows of {match.table.sql}; below 0 came back, on the day of its row."
        kept.append(time_item("item_datetime", match.columns["t_dat"]))
        yield Draft("order_items", about, tuple(kept), match.table.sql)

    def _order_items(self, match: Match) -> Draft:
        wanted = [
            name
            for name in ("order_id", "article_id", "quantity", "price", "item_datetime", "changed_at")
            if match.has(name)
        ]
        by_name = {item.column: item for item in _items(match)}
        items = [by_name[name] for name in wanted]
        items += [] if match.has("quantity") else [Item("quantity", "1", "no column says how many: a line is one unit")]
        returns = self.found.get("returns")
        if returns is None:
            return _draft(match, items)
        if returns.missing or "price" not in returns.columns:
            question = (
                f"{returns.table.sql} looks like what came back. Add its lines with a quantity below 0 (union all)."
            )
            return _draft(match, items, questions=[question])
        items += [] if "item_datetime" in wanted else [Item("item_datetime", "null::timestamptz")]
        return _draft(match, items, ("union all", *_returned(returns, [item.column for item in items])))

    def rates(self) -> Draft | None:
        """What currencies are worth. A column that is called like a currency holds their rates, and that is the shop's own."""
        match = self.found.get("exchange_rates")
        if match is None:
            return None
        items, own = _items(match), self.own_currency
        if own and not match.has("rate"):
            items.append(Item("rate", self._rate_column.sql, f"in {own}") if self._rate_column else Item("rate", "?"))
        draft = _draft(match, items)
        undecided = tuple(name for name in draft.undecided if name != "rate" or not own)
        return Draft(draft.table, draft.about, draft.items, draft.rows, draft.more, draft.questions, undecided)

    @cached_property
    def _rate_column(self) -> ShopColumn | None:
        match = self.found.get("exchange_rates")
        columns = match.table.columns.values() if match else ()
        return next((column for column in columns if column.name.upper() in CURRENCIES), None)

    @property
    def own_currency(self) -> str:
        """The currency that the rates are in, where their column says so."""
        return self._rate_column.name.upper() if self._rate_column else ""

    def others(self) -> Iterator[Draft]:
        """Events, reviews and promotions: a table each."""
        for name in ("events", "reviews", "promotions"):
            if match := self.found.get(name):
                yield _draft(match, _items(match))

    def _currency(self, match: Match) -> dict[str, ShopColumn]:
        if match.has("currency"):
            return {"currency": match.columns["currency"]}
        column = currency_column(self.source, match.table, {column.name for column in match.columns.values()})
        return {"currency": column} if column else {}

    def _bought(self, match: Match, alias: str) -> tuple[str, ...]:
        """Leaves out of the sales what came back, where a look finds such lines."""
        column = match.columns.get("quantity")
        if column is None or not count(self.source, match.table.sql, column.sql, f"{column.sql} <= 0")[0]:
            return ()
        return (f"where {alias}{column.sql} > 0  -- the others came back: they are in order_items",)

    def _only_orders(self, match: Match, alias: str, before: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """What leaves carts and drafts out, for a person to decide."""
        column = match.columns.get("order_status")
        if column is None:
            return [], []
        words = words_of(self.source, match.table.sql, column.sql)
        doubtful = [word for word in words.counts if any(part in word.lower() for part in NOT_YET_ORDERS)]
        if not doubtful:
            return [], []
        listed = ", ".join("'" + word.replace("'", "''") + "'" for word in doubtful)
        question = f"Are these no orders yet: {words.listed(doubtful)} of {column.name}? If so, take the dashes of the last line away."
        return [f"-- {'and' if before else 'where'} {alias}{column.sql} not in ({listed})"], [question]

    def _guests(self, match: Match) -> list[str]:
        email = next((c for c in match.table.columns.values() if flat(c.name) in EMAILS), None)
        customer = match.columns.get("customer_id")
        if email is None or customer is None:
            return []
        guests, rows = count(self.source, match.table.sql, customer.sql, f"{customer.sql} is null")
        question = (
            f"{guests:,} of {rows:,} have no {customer.name}: guests, whom nobody knows. Should they be known by their "
            f"{email.name}? docs/your-shop.md, People without an account, has the SQL and the key."
        )
        return [question] if guests else []


def _on(lines: Match, orders: Match) -> str:
    ours, theirs = lines.columns.get("order_id"), orders.columns.get("order_id")
    if ours is None or theirs is None:
        return "?"
    cast = "" if ours.type == theirs.type else "::text"
    return f"placed.{theirs.sql}{cast} = line.{ours.sql}{cast}"


def _returned(match: Match, columns: Iterable[str]) -> list[str]:
    by_name = {item.column: item.expression for item in _items(match)}
    by_name["quantity"] = f"-abs({by_name['quantity']})"
    listed = ", ".join(by_name.get(name, "null") for name in columns)
    return [f"select {listed}", f"from {match.table.sql}  -- what came back, on the day on which it did"]


def _is_listed(match: Match) -> list[Item]:
    if match.has("is_listed"):
        return []
    for column in match.table.columns.values():
        if column.type == "bool" and flat(column.name) in NEGATED:
            return [Item("is_listed", f"not {column.sql}")]
        if column.type.startswith("timestamp") and flat(column.name) in {"deletedat", "archivedat", "discontinuedat"}:
            return [Item("is_listed", f"{column.sql} is null")]
    return []


def _items(match: Match, more: Mapping[str, ShopColumn] | None = None, alias: str = "") -> list[Item]:
    """The columns of a match, each brought into the type of the contract."""
    contract = TABLES.get(match.role.name, TABLES["order_items"])
    kinds = {column.name: column.type for column in contract.columns} | {"order_id": "varchar"}
    return [
        _item(match, name, column, kinds, alias)
        for name, column in {**match.columns, **(more or {})}.items()
        if name in kinds
    ]


def _item(match: Match, name: str, column: ShopColumn, kinds: Mapping[str, str], alias: str) -> Item:
    if name == "price":
        units = match.columns.get("quantity")
        return price_item(name, column, alias, alias + units.sql if units else "")
    if kinds[name] in {"timestamptz", "date"}:
        return time_item(name, column, alias, as_day=kinds[name] == "date")
    is_code = kinds[name] == "varchar" and column.type in {"int2", "int4", "int8", "numeric"}
    return id_item(name, column, alias) if is_code else word_item(name, column, alias)


def _draft(match: Match, items: Iterable[Item], more: Iterable[str] = (), questions: Iterable[str] = ()) -> Draft:
    name, table = match.role.name, match.table.sql
    rivals = ", ".join(rival.sql for rival in match.rivals)
    doubt = [f"Is it {table}, or {rivals}?"] if rivals else []
    return Draft(name, f"{name}: {table}.", tuple(items), table, tuple(more), (*doubt, *questions), match.missing)
