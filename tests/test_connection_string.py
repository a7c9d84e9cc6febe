"""Connection strings: built of fields, refused without their password, and blamed for what is wrong alone."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from shopmill.connection_string import conninfo, from_fields
from shopmill.errors import InvalidInputError

FIELDS = {"host": "db.example.com", "port": 5432, "user": "reader", "password": "p@ss/w:rd %", "dbname": "shop"}


def test_fields_need_no_encoding() -> None:
    assert conninfo_to_dict(from_fields(FIELDS, {})) == {**FIELDS, "port": "5432"}


@pytest.mark.parametrize(
    ("extra", "kept"),
    [
        ({"connect_timeout": 10}, {"connect_timeout": "10"}),
        ({"cursor": "dictcursor", "iam": False, "nested": {"a": 1}}, {}),
        ({"sslmode": "verify-full", "sslrootcert": "/ca.pem", "empty": None}, {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}),
        ({"host": "elsewhere"}, {}),
        ({"keepalives": True, "sslcompression": False}, {"keepalives": "1", "sslcompression": "0"}),
        ({"keepalives": "true"}, {"keepalives": "true"}),
        ({"connect_timeout": 10.0, "tcp_user_timeout": "5000"}, {"connect_timeout": "10", "tcp_user_timeout": "5000"}),
        ({"options": {"statement_timeout": 5000, "search_path": "a b,c\\d"}},
         {"options": "-c statement_timeout=5000 -c search_path=a\\ b,c\\\\d"}),
        ({"options": ["-c", "geqo=off"]}, {"options": "-c geqo=off"}),
        ({"sslmode": ["require"], "application_name": {"a": 1}}, {"sslmode": "require"}),
        ({"SSLMode": "verify-full"}, {"sslmode": "verify-full"}),
    ],
)  # fmt: skip
def test_the_extra_of_another_tool_does_no_harm(extra: dict[str, object], kept: dict[str, str]) -> None:
    assert conninfo_to_dict(from_fields(FIELDS, extra)) == {**FIELDS, "port": "5432", **kept}


def test_a_connection_without_a_password_or_port() -> None:
    assert conninfo_to_dict(from_fields({"host": "h", "port": None, "password": ""}, {})) == {"host": "h"}


@pytest.mark.parametrize("host", ["::1", "[::1]", " ::1 "])
def test_a_host_of_any_kind(host: str) -> None:
    given = {"host": host, "port": "5432", "user": "läser", "password": "пароль' \\ü"}
    assert conninfo_to_dict(from_fields(given, {})) == {**given, "host": "::1"}


def test_what_the_address_sets_is_kept_but_for_the_encoding() -> None:
    found = conninfo_to_dict(
        conninfo(
            "postgresql://h/d?connect_timeout=3&client_encoding=latin1", "X", connect_timeout=10, client_encoding="UTF8"
        )
    )
    assert (found["connect_timeout"], found["client_encoding"]) == ("3", "UTF8")


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("mysql://shop:hunter2@host/shop", "address of mysql"),
        ("postgresql://shop:hunter2@host:port/shop", "port is no number"),
        ("postgresql://shop:a@hunter2@host/shop", "not percent-encoded"),
        ("postgresql://shop:12/hunter2@host/shop", "not percent-encoded"),
        ("postgresql://shop:hunter2@host/shop?cursor=dictcursor", "no option cursor"),
        ("postgres//shop:hunter2@host/shop", "malformed"),
        ("shop:hunter2@host/db", "malformed"),
        ("password=hunter2 nonsense", "malformed"),
        ("host=x passwort=hunter2", "malformed"),
        ("postgresql://shop:hunter2%zz@host/shop", "malformed"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret(dsn: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match="SHOPMILL_SOURCE_DSN") as error:
        conninfo(dsn, "SHOPMILL_SOURCE_DSN")
    assert words in str(error.value)
    assert "hunter2" not in str(error.value)
