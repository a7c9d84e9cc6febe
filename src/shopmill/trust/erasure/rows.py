"""Parquet files without the rows of a person: which rows are theirs, and the file written again without them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopmill.engine.splitting import ROW_GROUP
from shopmill.personal import MASK, SOURCE_ROW
from shopmill.trust.erasure.person import Person, kinds_in

BATCH_ROWS = 65_536
NUMBER, ORIGINAL, REVIEW = "customer_index", "duplicate_of", "review_id"


@dataclass(frozen=True)
class Touched:
    """What a file has of a person: rows of theirs, and values of other rows that name them."""

    rows: int = 0
    values: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.values)


def touched(path: Path, person: Person, owned: int) -> Touched:
    """What a file has of a person, by a look at the columns that can show it.

    `owned` are its rows with their id as a customer: where nothing else can show more, it is not read again.
    """
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        texts = _texts(schema) if person.addresses else []
        if not texts and _has_customers_alone(schema.names, person):
            return Touched(owned)
        columns = list(dict.fromkeys([*kinds_in(schema.names), *_referring(schema.names), *texts]))
        if not columns:
            return Touched()
        rows = values = 0
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            theirs = _theirs(batch, person)
            rows += pc.sum(theirs).as_py() or 0
            values += _naming(batch.filter(pc.invert(theirs)), person)
    return Touched(rows, values)


def _has_customers_alone(names: list[str], person: Person) -> bool:
    """Whether nothing but the id of a customer can make a row of a file theirs."""
    showing = {*person.named, *_referring(names), SOURCE_ROW}
    return showing.intersection(names) <= {"customer_id"}


def _referring(names: list[str]) -> list[str]:
    return [ORIGINAL] if ORIGINAL in names and REVIEW in names else []


def _texts(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]


def _naming(batch: pa.RecordBatch, person: Person) -> int:
    found = 0
    for name in _referring(batch.schema.names):
        found += pc.sum(_is_in(batch[name], person.ids.get("review", frozenset()))).as_py() or 0
    if person.addresses:
        for name in _texts(batch.schema):
            found += pc.sum(pc.match_substring_regex(batch[name], _pattern(person))).as_py() or 0
    return found


def _pattern(person: Person) -> str:
    return "(?i)" + "|".join(re.escape(address) for address in sorted(person.addresses))


def _is_in(column: pa.Array, values: frozenset[str]) -> pa.BooleanArray:
    return pc.is_in(column, value_set=pa.array(sorted(values), column.type))


def _theirs(batch: pa.RecordBatch, person: Person) -> pa.BooleanArray:
    """Which rows are the person's."""
    by_id = [_is_in(batch[name], values) for name, values in person.named.items() if name in batch.schema.names]
    if SOURCE_ROW in batch.schema.names:
        by_id.append(pa.array([person.has(text) for text in batch[SOURCE_ROW].to_pylist()], pa.bool_()))
    nobody = pa.array([False] * batch.num_rows, pa.bool_())
    return reduce(pc.or_, (pc.fill_null(one, False) for one in by_id), nobody)


def without(path: Path, person: Person) -> Iterator[pa.RecordBatch]:
    """The rows of a file that are left, in the types of the file.

    A number that was given to a customer for ever is kept, and names nobody (`erased-17-9c41d2e0`). Reviews that repeat an erased
    one get the first of them as their original.
    """
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        heirs = _heirs(file, person) if _referring(schema.names) else {}
        if NUMBER in schema.names and "customer_id" in schema.names:
            yield from _renamed(file.read(), person).to_batches()
            return
        for batch in file.iter_batches(BATCH_ROWS):
            left = batch.filter(pc.invert(_theirs(batch, person)))
            yield _masked(_inherited(left, heirs), person)


def _renamed(table: pa.Table, person: Person) -> pa.Table:
    theirs = _is_in(table["customer_id"], person.ids["customer"])
    names = pc.binary_join_element_wise("erased", table[NUMBER].cast(pa.string()), person.mark, "-")
    place = table.schema.get_field_index("customer_id")
    renamed = table.set_column(place, table.schema.field(place), pc.if_else(theirs, names, table["customer_id"]))
    return renamed.sort_by("customer_id")


def _heirs(file: pq.ParquetFile, person: Person) -> Mapping[str, str]:
    """Of each erased review that others repeat, the first of the others."""
    reviews = person.ids.get("review", frozenset())
    names = [name for name in (REVIEW, ORIGINAL, "review_date", "customer_id") if name in file.schema_arrow.names]
    first: dict[str, tuple[Any, str]] = {}
    for batch in file.iter_batches(BATCH_ROWS, columns=names):
        left = batch.filter(pc.and_(pc.invert(_theirs(batch, person)), _is_in(batch[ORIGINAL], reviews)))
        for row in left.to_pylist():
            mine = (row.get("review_date"), row[REVIEW])
            first[row[ORIGINAL]] = min(first.get(row[ORIGINAL], mine), mine)
    return {original: review for original, (_, review) in first.items()}


def _inherited(batch: pa.RecordBatch, heirs: Mapping[str, str]) -> pa.RecordBatch:
    if not heirs or not batch.num_rows:
        return batch
    pairs = zip(batch[REVIEW].to_pylist(), batch[ORIGINAL].to_pylist(), strict=True)
    heir_of = [(review, heirs.get(original, original)) for review, original in pairs]
    column = pa.array([None if heir == review else heir for review, heir in heir_of], batch[ORIGINAL].type)
    place = batch.schema.get_field_index(ORIGINAL)
    return batch.set_column(place, batch.schema.field(place), column)


def _masked(batch: pa.RecordBatch, person: Person) -> pa.RecordBatch:
    """The batch without the person's addresses in what others wrote."""
    if not person.addresses:
        return batch
    for name in _texts(batch.schema):
        if pc.any(pc.match_substring_regex(batch[name], _pattern(person))).as_py():
            place = batch.schema.get_field_index(name)
            column = pc.replace_substring_regex(batch[name], _pattern(person), MASK)
            batch = batch.set_column(place, batch.schema.field(place), column)
    return batch


def rewrite(source: Path, target: Path, person: Person) -> int:
    """Writes a file of a version without the rows of a person; gives how many are left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetFile(source) as file:
        schema = file.schema_arrow
    rows = 0
    with pq.ParquetWriter(target, schema, compression="zstd", store_schema=False) as writer:
        for group in _groups(without(source, person), schema):
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
        if not rows:
            writer.write_table(schema.empty_table())
    return rows


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in row groups of the usual size."""
    held = schema.empty_table()
    for batch in batches:
        held = pa.concat_tables([held, pa.Table.from_batches([batch], schema=schema)])
        while held.num_rows >= ROW_GROUP:
            yield held.slice(0, ROW_GROUP)
            held = held.slice(ROW_GROUP)
    if held.num_rows:
        yield held
