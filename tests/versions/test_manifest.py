"""The manifest: its hash is the version, and only content counts."""

import json
from typing import Any

import pytest

from shopmill.errors import InvalidInputError
from shopmill.versions.manifest import Manifest, Summary


def content(**changes: Any) -> dict[str, Any]:
    file = {"path": "t/part-00000.parquet", "rows": 3, "bytes": 10, "sha256": "ab"}
    return {
        "main_table": "t",
        "tables": {"t": {"files": [file, {**file, "path": "t/part-00001.parquet"}], "columns": []}},
        "rejected": {"x": 1, "y": 2},
        "parameters": {"a": "1", "b": "2"},
        **changes,
    }


def test_equal_content_is_one_version_whatever_is_told_beside_it() -> None:
    turned = dict(reversed(content().items()))
    one, other = Manifest("d", "2020-09-23", content(), {"checks": [1]}), Manifest("d", "2020-09-23", turned)
    assert one.version == other.version
    assert len(one.version) == 12


@pytest.mark.parametrize(
    "other",
    [
        Manifest("e", "2020-09-23", content()),
        Manifest("d", "2020-09-24", content()),
        Manifest("d", "2020-09-23", content(parameters={"a": "1", "b": "3"})),
        Manifest("d", "2020-09-23", content(code={"x.sql": "1"})),
    ],
)
def test_other_content_is_another_version(other: Manifest) -> None:
    assert Manifest("d", "2020-09-23", content()).version != other.version


def test_it_is_read_back() -> None:
    manifest = Manifest("d", "2020-09-23", content(), {"checks": [], "previous": None})
    again = Manifest.from_document(json.loads(manifest.to_json()))
    assert again == manifest
    assert again.to_json() == manifest.to_json()


def test_it_tells_figures() -> None:
    manifest = Manifest("d", "2020-09-23", content())
    assert manifest.summary == Summary("d", "2020-09-23", manifest.version, rows=6, bytes=20, rejected=3)
    assert [file.path for file in manifest.all_files] == ["t/part-00000.parquet", "t/part-00001.parquet"]
    with pytest.raises(InvalidInputError, match=r"no table 'u'; it has t"):
        manifest.need("u")


@pytest.mark.parametrize("more", [{}, {"accounts": {'é\n"': [1.5, None, True]}}, {"erased_from": ["1"]}, {"a": {}}])
def test_the_id_is_found_in_the_bytes(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made = Manifest('d "1"', "2020-09-23", content(**more), {"checks": [{"content": {"a": 1}}], "previous": None})
    data, version = made.to_json(), made.version
    again = Manifest.from_bytes(json.dumps(json.loads(data)).encode())
    assert again.version == version, "written in another way, it is written again to be hashed"
    monkeypatch.setattr("shopmill.versions.manifest.to_json", None)
    assert (Manifest.from_bytes(data).version, Manifest.from_bytes(data)) == (version, made)


def test_another_id_than_that_of_the_content_is_not_taken_over() -> None:
    made = Manifest("d", "2020-09-23", content(), {"previous": None})
    data = made.to_json()
    changed = data.replace(b'"rows": 3', b'"rows": 4')
    assert Manifest.from_bytes(changed).version not in {made.version, json.loads(data)["version"]}
