"""Connection strings hold passwords: they are examined here, and a wrong one is never repeated in a message."""

import re
from collections.abc import Mapping
from typing import Any

from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shopmill.errors import InvalidInputError

OPTION = re.compile(r"[?&]([a-z_]+)=")
CONNECTION: dict[str, str | int] = {
    "application_name": "shopmill",
    "client_encoding": "UTF8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What libpq does on our side: nothing that a pooler between us and the server would refuse."""


def conninfo(dsn: str, setting: str, **options: str | int) -> str:
    """The connection string with `options`, where it does not set them itself; InvalidInputError when it is malformed.

    The encoding of the client is ours: what is read must be in it.
    """
    parts = _parts(dsn, setting)
    ours = {name: value for name, value in options.items() if name not in parts or name == "client_encoding"}
    return make_conninfo(**{**parts, **ours})


def address(dsn: str, setting: str) -> str:
    """Where it leads, without who connects: host and port, of several all."""
    parts = _parts(dsn, setting)
    return f"{parts.get('host') or parts.get('hostaddr') or 'localhost'}:{parts.get('port') or 5432}"


def from_fields(fields: Mapping[str, Any], extra: Mapping[str, Any]) -> str:
    """A connection string of the fields of a connection and of those of its `extra` that PostgreSQL knows.

    The others are another tool's.
    """
    given = {name.lower(): value for name, value in extra.items()} | {
        k: v for k, v in fields.items() if v not in (None, "")
    }
    written = {name: _written(name, value) for name, value in given.items() if name in _known()}
    return make_conninfo(**{name: value for name, value in written.items() if value})


def _written(name: str, value: Any) -> str:
    """A value of JSON as PostgreSQL's client writes it; nothing of what it has no form for."""
    match value:
        case bool():
            return str(int(value))
        case float() if value.is_integer():
            return str(int(value))
        case dict() if name == "options":
            return " ".join(f"-c {setting}={_escaped(chosen)}" for setting, chosen in value.items())
        case list():
            return (" " if name == "options" else ",").join(map(str, value))
        case dict() | None:
            return ""
        case _:
            return str(value).strip().removeprefix("[").removesuffix("]") if name == "host" else str(value)


def _escaped(value: Any) -> str:
    """A value of a session's setting, in which a blank would begin the next option."""
    return re.sub(r"([\\\s])", r"\\\1", str(value))


def _known() -> set[str]:
    return {option.keyword.decode() for option in pq.Conninfo.get_defaults()}


def _parts(dsn: str, setting: str) -> dict[str, Any]:
    scheme = re.match(r"([a-z0-9+]+)://", dsn)
    if scheme and scheme[1] not in {"postgresql", "postgres"}:
        raise InvalidInputError(
            f"{setting} is an address of {scheme[1]}, not of PostgreSQL: begin it with postgresql://."
        )
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        raise _malformed(setting, _unknown_option(dsn)) from None
    hosts, ports = str(parts.get("host", "")), str(parts.get("port") or "5432").split(",")
    if "@" in hosts or "@" in str(parts.get("dbname", "")):
        raise _malformed(setting, "A special character of the password is not percent-encoded (@ is %40, / is %2F). ")
    if not all(port.isdigit() for port in ports):
        raise _malformed(
            setting, "Its port is no number, or the password has a character that is not percent-encoded. "
        )
    return dict(parts)


def _unknown_option(dsn: str) -> str:
    """Names an option that PostgreSQL does not know, but only where it cannot be a part of the password."""
    address, _, query = dsn.partition("?")
    if "@" not in address or "@" in query:
        return ""
    unknown = [name for name in OPTION.findall("?" + query) if name not in _known()]
    return f"PostgreSQL knows no option {unknown[0]}. " if unknown else ""


def _malformed(setting: str, reason: str) -> InvalidInputError:
    return InvalidInputError(f"{setting} is malformed. {reason}Write postgresql://user:password@host:5432/database.")
