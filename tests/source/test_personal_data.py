"""What raw files keep of people: the value, a keyed hash, or nothing; and what a policy may say."""

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop
from pydantic import SecretStr

from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.mapping import load_mapping
from shopmill.source.personal_data import Policy
from shopmill.source.reconcile import reconcile
from shopmill.versions.locks import Locks
from shopmill.versions.store import Store

KEY = SecretStr("only the shop knows")


def under(settings: Settings, policy: str, key: SecretStr = KEY) -> Settings:
    return settings.model_copy(update={"personal_data": policy, "pseudonym_key": key})


@pytest.fixture
def shop(settings: Settings, new_shop: Callable[[], str], tmp_path: Path) -> Settings:
    dsn = new_shop()
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table customers add column email text, add column tier text")
    sale = {"t_dat": "2020-09-20", "article_id": "1", "price": 5}
    rows = {
        "customers": [{"customer_id": f"anna-{n}", "age": 41, "postal_code": "11122"} for n in range(3)],
        "articles": [{"article_id": "1"}],
        "transactions": [{**sale, "customer_id": f"anna-{n}"} for n in range(3)],
    }
    fill_shop(dsn, rows)
    with psycopg.connect(dsn) as connection:
        connection.execute("update customers set email = 'anna@example.org', tier = 'gold'")
    (tmp_path / "mapping").mkdir()
    (tmp_path / "mapping" / "customers.sql").write_text(
        "select customer_id, age, postal_code, email, tier from customers"
    )
    return settings.model_copy(update={"source_dsn": SecretStr(dsn), "mapping": str(tmp_path / "mapping")})


def raw_rows(settings: Settings, table: str) -> str:
    store = Store(settings.store)
    keys = [key for key in store.keys(f"raw/{table}") if key.endswith(".parquet")]
    return repr([pq.read_table(path, partitioning=None).to_pylist() for path in store.fetch(keys, Path())])


def read(settings: Settings) -> str:
    steps.run_all(Run.create(datasets.load("customer_features"), "2020-09-21", settings, LENIENT))
    return raw_rows(settings, "customers") + raw_rows(settings, "transactions")


def test_what_is_hashed_or_dropped_never_reaches_the_store(shop: Settings) -> None:
    policy = under(shop, "hash,age=drop,email=drop")
    found = read(policy)
    assert not re.search("anna|41|11122|example", found)
    assert "gold" in found
    for number in range(3):  # the same hash in both tables: rows still join
        assert found.count(Policy.of(policy).hashed(f"anna-{number}")) == 2


def test_what_is_hashed_does_not_differ_from_the_shop(shop: Settings) -> None:
    policy = under(shop, "hash")
    read(policy)
    found = {one.table: one for one in reconcile(policy, Locks(Store(policy.store)).lock)}
    assert (found["transactions"].days, found["transactions"].different) == (1, ())


def test_what_is_kept_is_kept(shop: Settings) -> None:
    found = read(shop)
    assert all(value in found for value in ("anna-1", "41", "11122", "anna@example.org", "gold"))


def test_a_general_drop_hashes_the_ids_that_join_rows(shop: Settings) -> None:
    policy = under(shop, "drop")
    found = read(policy)
    assert not re.search("anna|41|11122|example", found)
    assert Policy.of(policy).hashed("anna-1") in found


def test_another_policy_is_another_shop_to_read_and_a_key_alone_is_not(settings: Settings) -> None:
    def fingerprint(changed: Settings) -> str:
        return load_mapping(changed).fingerprint(TABLES["customers"])

    found = [fingerprint(under(settings, policy)) for policy in ("hash", "hash,age=drop", "drop", "age=keep,hash")]
    assert len({fingerprint(settings), *found}) == 5
    assert fingerprint(under(settings, "keep")) == fingerprint(settings) == fingerprint(under(settings, "age=keep"))


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("hide", "'hide' is none of keep, hash, drop"),
        ("customer_id=drop", "customer_id cannot be dropped"),
        ("article_id=hash", "article_id is no personal column"),
        ("age=hsh", "Did you mean 'hash'"),
    ],
)
def test_what_no_policy_may_say(settings: Settings, policy: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Policy.of(under(settings, policy))


def test_a_hash_needs_a_key(settings: Settings) -> None:
    with pytest.raises(InvalidInputError, match="set SHOPMILL_PSEUDONYM_KEY"):
        Policy.of(under(settings, "hash", SecretStr("")))
