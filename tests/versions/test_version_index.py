"""The index of versions: it answers for a year of them, it can be lost, and it cannot mislead."""

import hashlib
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from shopmill.asof import AsOf
from shopmill.cli import app as cli
from shopmill.run.staging import staged_runs
from shopmill.versions.garbage import GarbageCollection, collect
from shopmill.versions.index import VersionIndex
from shopmill.versions.manifest import Manifest
from shopmill.versions.retention import Retention
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

ZONE, DATASET = ZoneInfo("UTC"), "events_and_funnels"


@pytest.fixture(params=["local", "s3"])
def versions(request: pytest.FixtureRequest, tmp_path: Path) -> Versions:
    url = str(tmp_path / "store") if request.param == "local" else request.getfixturevalue("s3_store")
    return Versions(Store(url), DATASET, ZONE)


def publish(versions: Versions, as_of: str, data: str = "data") -> Manifest:
    digest = hashlib.sha256(data.encode()).hexdigest()
    file = {"path": "t/part.parquet", "rows": 1, "bytes": len(data), "sha256": digest}
    content = {"main_table": "t", "tables": {"t": {"files": [file]}}, "rejected": {}, "inputs": {}}
    manifest = Manifest(DATASET, as_of, content, {"previous": None, "snapshots": {}})
    versions.store.write("staging/t", data.encode())
    versions.publish(manifest, {"t/part.parquet": "staging/t"})
    return manifest


def names(versions: Versions) -> list[tuple[str, str]]:
    return sorted(name for name, line in versions.lines().items() if line.whole)


def test_it_is_made_again_from_the_folders(versions: Versions) -> None:
    made = [publish(versions, as_of) for as_of in ("2020-01-31", "2020-02-01", "2020-02-02T10:15:00Z")]
    expected = sorted((m.as_of, m.version) for m in made)
    before = versions.lines()
    assert names(versions) == expected
    for lost in (f"index/{DATASET}/2020-02.json", f"index/{DATASET}/2020-01.json"):
        versions.store.delete_keys([lost])
        assert names(versions) == expected
        assert {n: replace(line, at="") for n, line in versions.lines().items()} == {
            n: replace(line, at="") for n, line in before.items()
        }
    versions.store.write(f"index/{DATASET}/2020-02.json", b'{"as_of": "2020')
    assert names(versions) == expected
    publish(versions, "2020-02-03")
    assert len(names(versions)) == 4


def test_a_version_that_is_removed_by_hand_is_not_listed(versions: Versions) -> None:
    publish(versions, "2020-01-01")
    publish(versions, "2020-01-02")
    versions.store.delete(f"{DATASET}/as_of=2020-01-01")
    assert [as_of for as_of, _ in names(versions)] == ["2020-01-02"]


def test_killed_before_the_last_line_is_written(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(versions, "2020-01-01")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Versions, "_point", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(versions, "2020-01-02")
    assert [as_of for as_of, _ in names(versions)] == ["2020-01-01", "2020-01-02"], "its manifest is there"
    monkeypatch.undo()
    monkeypatch.setattr(Store, "create", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(versions, "2020-01-02", "other data")
    assert len(names(versions)) == 2
    assert [line.files for line in versions.lines().values() if not line.whole] == [1]


def test_two_at_once_lose_no_line(versions: Versions) -> None:
    from concurrent.futures import ThreadPoolExecutor

    line = VersionIndex(versions.store, DATASET, ZONE)
    publish(versions, "2020-01-01")
    [known] = line.lines().values()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: line.put([replace(known, version=f"{n:012x}")]), range(24)))
    assert len(line.lines()) == 25


@pytest.mark.parametrize("count", [35_000])
def test_a_year_of_quarter_hours(tmp_path: Path, count: int) -> None:
    """Folders as publishing leaves them, with as many versions as a year has quarters of an hour."""
    versions = Versions(Store(str(tmp_path / "store")), DATASET, ZONE)
    first = publish(versions, "2020-01-01T00:00:00Z")
    [line] = versions.lines().values()
    lines = []
    for number in range(1, count):
        as_of = AsOf(
            (moment := datetime(2020, 1, 1, tzinfo=UTC) + number * timedelta(minutes=15)),
            f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        )
        manifest = Manifest(DATASET, as_of.label, first.content, first.beside)
        folder = Path(versions.store.uri(versions.folder(manifest)))
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(b"{}")  # none is read
        lines.append(replace(line, as_of=as_of.label, version=manifest.version, at="2020-01-01T00:00:00+00:00"))
    versions._index.put(lines)

    def seconds(*command: str) -> float:
        began = time.process_time()
        CliRunner().invoke(cli.app, ["--store", versions.store.url, *command], catch_exceptions=False)
        return time.process_time() - began

    spent = {name: seconds(*name.split()) for name in ("versions --json", f"versions {DATASET} --json", "gc --json")}
    spent["before"] = -time.process_time()
    versions.before(AsOf.parse("2020-12-31T12:00:00Z", ZONE))
    spent["before"] += time.process_time()
    spent["publish"] = -time.process_time()
    publish(versions, "2020-12-31T12:00:00Z", "more data")
    spent["publish"] += time.process_time()
    print(count, {name: round(value, 2) for name, value in spent.items()})
    assert max(spent.values()) < 10, spent  # 2 s on a quiet machine; one manifest read each would take minutes
    if count < 10_000:
        look = GarbageCollection(versions.store, ZONE, (DATASET,), staged_runs, Retention(1, 0, 0), datetime.now(UTC))
        held: list[float] = []

        class Locks:
            def lock(self, _: str):  # type: ignore[no-untyped-def]
                from contextlib import contextmanager

                @contextmanager
                def locked():  # type: ignore[no-untyped-def]
                    began = time.process_time()
                    yield
                    held.append(time.process_time() - began)

                return locked()

        collect(look, Locks())
        print("lock held", max(held), "times", len(held))
        assert max(held) < 0.5
        assert len(versions.lines()) < count / 100
