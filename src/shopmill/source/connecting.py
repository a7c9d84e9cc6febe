"""A connection to the shop's database, whatever the role and the pooler in between have set."""

import adbc_driver_postgresql.dbapi as postgresql
from adbc_driver_manager.dbapi import Connection
from adbc_driver_manager.dbapi import Error as DatabaseError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shopmill.connection_string import CONNECTION, conninfo
from shopmill.errors import InvalidInputError, SourceUnavailableError
from shopmill.settings import Settings
from shopmill.source.database_errors import TIMEOUTS, first_line, state_of
from shopmill.source.patience import patiently

QUOTES_ALL = "select 1 where current_setting('quote_all_identifiers') = 'on'"
AS_USUAL = "-c quote_all_identifiers=off"
"""The driver asks for the names of types as it connects, and knows none of them in quotes."""


def connect(settings: Settings) -> Connection:
    """A connection whose driver knows the types of the database; SourceUnavailableError where nobody answers."""
    dsn, patience = settings.source_dsn.get_secret_value(), settings.source_patience_seconds
    if not dsn:
        raise InvalidInputError("No shop is set: give SHOPMILL_SOURCE_DSN (postgresql://reader:…@host:5432/shop).")
    address = conninfo(dsn, "SHOPMILL_SOURCE_DSN", **CONNECTION)
    connection = _answering(address, patience, "Check SHOPMILL_SOURCE_DSN and the server.")
    if not patiently(lambda: _quotes_all(connection), patience, connection.close):
        return connection
    connection.close()
    options = " ".join(filter(None, [conninfo_to_dict(address).get("options"), AS_USUAL]))  # type: ignore[list-item]
    way_out = "Let the source role write names as usual: alter role … set quote_all_identifiers = off."
    return _answering(make_conninfo(address, options=options), patience, way_out)


def _answering(address: str, patience: float, way_out: str) -> Connection:
    try:
        connection: Connection = patiently(lambda: postgresql.connect(address), patience)
    except DatabaseError as error:
        reason = first_line(error)
        told = TIMEOUTS.get(state_of(reason), way_out)
        raise SourceUnavailableError(f"The shop's database does not answer: {reason}. {told}") from None
    return connection


def _quotes_all(connection: Connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(QUOTES_ALL)
        found = cursor.fetchall()
    connection.rollback()
    return bool(found)
