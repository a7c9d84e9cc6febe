"""What an erasure is about to do, written down before it removes anything: whoever runs it again goes on from there.

erasures/work/plan.json               what is to be put in the place of what; names nobody
erasures/work/manifests/…             the new manifests
erasures/work/files/…                 files of versions that had to be written again
erasures/receipts/<person>-0001.json  what was removed where
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from shopmill.errors import DamagedError
from shopmill.source.tombstones import FOLDER
from shopmill.versions.index import Line
from shopmill.versions.shapes import well_typed
from shopmill.versions.store import Store, to_json

WORK = f"{FOLDER}/work"
PLAN = f"{WORK}/plan.json"
RECEIPTS = f"{FOLDER}/receipts"


@dataclass(frozen=True)
class Successor:
    """A version, the one that takes its place, and where its manifest waits. Both ids are the same where only notes change."""

    dataset: str
    as_of: str
    old: str
    new: str
    manifest: str
    line: Mapping[str, Any]
    """The line of the new one in the index of versions."""
    withdrawn: Mapping[str, str] | None = None
    inputs: Mapping[str, Any] | None = None
    """What the new one was made of, as the registry says it; None in a plan of older code."""

    @property
    def index_line(self) -> Line:
        """The line, typed."""
        return Line.from_document(self.line)


@dataclass(frozen=True)
class Receipt:
    """What was removed, by where it was. It names nobody: `person` is a keyed hash."""

    person: str
    at: str
    raw: Mapping[str, int] = field(default_factory=dict)
    """Rows by table of the shop."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """Rows of all versions, by dataset."""
    rewritten: tuple[Mapping[str, str], ...] = ()
    """dataset, as_of, erased_from and version of each version that is another one now."""
    embeddings: int = 0
    registry: Mapping[str, int] = field(default_factory=dict)
    """Rows by table of the registry in which something was masked."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "rewritten": [dict(one) for one in self.rewritten]}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Receipt":
        """The reverse."""
        return cls(**{**document, "rewritten": tuple(document["rewritten"])})

    @property
    def sentences(self) -> list[str]:
        """In words, a line each."""
        found = [f"raw {table}: {rows:,} rows" for table, rows in sorted(self.raw.items())]
        found += [f"{dataset}: {rows:,} rows of its versions" for dataset, rows in sorted(self.versions.items())]
        if self.rewritten:
            found.append(f"versions with a new id, which say the one they had (erased_from): {len(self.rewritten):,}")
        if self.embeddings:
            found.append(f"embeddings: {self.embeddings:,} vectors of texts that nobody else wrote")
        found += [f"registry, {table}: {rows:,} rows" for table, rows in sorted(self.registry.items()) if rows]
        return found

    @property
    def is_empty(self) -> bool:
        """Whether nothing was there to remove."""
        return not (self.raw or self.versions)


@dataclass(frozen=True)
class Plan:
    """What is to be put in the place of what. Nothing in it says who the person is."""

    receipt: Receipt
    raw: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """Of each raw file that goes: the file that takes its place, as snapshots name it, or none where it has no row left."""
    versions: tuple[Successor, ...] = ()
    vectors: tuple[str, ...] = ()
    """Hashes of texts whose vectors go."""

    def write(self, store: Store) -> None:
        """From here on the erasure goes on without knowing whom it erases."""
        versions = [vars(one) for one in self.versions]
        document = {"receipt": self.receipt.document(), "raw": self.raw, "versions": versions, "vectors": self.vectors}
        store.write(PLAN, to_json(document))

    @classmethod
    def read(cls, store: Store) -> "Plan | None":
        """The plan of an erasure that has not come to its end."""
        try:
            return cls._of(store.read_json(PLAN))
        except FileNotFoundError:
            return None
        except (AttributeError, DamagedError, KeyError, TypeError):
            raise DamagedError(
                f"{store.uri(PLAN)} is damaged: nobody can say how far the erasure came. Delete it, run `shopmill repair`, "
                "then `shopmill erase` for the same customer again."
            ) from None

    @classmethod
    def _of(cls, found: Mapping[str, Any]) -> "Plan":
        versions = tuple(well_typed(Successor(**one)) for one in found["versions"])
        receipt = well_typed(Receipt.from_document(found["receipt"]))
        return well_typed(cls(receipt, found["raw"], versions, tuple(found["vectors"])))


def keep(store: Store, receipt: Receipt) -> None:
    """Writes a receipt beside those that there are, unless this one is there."""
    name = f"{RECEIPTS}/{receipt.person}-{receipt.at.replace(':', '')}.json"
    store.write(name, to_json(receipt.document()))
