"""What verify says while others work in the store: nothing of what was published or deleted while it looked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made import DATASET, publish

from shopmill import datasets
from shopmill.settings import Settings
from shopmill.trust.finding import Finding
from shopmill.trust.repair import Repair
from shopmill.trust.verify import Verification
from shopmill.versions import layout
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions

DAYS = ("2020-09-01", "2020-09-02", "2020-09-03")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, store=str(tmp_path / "store"))


@pytest.fixture
def versions(settings: Settings) -> Versions:
    for day in DAYS:
        published(settings, day)
    return Versions(Store(settings.store), DATASET, settings.zone)


def published(settings: Settings, day: str) -> Manifest:
    return publish(settings, day, {"interactions": [{"customer_id": day}]}, {"interactions": ["customer_id"]})


def look(versions: Versions, **options: bool) -> Verification:
    return Verification(versions.store, datasets.load(DATASET), versions.zone, **options)


def findings(versions: Versions) -> list[Finding]:
    return list(look(versions).of(everything=True))


def meanwhile(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Something happens when the bytes of the first file are read."""
    left, whole = [work], Store.sha256

    def hashed(store: Store, key: str) -> str:
        while left:
            left.pop()()
        return whole(store, key)

    monkeypatch.setattr(Store, "sha256", hashed)


def test_a_version_that_is_published_meanwhile_is_no_difference(
    settings: Settings, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: published(settings, "2020-09-04"))
    assert findings(versions) == []
    assert findings(versions) == []
    assert len(versions.as_ofs()) == 4


def test_a_version_that_is_deleted_meanwhile_is_no_difference(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = versions.as_ofs()[0]
    gone = versions.need(oldest)

    def delete() -> None:
        versions.store.delete(versions.folder(gone))
        versions.store.delete(f"{DATASET}/{oldest.path}")
        look_again = versions.lines(look_again=True)
        assert all(line.version != gone.version for line in look_again.values() if line.whole)

    meanwhile(monkeypatch, delete)
    assert [one for one in findings(versions) if gone.version in one.sentence] == []


def test_a_file_that_goes_while_it_is_looked_at_is_one_line(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = versions.keys_of(versions.need(None), "interactions")[0]
    meanwhile(monkeypatch, lambda: versions.store.delete_keys([lost]))
    assert [(one.where, one.fault) for one in findings(versions)] == [(versions.store.uri(lost), "is missing")]


def test_a_pointer_that_names_a_version_under_another_as_of_is_put_right(versions: Versions) -> None:
    newest = versions.need(None)
    for key, as_of in ((layout.pointer_in(DATASET), DAYS[0]), (versions.pointer_key(DAYS[2]), DAYS[1])):
        versions.store.write(key, to_json({"as_of": as_of, "version": newest.version}))
        [finding] = findings(versions)
        assert finding.fault == f"names version {newest.version} as of {as_of} instead of {DAYS[2]}"
        assert list(Repair(look(versions)).run())
        assert findings(versions) == []


def test_repair_takes_values_of_people_from_what_older_code_found_whole(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later release holds for personal may be in statistics of versions that look as they did."""
    key = f"{versions.folder(versions.need(None))}/{layout.STATISTICS}"
    document = versions.store.read_json(key)
    document["tables"]["interactions"]["columns"][0] |= {"top": [{"label": "anna-7", "rows": 9}], "personal": False}
    versions.store.write(key, to_json(document))
    with monkeypatch.context() as before:
        before.setattr("shopmill.versions.looked._rules", lambda: "those of before")
        before.setattr("shopmill.trust.verify.show_people", lambda *_: False)
        assert findings(versions) == []
    [sentence] = Repair(look(versions, trusting=True)).run()
    assert "has no values of people any more" in sentence
    assert b"anna-7" not in versions.store.read(key)


@pytest.mark.parametrize("document", [b'{"form": 2, "tables": []}', b'{"form": 2, "tables": {"t": 1}}', b"[]"])
def test_statistics_of_another_shape_end_no_look(versions: Versions, document: bytes) -> None:
    versions.store.write(f"{versions.folder(versions.need(None))}/{layout.STATISTICS}", document)
    assert findings(versions) == []
