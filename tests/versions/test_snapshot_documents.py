"""Snapshots as differences: small, never against a difference, and damage of a base is not the end of anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopmill.asof import AsOf
from shopmill.source.contract import TABLES
from shopmill.source.snapshot import RawFile, Snapshot, SnapshotCatalogue
from shopmill.versions.snapshot_documents import difference, named_by, read_snapshot
from shopmill.versions.store import Store, to_json

ZONE = ZoneInfo("UTC")


def catalogue(tmp_path: Path) -> SnapshotCatalogue:
    return SnapshotCatalogue(Store(str(tmp_path / "store")), TABLES["events"], "x")


def files(found: SnapshotCatalogue, days: int, newest: str = "") -> tuple[RawFile, ...]:
    made = []
    for number in range(days):
        content = f"{number} {newest if number >= days - 3 else ''}".encode()
        key = f"{found.folder}/day={number:04d}/{content.hex()}.parquet"
        if not found.store.exists(key):
            found.store.write(key, content)
        made.append(RawFile(f"{number:04d}", key, 1, len(content), content.hex()))
    return tuple(sorted(made, key=lambda file: (file.day, file.key)))


def save(found: SnapshotCatalogue, moment: datetime, made: tuple[RawFile, ...]) -> Snapshot:
    as_of = AsOf.parse(f"{moment:%Y-%m-%dT%H:%M:%SZ}", ZONE)
    return found.save(as_of, Snapshot("events", as_of.label, as_of.label, made))


def test_a_quarter_of_an_hour_adds_little(tmp_path: Path) -> None:
    found, moment = catalogue(tmp_path), datetime(2020, 9, 1, tzinfo=UTC)
    sizes, saved = [], []
    for number in range(8):
        saved.append(save(found, moment + number * timedelta(minutes=15), files(found, 100, str(number))))
        sizes.append(len(found.store.read(saved[-1].key)))
    assert max(sizes[1:]) < sizes[0] / 10
    for snapshot in saved:
        assert found.find(AsOf.parse(snapshot.as_of, ZONE)) == snapshot
        base = found.store.read_json(snapshot.key).get("base")
        assert base in {None, saved[0].key}, "never a difference against a difference"


def test_what_many_documents_name_is_known_from_one_look_at_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, moment = catalogue(tmp_path), datetime(2020, 9, 1, tzinfo=UTC)
    saved = [save(found, moment + n * timedelta(minutes=15), files(found, 40, str(n))) for n in range(6)]
    read: list[str] = []
    original = Store.read_json
    monkeypatch.setattr(Store, "read_json", lambda store, key: (read.append(key), original(store, key))[1])
    for chosen in (saved, saved[3:], saved[:1]):
        read.clear()
        named, bases = named_by(found.store, [one.key for one in chosen])
        assert named == {file.key for one in chosen for file in one.files}
        assert bases == ({saved[0].key} if chosen != saved[:1] else set())
        assert len(read) == len(chosen) + len(bases)


def test_without_its_base_it_counts_as_absent(tmp_path: Path) -> None:
    found, moment = catalogue(tmp_path), datetime(2020, 9, 1, tzinfo=UTC)
    first = save(found, moment, files(found, 50))
    second = save(found, moment + timedelta(minutes=15), files(found, 50, "b"))
    assert "base" in found.store.read_json(second.key)
    found.store.write(first.key, b"")
    assert found.find(AsOf.parse(second.as_of, ZONE)) is None
    third = save(found, moment + timedelta(minutes=30), files(found, 50, "c"))
    assert found.find(AsOf.parse(third.as_of, ZONE)) == third
    assert save(found, moment, files(found, 50)).key.endswith("/0001.json"), "the damaged one keeps its number"
    assert found.find(AsOf.parse(first.as_of, ZONE)) == replace(first, key=first.key.replace("/0000.", "/0001."))


def test_numbers_go_on_after_older_ones_were_removed(tmp_path: Path) -> None:
    found, moment = catalogue(tmp_path), datetime(2020, 9, 1, tzinfo=UTC)
    keys = [save(found, moment, files(found, 5, str(number))).key for number in range(3)]
    found.store.delete_keys(keys[:2])
    newest = save(found, moment, files(found, 5, "refreshed"))
    assert newest.key.endswith("/0003.json")
    assert found.find(AsOf.parse("2020-09-01T00:00:00Z", ZONE)) == newest


file_sets = st.dictionaries(st.integers(0, 30), st.integers(0, 2), max_size=30)


@settings(max_examples=100, deadline=None)
@given(file_sets, file_sets)
def test_a_difference_gives_the_document_again(before: dict[int, int], after: dict[int, int]) -> None:
    def document(content: dict[int, int]) -> dict[str, object]:
        return {
            "as_of": "x",
            "files": [{"day": f"{d:02d}", "key": f"{d:02d}/{c}", "rows": c} for d, c in sorted(content.items())],
        }

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        store.write("whole.json", to_json(document(before)))
        if small := difference(document(after), document(before), "whole.json"):
            store.write("small.json", to_json(small))
            assert read_snapshot(store, "small.json") == document(after)
