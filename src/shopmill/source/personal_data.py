"""What raw files keep of personal columns: the value, a keyed hash of it, or nothing. Applied before anything is written.

`SHOPMILL_PERSONAL_DATA` says it for all of them, and for single ones by their names: `hash,age=drop`. Columns of a shop's own
count as personal by their names, or because they are named there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, cast, get_args

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SecretStr

from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.personal import is_personal
from shopmill.settings import Settings
from shopmill.source.contract import TABLES, SourceColumn
from shopmill.source.selection import ATTRIBUTE, MISFIT, Selection
from shopmill.source.tombstones import keyed

Action = Literal["keep", "hash", "drop"]
ACTIONS: tuple[Action, ...] = get_args(Action)
SETTING = "SHOPMILL_PERSONAL_DATA"


@dataclass(frozen=True)
class Policy:
    """What is done with personal columns: in general, and with those that are named."""

    general: Action = "keep"
    named: Mapping[str, Action] = field(default_factory=dict)
    key: SecretStr = field(default_factory=lambda: SecretStr(""))

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """The policy of the settings; InvalidInputError for one that cannot be followed."""
        general, named = "keep", {}
        for part in filter(None, (part.strip() for part in settings.personal_data.split(","))):
            name, equals, action = (word.strip() for word in part.rpartition("="))
            if action not in ACTIONS:
                raise InvalidInputError(
                    f"{SETTING}: {action!r} is none of {', '.join(ACTIONS)}.{did_you_mean(action, ACTIONS)}"
                )
            if equals:
                named[_known(name, action)] = action
            else:
                general = action
        policy = cls(cast(Action, general), named, settings.pseudonym_key)
        if "hash" in {general, *named.values()} and not settings.pseudonym_key.get_secret_value():
            raise InvalidInputError(
                f"{SETTING} asks for hashes: set SHOPMILL_PSEUDONYM_KEY to a text that only the shop knows."
            )
        return policy

    @cached_property
    def keeps_all(self) -> bool:
        """Whether every value is kept."""
        return {self.general, *self.named.values()} == {"keep"}

    @property
    def text(self) -> str:
        """Tells raw files apart that were read under another policy; empty where all is kept."""
        named = ",".join(f"{name}={action}" for name, action in sorted(self.named.items()))
        return "" if self.keeps_all else f"personal: {self.general} {named}"

    def action(self, column: SourceColumn) -> Action:
        """What is done with a column of the contract. An id that is to be dropped in general is hashed: it joins rows."""
        if not column.is_personal:
            return "keep"
        if column.name in self.named:
            return self.named[column.name]
        return "hash" if self.general == "drop" and column.name.endswith("_id") else self.general

    def action_on_own(self, name: str) -> Action:
        """What is done with a column of the shop's own."""
        return self.named.get(name, self.general if is_personal(name) else "keep")

    def apply(self, selection: Selection, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with what is kept of its personal columns."""
        if self.keeps_all:
            return batch
        actions = dict(self._actions(selection))
        columns = [
            self._kept(actions.get(name, "keep"), column)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def _actions(self, selection: Selection) -> Iterator[tuple[str, Action]]:
        for column in selection.found:
            action = self.action(column)
            yield column.name, action
            yield MISFIT + column.name, "keep" if action == "keep" else "drop"
        for number, name in enumerate(selection.own):
            yield f"{ATTRIBUTE}{number}", self.action_on_own(name)

    def _kept(self, action: Action, column: pa.Array) -> pa.Array:
        if action == "keep":
            return column
        if action == "drop" or not pa.types.is_string(column.type):  # few numbers: each could be tried
            return pa.nulls(len(column), column.type)
        encoded = column.dictionary_encode()
        hashed = pa.array([self.hashed(value) for value in encoded.dictionary.to_pylist()], column.type)
        return pc.take(hashed, encoded.indices)

    def hashed(self, value: str) -> str:
        """The keyed hash that stands for a value, the same in every table."""
        return keyed(self.key, "personal", value)

    def stands_for(self, column: str, value: str) -> str:
        """What raw files have for the value of a personal column."""
        is_hashed = self.named.get(column, "hash" if self.general == "drop" else self.general) == "hash"
        return self.hashed(value) if is_hashed else value


def _known(name: str, action: str) -> str:
    columns = [column for table in TABLES.values() for column in table.selected if column.name == name]
    if action == "drop" and any(column.is_personal and not column.optional for column in columns):
        raise InvalidInputError(f"{SETTING}: {name} cannot be dropped, for rows are known by it: use {name}=hash.")
    if columns and not any(column.is_personal for column in columns):
        personal = {column.name for table in TABLES.values() for column in table.selected if column.is_personal}
        raise InvalidInputError(
            f"{SETTING}: {name} is no personal column; these are: {', '.join(sorted(personal))}, and columns of the shop's own."
        )
    return name
