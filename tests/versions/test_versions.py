"""Finding versions and publishing them, without a shop: pointers, order, and what a rerun does."""

from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

UTC = ZoneInfo("UTC")


@pytest.fixture(params=["local", "s3"])
def versions(request: pytest.FixtureRequest, tmp_path: Path) -> Versions:
    url = str(tmp_path / "store") if request.param == "local" else request.getfixturevalue("s3_store")
    return Versions(Store(url), "a_dataset", UTC)


def as_of(text: str) -> AsOf:
    return AsOf.parse(text, UTC)


def publish(versions: Versions, text: str, data: str = "data") -> Manifest:
    file = {"path": "t/part-00000.parquet", "rows": 1, "bytes": len(data), "sha256": sha256(data.encode()).hexdigest()}
    manifest = Manifest("a_dataset", text, {"main_table": "t", "tables": {"t": {"files": [file]}}, "rejected": {}})
    versions.store.write("staging/t", data.encode())
    versions.publish(manifest, {"t/part-00000.parquet": "staging/t"})
    return manifest


def test_nothing_is_published_yet(versions: Versions) -> None:
    assert versions.current() is None
    assert versions.before(as_of("2020-09-23")) is None
    assert (versions.all(), versions.as_ofs()) == ([], [])
    with pytest.raises(InvalidInputError, match="shopmill run a_dataset"):
        versions.need(None)


def test_a_version_is_found_again(versions: Versions) -> None:
    manifest = publish(versions, "2020-09-23")
    assert versions.current() == versions.at(as_of("2020-09-23")) == manifest
    key = versions.keys_of(manifest, "t")[0]
    assert key == f"a_dataset/as_of=2020-09-23/version={manifest.version}/t/part-00000.parquet"
    assert versions.store.read(key) == b"data"
    assert versions.is_current(manifest)


def test_the_same_again_is_nothing_new(versions: Versions) -> None:
    first = publish(versions, "2020-09-23")
    assert not versions.publish(first, {"t/part-00000.parquet": "not even there"})
    assert versions.all() == [first]


def test_a_past_as_of_does_not_turn_the_pointer_back(versions: Versions) -> None:
    newest = publish(versions, "2020-09-23")
    past = publish(versions, "2020-09-10")
    assert versions.current() == newest
    assert versions.at(as_of("2020-09-10")) == past
    assert versions.is_current(past)


def test_another_version_of_an_as_of_takes_its_place(versions: Versions) -> None:
    first, second = publish(versions, "2020-09-23"), publish(versions, "2020-09-23", "better data")
    assert versions.current() == versions.at(as_of("2020-09-23")) == second
    assert not versions.is_current(first)
    assert {manifest.version for manifest in versions.all()} == {first.version, second.version}
    publish(versions, "2020-09-23")
    assert versions.current() == first


def test_a_run_continues_from_the_newest_earlier_as_of(versions: Versions) -> None:
    early, late = publish(versions, "2020-09-09"), publish(versions, "2020-09-23T10:15:00Z")
    publish(versions, "2020-09-23T10:30:00Z")
    assert versions.before(as_of("2020-09-23T10:30:00Z")) == late
    assert versions.before(as_of("2020-09-23T10:15:00Z")) == early
    assert versions.before(as_of("2020-09-09")) is None


def test_files_without_a_manifest_are_no_version(versions: Versions) -> None:
    publish(versions, "2020-09-22")
    versions.store.write("a_dataset/as_of=2020-09-23/version=abc/t/part-00000.parquet", b"half")
    assert [manifest.as_of for manifest in versions.all()] == ["2020-09-22"]
    found = versions.before(as_of("2020-09-24"))
    assert found is not None
    assert found.as_of == "2020-09-22"


def test_an_as_of_that_is_not_there_tells_the_newest(versions: Versions) -> None:
    publish(versions, "2020-09-22")
    with pytest.raises(InvalidInputError, match=r"as of 2020-09-23.*newest: 2020-09-22"):
        versions.need(as_of("2020-09-23"))
