"""Connection strings hold passwords: they are examined here, and a wrong one is never repeated in a message."""

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shopmill.errors import InvalidInputError


def conninfo(dsn: str, setting: str, **options: str | int) -> str:
    """The connection string with `options` added; InvalidInputError, naming the setting, when it is malformed."""
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        parts = {"host": "@"}
    ports = str(parts.get("port") or "5432").split(",")
    if "@" in str(parts.get("host", "")) or not all(port.isdigit() for port in ports):
        raise InvalidInputError(
            f"{setting} is malformed: write postgresql://user:password@host:5432/database, "
            "with special characters of the password percent-encoded (@ is %40)."
        )
    return make_conninfo(dsn, **options)


def database_name(dsn: str) -> str:
    """The database that a connection string leads to; nothing for an empty or malformed one, which is told on connecting."""
    try:
        return str(conninfo_to_dict(dsn).get("dbname") or "")
    except ProgrammingError:
        return ""
