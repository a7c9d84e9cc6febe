"""Who a customer is to the store: the orders, visitors, sessions and reviews that are theirs alone, addresses and texts."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SecretStr

from shopmill.source.tombstones import keyed, need_key
from shopmill.text.cache import text_hash
from shopmill.text.clean import clean_texts
from shopmill.trust.erasure.holdings import Holding, Holdings
from shopmill.trust.erasure.person import Person

OWNER = "customer_id"
LINKS = {"order_id": "order", "visitor_id": "visitor", "session_id": "session", "review_id": "review"}
VISITOR = "visitor_key"
VISITORS = {"visitor_id:": "visitor", "visitor:": "session"}
TEXTS = ("review_text", "text_clean")
OTHERS = ("attributes", "misfits")
"""Texts of the customer's own row that may have an address in them."""
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
HASHES = ("text_hash", "content_hash")
Ids = dict[str, set[str]]


def find(holdings: Holdings, customers: Iterable[str]) -> tuple[Person, Mapping[str, int]]:
    """The person whose ids as a customer these are, and how many rows have such an id, by the key of the file."""
    own = pa.array(sorted(customers), pa.string())
    ids: Ids = defaultdict(set)
    texts: set[str] = set()
    addresses: set[str] = set()
    rows: dict[str, int] = defaultdict(int)
    for holding, batch in _owned(holdings):
        theirs = batch.filter(pc.fill_null(pc.is_in(batch[OWNER], value_set=own), False))
        if theirs.num_rows:
            rows[holding.key] += theirs.num_rows
            for kind, values in _linked(theirs).items():
                ids[kind] |= values
            texts |= {text for name in TEXTS if name in theirs.schema.names for text in _values(theirs, name)}
            addresses |= _addresses(holding, theirs)
    addresses |= {value for value in own.to_pylist() if ADDRESS.fullmatch(value)}
    if any(ids.values()):
        for kind, shared in _shared(holdings, own, ids).items():
            ids[kind] -= shared
    alone = {kind: frozenset(values) for kind, values in ids.items() if values}
    return Person({**alone, "customer": frozenset(own.to_pylist())}, frozenset(addresses), frozenset(texts)), rows


def returned(holdings: Holdings, key: SecretStr, ids: Collection[str]) -> list[str]:
    """The customers in the store whose hashes are among those of people who were erased from it."""
    if not ids:
        return []
    need_key(key)
    found: set[str] = set()
    for holding in (*holdings.raw, *holdings.published):
        for batch in holdings.rows(holding, lambda names: [name for name in names if name == OWNER]):
            found |= {one for one in _values(batch, OWNER) - found if keyed(key, "customer", one) in ids}
    return sorted(found)


def _owned(holdings: Holdings) -> Iterator[tuple[Holding, pa.RecordBatch]]:
    """The rows that say whose they are, with what else they say."""

    def wanted(names: list[str]) -> list[str]:
        known = (OWNER, *LINKS, VISITOR, *TEXTS, *OTHERS)
        return [name for name in names if name in known] if OWNER in names else []

    for holding in (*holdings.raw, *holdings.published):
        for batch in holdings.rows(holding, wanted):
            yield holding, batch


def _values(batch: pa.RecordBatch, name: str) -> set[str]:
    return {str(value) for value in pc.unique(batch[name].drop_null()).to_pylist()}


def _linked(batch: pa.RecordBatch) -> Ids:
    found: Ids = defaultdict(set)
    for name, kind in LINKS.items():
        if name in batch.schema.names:
            found[kind] |= _values(batch, name)
    if VISITOR in batch.schema.names:
        for key in _values(batch, VISITOR):
            for beginning, kind in VISITORS.items():
                if key.startswith(beginning):
                    found[kind].add(key.removeprefix(beginning))
                    break
    return found


def _addresses(holding: Holding, batch: pa.RecordBatch) -> set[str]:
    if holding.dataset or holding.table != "customers":
        return set()
    texts = (text for name in OTHERS if name in batch.schema.names for text in _values(batch, name))
    return {address for text in texts for address in ADDRESS.findall(text)}


def _shared(holdings: Holdings, own: pa.Array, ids: Ids) -> Ids:
    """The ids that somebody else's rows have too."""
    found: Ids = defaultdict(set)
    for _, batch in _owned(holdings):
        is_own = pc.is_in(batch[OWNER], value_set=own)
        is_others = pc.and_(pc.is_valid(batch[OWNER]), pc.invert(is_own))
        others = batch.filter(pc.and_(is_others, _with_one_of(batch, ids)))
        for kind, values in _linked(others).items():
            found[kind] |= values & ids[kind]
    return found


def _with_one_of(batch: pa.RecordBatch, ids: Ids) -> pa.BooleanArray:
    """Which rows have one of some ids: those of a person are few, and to look at each row's would take long."""
    named = {name: ids[kind] for name, kind in LINKS.items()}
    named[VISITOR] = {f"{beginning}{value}" for beginning, kind in VISITORS.items() for value in ids[kind]}
    nobody = pa.array([False] * batch.num_rows, pa.bool_())
    found = (
        pc.is_in(batch[name], value_set=pa.array(sorted(values), batch[name].type))
        for name, values in named.items()
        if values and name in batch.schema.names
    )
    return reduce(pc.or_, found, nobody)


def vectors_of(holdings: Holdings, person: Person) -> frozenset[str]:
    """The hashes of texts that the person alone wrote."""
    hashes = {text_hash(text) for text in _cleaned(person.texts)}
    for name, batch, is_theirs in _hashed(holdings, person):
        hashes |= _values(batch.filter(is_theirs), name)
    candidates = pa.array(sorted(hashes), pa.string())
    for name, batch, is_theirs in _hashed(holdings, person):
        by_others = batch.filter(pc.invert(is_theirs))
        hashes -= _values(by_others.filter(pc.is_in(by_others[name], value_set=candidates)), name)
    return frozenset(hashes)


def _hashed(holdings: Holdings, person: Person) -> Iterator[tuple[str, pa.RecordBatch, pa.BooleanArray]]:
    """The published rows with the hash of a text, and whether they are of a review of the person."""
    reviews = pa.array(sorted(person.ids.get("review", ())), pa.string())
    for holding in holdings.published:
        for batch in holdings.rows(holding, lambda names: [name for name in names if name in (*HASHES, "review_id")]):
            for name in (column for column in HASHES if column in batch.schema.names):
                yield name, batch, _is_of(batch, reviews)


def _is_of(batch: pa.RecordBatch, reviews: pa.Array) -> pa.BooleanArray:
    if "review_id" not in batch.schema.names:
        return pa.array([False] * batch.num_rows, pa.bool_())
    return pc.is_in(batch["review_id"], value_set=reviews)


def _cleaned(texts: Iterable[str]) -> Iterator[str]:
    every = sorted(texts)
    yield from every
    if every:
        yield from (text for text in clean_texts(pa.array(every))["text_clean"].to_pylist() if text)
