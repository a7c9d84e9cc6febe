import io
import itertools
import math
import re
import time
import zipfile
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from shopmill.errors import InvalidInputError
from shopmill.text import tfidf as subject
from shopmill.text.tfidf import fit_tfidf

WORD = st.sampled_from(["red", "blue", "dress", "a", "Dress", "été", "ß", "x1", "42"])
TEXT = st.none() | st.lists(WORD, max_size=8).map(" ".join) | st.text(max_size=12)


def by_hand(texts: list[str | None], min_df: int, longest: int) -> tuple[list[str], list[list[float]]]:
    """The definition, word by word."""
    documents = []
    for text in texts:
        words = [w for w in re.split(r"[\W_]+", (text or "").lower()) if len(w) >= 2]
        pairs = [" ".join(pair) for pair in itertools.pairwise(words)] if longest == 2 else []
        documents.append(Counter(words + pairs))
    frequency = Counter(term for document in documents for term in document)
    terms = sorted((t for t, n in frequency.items() if n >= min_df), key=lambda t: t.encode())
    idf = {t: math.log((1 + len(texts)) / (1 + frequency[t])) + 1 for t in terms}
    rows = [[document[t] * idf[t] for t in terms] for document in documents]
    lengths = [math.sqrt(sum(v * v for v in row)) or 1 for row in rows]
    return terms, [[v / length for v in row] for row, length in zip(rows, lengths, strict=True)]


@given(
    texts=st.lists(st.none() | st.lists(WORD, max_size=8).map(" ".join), min_size=1, max_size=12),
    min_df=st.integers(1, 3),
    longest=st.integers(1, 2),
)
def test_agrees_with_the_definition(texts: list[str | None], min_df: int, longest: int) -> None:
    found = fit_tfidf([str(i) for i in range(len(texts))], texts, min_df=min_df, longest_ngram=longest)
    terms, rows = by_hand(texts, min_df, longest)
    assert found.vocabulary["term"].to_pylist() == terms
    assert np.allclose(found.matrix.toarray(), np.array(rows).reshape(len(texts), len(terms)), atol=1e-6)


@given(texts=st.lists(TEXT, max_size=12))
def test_rows_have_length_one_or_nothing(texts: list[str | None]) -> None:
    found = fit_tfidf([str(i) for i in range(len(texts))], texts, min_df=1, longest_ngram=2)
    assert found.matrix.dtype == np.float32
    assert found.matrix.has_canonical_format
    lengths = np.sqrt(np.asarray(found.matrix.multiply(found.matrix).sum(axis=1))).ravel()
    assert all(length == 0 or abs(length - 1) < 1e-6 for length in lengths)


def test_the_bytes_are_the_same_later_and_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    found = fit_tfidf(["a", "b", "c"], ["red dress", "blue dress", "red red jeans"], min_df=1)
    first = found.npz()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert fit_tfidf(["a", "b", "c"], ["red dress", "blue dress", "red red jeans"], min_df=1).npz() == first
    assert {entry.date_time for entry in zipfile.ZipFile(io.BytesIO(first)).infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert (sparse.load_npz(io.BytesIO(first)) != found.matrix).nnz == 0
    assert found.rows.to_pylist()[2] == {"row": 2, "article_id": "c"}


def test_the_most_frequent_terms_are_kept_and_ties_go_by_term() -> None:
    texts = ["cc bb aa", "cc bb aa", "cc dd"]
    found = fit_tfidf(["1", "2", "3"], texts, min_df=1, max_features=2)
    assert found.vocabulary["term"].to_pylist() == ["aa", "cc"]


def test_vocabulary_holds_what_a_new_text_needs() -> None:
    found = fit_tfidf(["1", "2", "3"], ["red", "red blue", "green"], min_df=1)
    assert found.vocabulary.to_pylist()[2] == {
        "column": 2,
        "term": "red",
        "document_frequency": 2,
        "idf": pytest.approx(math.log(4 / 3) + 1),
    }


def test_nothing_in_gives_an_empty_matrix() -> None:
    assert fit_tfidf([], []).matrix.shape == (0, 0)
    assert fit_tfidf(["1", "2"], [None, ""]).matrix.shape == (2, 0)


def test_arrow_columns_are_read_in_their_order() -> None:
    ids = pa.chunked_array([["2"], ["1"]])
    found = fit_tfidf(ids, pa.chunked_array([["red"], ["blue"]]), min_df=1)
    assert found.rows["article_id"].to_pylist() == ["2", "1"]
    assert found.matrix.toarray().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("bad", [{"min_df": 0}, {"max_features": 0}, {"longest_ngram": 3}])
def test_a_parameter_out_of_range_is_named(bad: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(bad))):
        fit_tfidf(["1"], ["red"], **bad)


def test_ids_and_texts_must_be_as_many() -> None:
    with pytest.raises(InvalidInputError, match="one text per article"):
        subject.fit_tfidf(["1"], ["red", "blue"])
