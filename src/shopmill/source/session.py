"""One repeatable-read, read-only transaction on the shop's database, streamed as Arrow through ADBC."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

import pyarrow as pa
from adbc_driver_manager.dbapi import Connection

from shopmill.engine.identifiers import literal
from shopmill.settings import Settings
from shopmill.source.contract import SourceTable
from shopmill.source.database_errors import THE_DATABASE, explained
from shopmill.source.patience import SilentSourceError, patiently
from shopmill.source.pseudonyms import session_settings
from shopmill.source.values import BLANKS
from shopmill.vocabulary import ALIKE, DOTTED_I

T = TypeVar("T")
CLIENT_ENCODING = "case current_setting('server_encoding') when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end"
"""Bytes of a database that does not know its encoding come as they are, and are looked at here, column by column."""


class Session:
    """The database as it was at one moment: all reads see the same snapshot and cannot write."""

    def __init__(self, connection: Connection, settings: Settings):
        self._connection = connection
        self.settings = settings
        self.is_left_behind = False

    def begin(self) -> None:
        """Begins the transaction: what it sees is of the moment of its first query.

        All that is set ends with it: behind a pooler the next transaction may be another client's.
        """
        values = {
            "timezone": self.settings.time_zone,
            "datestyle": "ISO, YMD",
            "intervalstyle": "postgres",
            "bytea_output": "hex",
            "xmlbinary": "base64",
            "extra_float_digits": "1",
            "quote_all_identifiers": "off",
            "standard_conforming_strings": "on",
            "transform_null_equals": "off",
            "lock_timeout": f"{self.settings.source_patience_seconds * 800:.0f}",
            "row_security": "on" if self.settings.row_security == "allow" else "off",
            "shopmill.time_zone": self.settings.time_zone,
            "shopmill.currency": self.settings.currency,
            **session_settings(self.settings.pseudonym_key),
        }
        sets = ", ".join(f"set_config({literal(name)}, {literal(value)}, true)" for name, value in values.items())
        with explained(THE_DATABASE):
            self._ask("set transaction isolation level repeatable read, read only")
            self._ask(f"select {sets}, set_config('client_encoding', {CLIENT_ENCODING}, true)")

    @cached_property
    def encoding(self) -> str:
        """What text of the shop is in: UTF8, or SQL_ASCII where the database does not know."""
        if self.settings.source_encoding:
            return self.settings.source_encoding
        return "SQL_ASCII" if self.server_encoding == "SQL_ASCII" else "UTF8"

    @cached_property
    def server_encoding(self) -> str:
        """What the database keeps text in, as PostgreSQL names it."""
        return str(self.value("select current_setting('server_encoding')"))

    def trimmed(self, text: str) -> str:
        """The SQL of a text without the blanks around it, which are cut off as it is read.

        Outside of UTF8 these are ASCII's alone: a database knows only the characters of its own encoding.
        """
        known = BLANKS if self.server_encoding == "UTF8" else "".join(filter(str.isascii, BLANKS))
        return f"btrim({_usual(text)}, {literal(known)})"

    def plain(self, word: str) -> str:
        """The SQL of a word in its plain spelling. Of other encodings than UTF8, PostgreSQL knows no normal form."""
        if self.server_encoding != "UTF8":
            return word
        letters = "".join(map(chr, ALIKE)), "".join(map(str, ALIKE.values()))
        alike = f"translate(normalize({_usual(f'{word}::text')}, NFKC), {literal(letters[0])}, {literal(letters[1])})"
        return f"replace({alike}, {literal(DOTTED_I)}, 'i')"

    def value(self, query: str) -> object:
        """The one value of a small query about the database itself."""
        with explained(THE_DATABASE):
            return (self._ask(query)[1] or [(None,)])[0][0]

    def answers(self, query: str) -> list[tuple[object, ...]]:
        """All rows of a small query about the database itself."""
        with explained(THE_DATABASE):
            return self._ask(query)[1]

    @contextmanager
    def stream(self, table: SourceTable, query: str) -> Iterator[pa.RecordBatchReader]:
        """The rows of `query` as Arrow batches, as PostgreSQL sends them: not held in memory."""
        cursor = self._connection.cursor()
        try:
            with explained(table.name):
                self._wait(lambda: cursor.execute(query))
                yield cursor.fetch_record_batch()
        except SilentSourceError:
            self.is_left_behind = True
            raise
        finally:
            if not self.is_left_behind:
                cursor.close()

    def again(self) -> None:
        """A new transaction in the place of one that an error ended."""
        self._connection.rollback()
        self.begin()

    def close(self) -> None:
        """Ends the transaction and the connection."""
        self._connection.close()

    def rows(self, table: SourceTable, query: str) -> list[tuple[object, ...]]:
        """All rows of a small query."""
        with explained(table.name):
            return self._ask(query)[1]

    def plan(self, table: SourceTable, query: str) -> str:
        """How PostgreSQL would run a query if it used the indexes that there are, however small the table is."""
        with explained(table.name):
            self._ask("select set_config('enable_seqscan', 'off', true)")
            return "\n".join(str(row[0]) for row in self._ask(f"explain (costs off) {query}", copy=False)[1])

    def _ask(self, query: str, copy: bool = True) -> tuple[list[str], list[tuple[object, ...]]]:
        """The names and the rows of a small query."""

        def ask() -> tuple[list[str], list[tuple[object, ...]]]:
            with self._connection.cursor() as cursor:
                if not copy:
                    cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                cursor.execute(query)
                names = [str(field[0]) for field in cursor.description or ()]
                return names, cursor.fetchall() if names else []

        return self._wait(ask)

    def _wait(self, work: Callable[[], T]) -> T:
        try:
            return patiently(work, self.settings.source_patience_seconds, self.close)
        except SilentSourceError:
            self.is_left_behind = True
            raise

    def confirm(self, table: SourceTable) -> None:
        """That the transaction still stands: a stream that broke off anywhere has ended it, and its rows do not count."""
        self.rows(table, "select 1")


def _usual(text: str) -> str:
    """The SQL of a text in the collation of the database: in others it may not be searched, or be equal to another one."""
    return f'({text}) collate "default"'
