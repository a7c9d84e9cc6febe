"""JSON is written as the standard library writes it, byte for byte: ids of versions are hashes of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopmill.versions.indented import indented

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DOCUMENTS = st.recursive(PLAIN, lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=30)


@given(DOCUMENTS)
def test_it_is_what_the_standard_library_writes(document: Any) -> None:
    assert indented(document) == json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("document", [{1: [2]}, {True: {"a": (1, 2)}}, {None: [[]]}, {1.5: {"b": {}}}, ((1,), ())])
def test_names_that_are_no_texts_and_tuples(document: Any) -> None:
    assert indented(document) == json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("document", [{"a": [{1}]}, {1: [1], "a": [1]}, {"a": {(1, 2): 1}}])
def test_what_is_no_json_is_an_error(document: Any) -> None:
    with pytest.raises(TypeError):
        indented(document)
