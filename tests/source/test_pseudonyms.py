"""Guests are named by the HMAC-SHA256 of their address, made in PostgreSQL and found again by Python's own."""

import hashlib
import hmac
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import open_source
from shopmill.source.mapping import Mapping, load_mapping
from shopmill.source.pseudonyms import mark

HMAC = """
select encode(
  sha256(
    decode(nullif(current_setting('shopmill.pseudonym_outer_key', true), ''), 'hex')
    || sha256(decode(nullif(current_setting('shopmill.pseudonym_inner_key', true), ''), 'hex') || convert_to('ü@example.com', 'UTF8'))
  ),
  'hex'
)
"""


@pytest.mark.parametrize("key", ["k", "a key 'with' \\ signs ü", "x" * 64, "y" * 65, "z" * 500])
def test_the_hash_is_the_standards(settings: Settings, database: Callable[[], str], key: str) -> None:
    keyed = settings.model_copy(update={"source_dsn": SecretStr(database()), "pseudonym_key": SecretStr(key)})
    with open_source(keyed, Mapping((), "UTC")) as source:
        assert source.value(HMAC) == hmac.new(key.encode(), "ü@example.com".encode(), hashlib.sha256).hexdigest()


def test_without_a_key_there_is_no_hash(settings: Settings, database: Callable[[], str]) -> None:
    with open_source(settings.model_copy(update={"source_dsn": SecretStr(database())}), Mapping((), "UTC")) as source:
        assert source.value(HMAC) is None


def test_another_key_is_another_shop_to_read(settings: Settings) -> None:
    keys = [SecretStr(key) for key in ("", "hunter2", "hunter3")]
    mappings = [load_mapping(settings.model_copy(update={"pseudonym_key": key, "mapping": "oscar"})) for key in keys]
    assert len({mapping.fingerprint(TABLES["orders"]) for mapping in mappings}) == 3
    assert "hunter" not in repr([*mappings, settings.model_copy(update={"pseudonym_key": keys[1]})])
    assert mark(keys[0]) == ""
