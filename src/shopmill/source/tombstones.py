"""Who was erased, as keyed hashes: what keeps a person out of the store when the shop, or a backup, still has them.

erasures/tombstones.json    a tombstone per person: the hash of the customer's id, and those of ids that were theirs alone

It does not say who they were. Who knows the key (SHOPMILL_PSEUDONYM_KEY) can ask whether a certain id is among them.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SecretStr

from shopmill.errors import DamagedError, InvalidInputError
from shopmill.source.pseudonyms import mark
from shopmill.versions.shapes import from_json, well_typed
from shopmill.versions.store import Store, to_json

FOLDER = "erasures"
KEY = f"{FOLDER}/tombstones.json"
DIGITS = 32
KINDS: Mapping[str, str] = {
    "customer_id": "customer",
    "order_id": "order",
    "visitor_id": "visitor",
    "session_id": "session",
    "review_id": "review",
}
"""What the columns of the shop's tables identify."""


def keyed(key: SecretStr, kind: str, value: str) -> str:
    """The keyed hash of an id."""
    return hmac.new(key.get_secret_value().encode(), f"{kind}\n{value}".encode(), hashlib.sha256).hexdigest()[:DIGITS]


def need_key(key: SecretStr) -> None:
    """InvalidInputError where no key is set."""
    if not key.get_secret_value():
        raise InvalidInputError(
            "Nobody can be erased without a key: set SHOPMILL_PSEUDONYM_KEY to a text that only the shop knows, and keep it."
        )


@dataclass(frozen=True)
class Tombstone:
    """One person: the hash of their id, when they were erased, whether that has come to its end, hashes of ids of theirs."""

    person: str
    at: str
    complete: bool = False
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tombstones:
    """All of a store. `mark` says which key they were made with."""

    mark: str = ""
    people: Mapping[str, Tombstone] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Store, key: SecretStr) -> "Tombstones":
        """The tombstones of a store; InvalidInputError where they were made with another key."""
        try:
            found = cls._of(store.read_json(KEY))
        except FileNotFoundError:
            return cls(mark(key))
        except (AttributeError, DamagedError, KeyError, TypeError):
            raise DamagedError(
                f"{store.uri(KEY)} is damaged: it says who was erased, and without it they could come back. "
                "Run `shopmill erase --restored`, which writes it again from the registry."
            ) from None
        if found.people and found.mark != mark(key):
            how = "another SHOPMILL_PSEUDONYM_KEY" if mark(key) else "a SHOPMILL_PSEUDONYM_KEY, which is not set"
            raise InvalidInputError(
                f"{len(found.people)} people were erased from {store.url} with {how}: set the key that was used, "
                "or they would come back."
            )
        return found

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> "Tombstones":
        people = [well_typed(Tombstone(**{**one, "ids": tuple(one["ids"])})) for one in document["people"]]
        return cls(document["mark"], {one.person: one for one in people})

    @property
    def ids(self) -> frozenset[str]:
        """The hashes of all ids that must not come back."""
        return frozenset(value for one in self.people.values() for value in (one.person, *one.ids))

    @property
    def state(self) -> str:
        """Tells apart what was erased by when; empty before the first."""
        return hashlib.sha256("\n".join(sorted(self.ids)).encode()).hexdigest()[:16] if self.people else ""

    def to_json(self) -> bytes:
        """The document."""
        people = [asdict(one) for _, one in sorted(self.people.items())]
        return to_json({"mark": self.mark, "people": people})


def put(store: Store, key: SecretStr, tombstone: Tombstone) -> None:
    """Adds a tombstone, or adds to the one that is there."""

    def changed(data: bytes | None) -> bytes:
        found = Tombstones()
        with suppress(AttributeError, KeyError, TypeError, ValueError):  # of a damaged one nothing is left to keep
            found = Tombstones._of(from_json(data or b""))
        before = found.people.get(tombstone.person)
        ids = {*tombstone.ids, *(before.ids if before else ())}
        merged = replace(tombstone, ids=tuple(sorted(ids)))
        return Tombstones(mark(key), {**found.people, tombstone.person: merged}).to_json()

    store.update(KEY, changed)


class Sieve:
    """Lets no row pass that is of a person who was erased."""

    def __init__(self, ids: frozenset[str], key: SecretStr):
        self._ids, self._key = ids, key
        self._orders: set[str] = set()  # of rows that did not pass: their items come later, and may be new

    @classmethod
    def of(cls, store: Store, key: SecretStr) -> "Sieve":
        """What the tombstones of a store hold back."""
        return cls(Tombstones.read(store, key).ids, key)

    def keep(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a batch that may pass."""
        if not self._ids:
            return batch
        names = [name for name in KINDS if name in batch.schema.names]
        held = list(self._held(names, batch))
        if not held:
            return batch
        is_held = held[0]
        for one in held[1:]:
            is_held = pc.or_(is_held, one)
        if table == "orders":
            self._orders |= set(batch.filter(is_held)["order_id"].to_pylist())
        return batch.filter(pc.invert(is_held))

    def _held(self, names: Iterable[str], batch: pa.RecordBatch) -> Iterator[pa.BooleanArray]:
        for name in names:
            values = pc.unique(batch[name]).drop_null().to_pylist()
            wanted = [value for value in values if self.holds(KINDS[name], value)]
            if wanted:
                yield pc.is_in(batch[name], value_set=pa.array(wanted, batch[name].type))

    def holds(self, kind: str, value: object) -> bool:
        """Whether an id is of somebody who was erased."""
        own = kind == "order" and value in self._orders
        return own or keyed(self._key, kind, str(value)) in self._ids
