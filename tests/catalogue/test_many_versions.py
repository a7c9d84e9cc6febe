"""Two thousand versions: read once, and then a page takes a moment."""

import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from shelf import PASSED, Shelf

from shopmill.catalogue.site import Site
from shopmill.catalogue.summaries import History
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store

COUNT = 2000
SITE = Site(airflow="../", can_ask=True)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the manifests of two thousand days, fifty checks each; the files themselves are of the last one only."""
    from shopmill.settings import Settings

    store = tmp_path_factory.mktemp("crowded")
    shelf = Shelf(Settings(_env_file=None, store=str(store)))
    rows = [{"article_id": f"{i:04}", "n": i} for i in range(100)]
    newest = shelf.publish("2020-09-23", {"interactions": rows})
    checks = [{**PASSED, "name": f"check {i}"} for i in range(50)]
    for i in range(1, COUNT):
        as_of = str(date(2020, 9, 23) - timedelta(days=i))
        bad = [
            {**check, "passed": i % 97 != n, "severity": "warn", "violations": int(i % 97 == n)}
            for n, check in enumerate(checks)
        ]
        manifest = Manifest(
            "user_item_interactions", as_of, newest.content, {"checks": bad, "previous": None, "snapshots": {}}
        )
        folder = store / f"user_item_interactions/as_of={as_of}/version={manifest.version}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(manifest.to_json())
        (folder.parent / "current.json").write_text(json.dumps({"as_of": as_of, "version": manifest.version}))
    return store


@pytest.mark.parametrize(
    "page",
    [
        "index.html",
        "runs.html",
        *(f"datasets/user_item_interactions/{name}.html" for name in ("index", "quality", "lineage", "picture")),
    ],
)
def test_a_page_takes_less_than_a_second(crowded: Path, page: str) -> None:
    from shopmill.settings import Settings

    shelf = Shelf(Settings(_env_file=None, store=str(crowded)))
    assert len(History(shelf.versions).all) == COUNT  # the first look reads all manifests, and keeps what it read
    SITE.open(shelf.reader(), page)
    assert min(seconds_of(lambda: SITE.open(shelf.reader(), page)) for _ in range(3)) < 1
    assert len(SITE.open(shelf.reader(), page)) < 2_000_000


def seconds_of(work: Callable[[], object]) -> float:
    """Of the processor, for others work on this machine too; they slow even that, so the quickest of several turns counts."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def test_manifests_are_read_once(crowded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shopmill.settings import Settings

    shelf = Shelf(Settings(_env_file=None, store=str(crowded)))
    assert len(History(shelf.versions).all) == COUNT
    read: list[str] = []
    original = Store.read

    def noting(self: Store, key: str) -> bytes:
        read.append(key)
        return original(self, key)

    monkeypatch.setattr(Store, "read", noting)
    assert len(History(shelf.versions).all) == COUNT
    assert [key for key in read if key.endswith("manifest.json")] == []


def test_without_what_was_kept_all_is_read_again(crowded: Path) -> None:
    from shopmill.settings import Settings

    shelf = Shelf(Settings(_env_file=None, store=str(crowded)))
    before = History(shelf.versions).all
    for damage in (b"", b"{}", b"[1]", b'{"form": 1, "checks": [], "versions": [{}]}'):
        (crowded / "user_item_interactions/summaries.json").write_bytes(damage)
        assert History(shelf.versions).all == before
