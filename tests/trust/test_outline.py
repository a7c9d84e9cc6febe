"""What a look at many versions reads of a manifest is what the manifest says, however it was written."""

import json
from pathlib import Path

import pytest
from made import DATASET, publish

from shopmill.errors import DamagedError
from shopmill.settings import Settings
from shopmill.trust.outline import Outline, Outlines
from shopmill.versions.layout import manifest_in
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

INPUTS = {"transactions": {"rows": 3, "sha256": "b" * 64}, "customer_features": {"as_of": "2020-09-01", "version": "1"}}


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    settings = Settings(_env_file=None, store=str(tmp_path / "store"))
    publish(settings, "2020-09-01", {"interactions": [{"customer_id": "a"}]}, inputs=INPUTS, erased_from=["0"])
    return Versions(Store(settings.store), DATASET, settings.zone)


def path_of(versions: Versions) -> Path:
    [path] = Path(versions.store.url).glob("*/as_of=*/version=*/manifest.json")
    return path


def told(outline: Outline) -> tuple[object, ...]:
    return outline.version, outline.files, outline.content, outline.snapshots, outline.previous


def test_it_is_the_same_whoever_wrote_the_manifest(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    [(folder, quick)] = Outlines(versions).each()
    path = path_of(versions)
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert told(Outlines(versions).under(manifest_in(folder))) == told(quick)
    assert [file.path for file in quick.files] == ["interactions/part-00000.parquet"]
    assert quick.content.inputs["customer_features"].version == "1"


def test_what_is_beside_the_content_may_be_what_the_quick_reader_does_not_know(versions: Versions) -> None:
    """NaN is no JSON to it."""
    path = path_of(versions)
    path.write_text(path.read_text().replace('"checks": []', '"checks": [{"name": NaN, "passed": 1, "severity": 2}]'))
    assert len(list(Outlines(versions).each())) == 1


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('"rows": 1', '"rows": 2'),
        ("interactions/part", "../part"),
        ('"checks": []', '"checks": [{}]'),
        ('"dataset": "user', '"dataset": "some'),
        ('"checks": []', '"checks": "\xff"'),
    ],
)
def test_what_is_damaged_is_no_outline(versions: Versions, was: str, now: str) -> None:
    [(folder, _)] = Outlines(versions).each()
    path = path_of(versions)
    data = path.read_bytes()
    assert was.encode() in data
    path.write_bytes(data.replace(was.encode(), now.encode("latin-1"), 1))
    with pytest.raises(DamagedError):
        Outlines(versions).under(manifest_in(folder))
    assert list(Outlines(versions).each()) == []


def test_a_manifest_elsewhere_is_no_outline(versions: Versions) -> None:
    [(folder, _)] = Outlines(versions).each()
    versions.store.copy(manifest_in(folder), other := manifest_in(f"{DATASET}/as_of=2020-09-02/version=0123456789ab"))
    with pytest.raises(DamagedError):
        Outlines(versions).under(other)


def test_most_of_a_manifest_is_passed_over(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Manifest, "from_bytes", None)
    assert len(list(Outlines(versions).each())) == 1
