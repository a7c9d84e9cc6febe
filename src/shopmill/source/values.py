"""Values on their way in, a batch at a time: texts trimmed, words of vocabularies in their plain spelling, what is no UTF-8
refused by name, what loses digits counted.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from shopmill.errors import InvalidInputError
from shopmill.source.selection import ATTRIBUTE, MISFIT, Selection
from shopmill.vocabulary import plain

UNSEEN = (
    (0x01, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F),
    (0x205F, 0x2064), (0x2066, 0x2069), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
BLANKS = "".join(chr(number) for first, last in UNSEEN for number in range(first, last + 1))
"""What stands around a text and nobody sees: blanks, control characters, marks of the direction of writing."""
SMALL = r"e-(0[7-9]|[1-9])|\.\d*e-"
SEVEN_DIGITS = r"^-?[0.]*[1-9](\.?\d){6}"
FLOATS = {"float4": [SMALL, SEVEN_DIGITS], "float8": [SMALL]}
"""How floats that lose digits are written, besides with too many places: `real` is certain of six digits only."""


@dataclass
class Counts:
    """What came of the values of one table: rows, values that did not fit by column, and values that lost digits."""

    rows: int = 0
    misfits: Counter[str] = field(default_factory=Counter)
    lossy: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Counts") -> None:
        """Adds what another stream of the same table had."""
        self.rows += other.rows
        self.misfits.update(other.misfits)
        self.lossy.update(other.lossy)


class Cleaner:
    """Makes the batches of one selection clean, and counts the numbers in them that lose digits."""

    def __init__(self, selection: Selection, encoding: str, lossy: Counter[str]):
        self._table, self._lossy = selection.table.name, lossy
        self._only_ascii = encoding == "SQL_ASCII"
        types = {column.name: column.type for column in selection.found}
        self._prose = {column.name for column in selection.found if column.is_prose}
        self._words = {column.name for column in selection.found if column.is_word}
        self._numbers = {
            name: (_places(kind), selection.types[name]) for name, kind in types.items() if kind.startswith("decimal")
        }
        self._names = {f"{ATTRIBUTE}{number}": name for number, name in enumerate(selection.own)}

    def clean(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its texts trimmed and null where they are blank."""
        columns = [self._clean(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def _clean(self, name: str, column: pa.Array) -> pa.Array:
        if name in self._numbers:
            self._count_lossy(name, column)
            return column
        if not pa.types.is_string(column.type) or name.startswith(MISFIT):
            return column
        self._refuse_wrong_bytes(name, column)
        trimmed = pc.utf8_trim(_plain(column) if name in self._words else column, BLANKS)
        kept = column if name in self._prose else trimmed
        blank = pc.equal(pc.binary_length(trimmed), 0)
        return pc.if_else(blank, pa.scalar(None, pa.string()), kept) if pc.any(blank).as_py() else kept

    def _refuse_wrong_bytes(self, name: str, column: pa.Array) -> None:
        try:
            column.validate(full=True)
            is_readable = not self._only_ascii or pc.all(pc.string_is_ascii(column)).as_py() is not False
        except pa.ArrowInvalid:
            is_readable = False
        if not is_readable:
            raise unreadable(self._table, self._names.get(name, name), self._only_ascii)

    def _count_lossy(self, name: str, column: pa.Array) -> None:
        """Counts numbers with more places than the contract keeps, and those of which `real` has lost digits already."""
        if not pa.types.is_string(column.type):
            return
        kept, kind = self._numbers[name]
        places = pc.subtract(pc.binary_length(column), pc.add(pc.find_substring(column, "."), 1))
        most = pc.max(places).as_py()
        patterns = [rf"\.\d{{{kept}}}0*[1-9]"] if most is not None and most > kept else []
        patterns += FLOATS.get(kind, [])
        if patterns:
            matches = pc.match_substring_regex(column, "|".join(patterns))
            self._lossy[name] += pc.sum(matches).as_py() or 0


def _plain(words: pa.Array) -> pa.Array:
    """Words in their plain spelling: each different one is looked at once."""
    if pc.all(pc.string_is_ascii(words)).as_py() is not False:
        return words
    encoded = words.dictionary_encode()
    return pa.array([plain(word) for word in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)


def _places(decimal: str) -> int:
    return int(decimal.rstrip(")").rpartition(",")[2])


def unreadable(table: str, column: str, is_sql_ascii: bool) -> InvalidInputError:
    """The error for text that is not in the encoding that the database says."""
    if is_sql_ascii:
        return InvalidInputError(
            f"{table}.{column} has characters beyond ASCII, and the database (SQL_ASCII) does not say what they are: "
            "set SHOPMILL_SOURCE_ENCODING=UTF8 if they are UTF-8, or convert the column in the mapping "
            f"(convert_from(convert(column::bytea, 'LATIN1', 'UTF8'), 'UTF8')) and set it then."
        )
    return InvalidInputError(
        f"{table}.{column} has bytes that are no UTF-8: convert the column in the mapping, or fix the rows."
    )


def counted_misfits(column: pa.Array) -> Counter[str]:
    """How many values of each column did not fit, from the column `misfits`."""
    counts: Counter[str] = Counter()
    if column.null_count < len(column):
        for text in column.drop_null().to_pylist():
            counts.update(json.loads(text).keys())
    return counts
