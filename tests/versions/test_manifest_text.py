"""The members of a manifest as texts: put together again they are the manifest, and its id."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shopmill.versions.manifest import Manifest
from shopmill.versions.manifest_text import CONTENT, ManifestText, text_of

TEXTS = st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda one: st.lists(one, max_size=4) | st.dictionaries(TEXTS, one, max_size=4),
    max_leaves=20,
)
FILE = {"path": "t/part-00000.parquet", "rows": 3, "bytes": 10, "sha256": "a" * 64}
CONTENTS = st.builds(
    lambda more, name: {
        **more,
        "main_table": "t",
        "rejected": {},
        "inputs": {},
        "tables": {"t": {"files": [FILE], "columns": [{"name": name}]}},
    },
    st.dictionaries(st.sampled_from(["accounts", "code", "erased_from", "parameters"]), VALUES),
    TEXTS,
)
BESIDE = st.dictionaries(st.sampled_from(["checks", "previous", "snapshots"]), VALUES)


@given(CONTENTS, BESIDE, TEXTS)
def test_put_together_again_it_is_the_manifest(content: dict[str, Any], beside: dict[str, Any], dataset: str) -> None:
    made = Manifest(dataset, "2020-09-23", content, beside)
    found = ManifestText.of(made.to_json())
    assert (found.text.encode(), found.version, found.manifest) == (made.to_json(), made.version, made)


@given(CONTENTS, VALUES, VALUES)
def test_a_member_that_is_another_one_is_written_as_all_are(content: dict[str, Any], inside: Any, beside: Any) -> None:
    before = ManifestText.of(Manifest("d", "2020-09-23", content, {}).to_json())
    after = before.with_content({"inputs": text_of(inside, CONTENT)}).with_beside({"previous": text_of(beside, " ")})
    made = Manifest("d", "2020-09-23", {**content, "inputs": inside}, {"previous": beside})
    assert (after.text.encode(), after.version) == (made.to_json(), made.version)


@given(CONTENTS, st.sampled_from([None, 1, 2]))
def test_one_that_others_wrote_is_written_again(content: dict[str, Any], indent: int | None) -> None:
    made = Manifest("d", "2020-09-23", content, {"checks": [{"content": {"a": 1}}]})
    data = json.dumps(json.loads(made.to_json()), indent=indent).encode()
    assert ManifestText.of(data).text.encode() == made.to_json()
