"""The settings of a task come from Airflow's connections, whatever else their extra holds."""

import json

import pytest
from psycopg.conninfo import conninfo_to_dict

from shopmill.airflow.connections import airflow_settings

EXTRAS = {
    "a number": ({"connect_timeout": 10}, {"connect_timeout": "10"}),
    "another tool's key": ({"cursor": "dictcursor", "iam": False}, {}),
    "a flag": ({"keepalives": True}, {"keepalives": "1"}),
    "a way to encrypt": ({"sslmode": "require"}, {"sslmode": "require"}),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize("kind", EXTRAS)
def test_a_connection_with_an_extra(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    extra, kept = EXTRAS[kind]
    given = {"host": "db", "port": 5433, "login": "reader", "password": "p@ss w/ö:rd", "schema": "shop"}
    document = json.dumps({"conn_type": "postgres", **given, "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_SHOPMILL_SOURCE", document)
    found = conninfo_to_dict(airflow_settings().source_dsn.get_secret_value())
    named = {"host": "db", "port": "5433", "user": "reader", "password": "p@ss w/ö:rd", "dbname": "shop"}
    assert {name: str(value) for name, value in found.items()} == named | kept
