"""Documents that are JSON and not what they should be, and what lies about in a store: each is named, and nothing ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made import publish
from typer.testing import CliRunner

import shopmill
from shopmill.asof import AsOf
from shopmill.cli import app as cli
from shopmill.errors import DamagedError, ShopmillError
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.shop import Shop, claim, difference_to_owner
from shopmill.source.snapshot import SnapshotCatalogue, snapshot_key
from shopmill.source.tombstones import KEY, Tombstones
from shopmill.trust.erasure.journal import PLAN, Plan
from shopmill.versions import store as module
from shopmill.versions.locks import Locks
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

DATASET = "user_item_interactions"
FIRST, SECOND = "2020-09-22", "2020-09-23"
DEEP = "[" * 100_000
"""Nested deeper than a parser follows."""


@pytest.fixture
def made(settings: Settings) -> Settings:
    for as_of in (FIRST, SECOND):
        publish(settings, as_of, {"interactions": [{"customer_id": as_of}], "rejects": [{"reason": as_of}]})
    return settings


def path_of(made: Settings, as_of: str = SECOND) -> Path:
    [found] = Path(made.store).glob(f"{DATASET}/as_of={as_of}/version=*/manifest.json")
    return found


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)


def command(made: Settings, *arguments: str) -> tuple[int, str]:
    """The exit code and the output; an error that is not ours fails the test."""
    result = CliRunner().invoke(cli.app, ["--store", made.store, *arguments])
    if result.exception and not isinstance(result.exception, SystemExit | ShopmillError):
        raise result.exception
    return result.exit_code, result.output or str(result.exception)


@pytest.mark.parametrize(
    "beside",
    [
        {"previous": "2020-09-22"},
        {"previous": {"as_of": FIRST}},
        {"previous": {"as_of": FIRST, "version": 5}},
        {"checks": "none"},
        {"checks": [{"name": "key is unique"}]},
        {"snapshots": ["transactions"]},
        {"snapshots": {"transactions": {"key": 5}}},
        {"making": [1]},
    ],
    ids=str,
)
def test_what_stands_beside_the_content_is_looked_at_too(made: Settings, beside: dict[str, Any]) -> None:
    path = path_of(made)
    put(path, json.dumps({**json.loads(path.read_text()), **beside}))
    code, said = command(made, "verify", DATASET, "--all")
    assert (code, "has no manifest that can be read" in said) == (1, True)
    assert shopmill.load(DATASET, store=made.store).as_of == FIRST


@pytest.mark.parametrize("text", [DEEP, '{"version": NaN, "dataset": NaN, "as_of": 1, "content": {}}', "5", "null"])
def test_a_manifest_that_no_parser_takes_is_damaged(made: Settings, text: str) -> None:
    put(path_of(made), text)
    assert shopmill.load(DATASET, store=made.store).as_of == FIRST
    for arguments in (("verify", DATASET), ("verify", "--all"), ("versions",), ("gc",), ("show", DATASET)):
        command(made, *arguments)
    assert "has no manifest that can be read" in command(made, "verify", DATASET)[1]


@pytest.mark.parametrize(
    "version", ["../../../elsewhere", "//a//%2e", "a\0b", "a" * 5000, 5, None, ["x"]], ids=lambda v: str(v)[:20]
)
def test_a_pointer_names_an_id_and_nothing_else(made: Settings, version: object) -> None:
    put(Path(made.store, DATASET, "current.json"), json.dumps({"as_of": SECOND, "version": version}))
    assert shopmill.load(DATASET, store=made.store).as_of == SECOND
    assert "current.json" in command(made, "verify", DATASET)[1]
    assert command(made, "repair", DATASET)[0] == 0


def test_the_pointer_of_an_as_of_names_no_other_one(made: Settings) -> None:
    other = path_of(made, SECOND).parent.name.removeprefix("version=")
    put(Path(made.store, DATASET, f"as_of={FIRST}", "current.json"), json.dumps({"as_of": SECOND, "version": other}))
    assert shopmill.load(DATASET, FIRST, made.store).as_of == FIRST
    assert command(made, "verify", DATASET)[0] == 1
    assert command(made, "repair", DATASET)[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"as_of": 5},
        {"at": None},
        {"at": "yesterday"},
        {"at": "2020-09-22T00:00:00"},
        {"rows": "x"},
        {"rows": float("nan")},
        {"withdrawn": ["x"]},
        {"inputs": [["transactions"]]},
        {"previous": ["2020-09-22"]},
    ],
    ids=str,
)
def test_an_index_of_wrong_types_is_made_again(made: Settings, change: dict[str, Any]) -> None:
    path = Path(made.store, "index", DATASET, "2020-09.json")
    put(path, "".join(f"{json.dumps({**json.loads(line), **change})}\n" for line in path.read_text().splitlines()))
    found = json.loads(command(made, "versions", DATASET, "--json")[1])
    assert [(row["as_of"], row["rows"]) for row in found] == [(FIRST, 1), (SECOND, 1)]
    assert command(made, "gc") == (0, "Nothing to delete.\n")


def test_a_document_that_would_fill_the_memory_is_damaged(made: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_DOCUMENT", 2**20)
    larger = f'{{"a": "{"x" * 2**20}"}}'
    put(Path(made.store, DATASET, f"as_of={FIRST}", "current.json"), larger)
    put(path_of(made), larger)
    put(Path(made.store, "locks", f"publish-{DATASET}.json"), larger)
    assert shopmill.load(DATASET, FIRST, made.store).as_of == FIRST
    assert shopmill.load(DATASET, store=made.store).as_of == FIRST
    code, said = command(made, "verify", DATASET, "--all")
    assert (code, f"{DATASET} as of {SECOND}, version" in said) == (1, True)
    assert "has no manifest that can be read" in said


def test_copies_that_somebody_made_are_named_and_in_nobodys_way(made: Settings) -> None:
    put(Path(made.store, DATASET, f"as_of={SECOND} (copy)", "version=abc", "manifest.json"), "{}")
    put(Path(made.store, "index", DATASET, "2020-09 (copy).json"), "")
    assert [v["as_of"] for v in json.loads(command(made, "versions", DATASET, "--json")[1])] == [FIRST, SECOND]
    code, said = command(made, "verify", DATASET, "--all")
    assert (code, "(copy) is the folder of no as_of. Delete it." in said) == (1, True)
    assert Versions(Store(made.store), DATASET, made.zone).as_ofs() == [
        AsOf.parse(as_of, made.zone) for as_of in (FIRST, SECOND)
    ]


FILE = {"day": "2020-09-20", "key": "", "rows": 1, "bytes": 4, "sha256": "0" * 64}
SNAPSHOT = {"table": "transactions", "as_of": FIRST, "read_as_of": FIRST, "taken_at": "2020-09-22T01:00:00+00:00"}


@pytest.mark.parametrize(
    ("snapshot", "file"),
    [
        ({"taken_at": "yesterday"}, {}),
        ({"taken_at": "2020-09-22T01:00:00"}, {}),
        ({"columns": ["x"]}, {}),
        ({"misfits": 5}, {}),
        ({}, {"day": 5}),
        ({}, {"bytes": "4"}),
        ({}, {"rows": "x"}),
        ({}, {"key": 5}),
        ({}, {"key": "../../secret.parquet"}),
        ({}, {"key": "raw/orders/source=x/a.parquet"}),
    ],
    ids=str,
)
def test_a_snapshot_of_wrong_types_or_of_another_table_counts_as_absent(
    settings: Settings, snapshot: dict[str, Any], file: dict[str, Any]
) -> None:
    catalogue = SnapshotCatalogue(Store(settings.store), TABLES["transactions"], "x")
    as_of = AsOf.parse(FIRST, settings.zone)
    key = f"{catalogue.folder}/day=2020-09-20/a.parquet"
    for place in (key, "raw/orders/source=x/a.parquet"):
        catalogue.store.write(place, b"rows")
    document = {**SNAPSHOT, "files": [{**FILE, "key": key}]}
    catalogue.store.write(snapshot_key(catalogue.folder, as_of.instant, 0), json.dumps(document).encode())
    assert catalogue.find(as_of)
    wrong = {**document, **snapshot, "files": [{**FILE, "key": key, **file}]}
    catalogue.store.write(snapshot_key(catalogue.folder, as_of.instant, 0), json.dumps(wrong).encode())
    assert catalogue.find(as_of) is None
    assert catalogue.newest() is None
    catalogue.plan(AsOf.parse(SECOND, settings.zone), settings.zone, 3)


def test_what_lies_among_the_snapshots_is_none(settings: Settings) -> None:
    catalogue = SnapshotCatalogue(Store(settings.store), TABLES["transactions"], "x")
    for name in ("New folder/0000.json", "20200922T000000Z/0000 (copy).json", "20200922T000000Z/notes.txt"):
        catalogue.store.write(f"{catalogue.folder}/snapshots/{name}", b"{}")
    assert (catalogue.known(), catalogue.newest(), catalogue.newest_keys()) == ([], None, set())


@pytest.mark.parametrize("text", ['{"token": "x"}', '{"token": null}', '{"token": 1, "owner": 5}', "null", "[]", DEEP])
def test_a_lock_of_wrong_types_is_free(settings: Settings, text: str) -> None:
    locks = Locks(Store(settings.store))
    put(Path(settings.store, "locks", "publish-x.json"), text)
    with locks.lock("publish x") as held:
        held.confirm()


@pytest.mark.parametrize("text", ["{", "{}", "[]", "5", DEEP, '{"system": 5, "database": "d", "role": "r"}'])
def test_where_nobody_can_say_whose_rows_a_store_holds_it_says_what_to_do(settings: Settings, text: str) -> None:
    store = Store(settings.store)
    put(Path(settings.store, "raw", "shop.json"), text)
    code, said = command(settings, "verify", "--raw")
    assert (code, "run `shopmill moved`" in said) == (1, True)
    for look in (claim, difference_to_owner):
        with pytest.raises(DamagedError, match="run `shopmill moved`, which writes it again"):
            look(store, Shop("1", "shop", "reader"))


def test_the_shop_that_is_set_can_be_written_again(settings: Settings) -> None:
    put(Path(settings.store, "raw", "shop.json"), "{")
    environment = {"SHOPMILL_SOURCE_DSN": settings.source_dsn.get_secret_value()}
    result = CliRunner(env=environment).invoke(cli.app, ["--store", settings.store, "moved"])
    assert result.exit_code == 0, result.exception
    assert "database" in json.loads(Path(settings.store, "raw", "shop.json").read_text())


STRANGE = ["", "{", "{}", "[]", DEEP, '{"mark": 5, "people": "abc"}', '{"mark": "x", "people": [{"person": 5}]}']


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: text[:20])
@pytest.mark.parametrize(
    ("key", "read"),
    [(KEY, Tombstones.read), (PLAN, lambda s, _: Plan.read(s))],
    ids=["tombstones", "plan"],
)
def test_what_an_erasure_wrote_says_when_it_is_damaged_what_to_do(
    settings: Settings, key: str, read: Callable[[Store, Any], object], text: str
) -> None:
    put(Path(settings.store, key), text)
    with pytest.raises(DamagedError, match="`shopmill erase"):
        read(Store(settings.store), settings.pseudonym_key)


@pytest.mark.parametrize("gone", ["manifest", "folder"])
def test_a_version_that_is_half_there_is_named_wherever_somebody_asks_for_it(made: Settings, gone: str) -> None:
    path = path_of(made)
    version = path.parent.name.removeprefix("version=")
    path.unlink()
    for rest in path.parent.rglob("*") if gone == "folder" else ():
        if rest.is_file():
            rest.unlink()
    for arguments in (
        ("rebuild", DATASET, version),
        ("diff", DATASET, FIRST, version),
        ("rejects", DATASET, "--version", version),
    ):
        assert "is missing. Run `shopmill repair`" in command(made, *arguments)[1]
    code, said = command(made, "verify")
    assert (code, "has no manifest that can be read" in said) == (1, True)


def test_a_withdrawn_version_whose_manifest_is_gone_is_not_put_back(made: Settings) -> None:
    command(made, "unpublish", DATASET, SECOND, "--reason", "wrong")
    path_of(made).unlink()
    assert "is missing or damaged. Run `shopmill repair`" in command(made, "unpublish", DATASET, SECOND, "--undo")[1]
