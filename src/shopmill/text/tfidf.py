"""TF-IDF of a catalogue as a sparse matrix, the same bytes for the same texts.

Arrow splits and numbers the words, numpy and SciPy count them: the whole corpus at once, without a Python loop over
words and without scikit-learn, which would be the only reason for its 40 MB (see docs/text.md for the times).
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from shopmill.errors import InvalidInputError
from shopmill.text.strings import Texts, as_list

NOT_A_WORD = r"[^\p{L}\p{M}\p{N}]+"
SHORTEST_WORD = 2  # characters
LONGEST_NGRAM = 2

ROWS_SCHEMA = pa.schema([pa.field("row", pa.int32(), nullable=False), pa.field("article_id", pa.string())])
VOCABULARY_SCHEMA = pa.schema(
    [
        pa.field("column", pa.int32(), nullable=False),
        pa.field("term", pa.string(), nullable=False),
        pa.field("document_frequency", pa.int32(), nullable=False),
        pa.field("idf", pa.float64(), nullable=False),
    ]
)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TfIdf:
    """`matrix` is CSR float32 [articles, terms] with rows of length 1 (or 0 for a text without a term)."""

    matrix: sparse.csr_matrix
    rows: pa.RecordBatch
    vocabulary: pa.RecordBatch

    def npz(self) -> bytes:
        """Return the matrix as `scipy.sparse.load_npz` reads it; equal matrices give equal bytes."""
        buffer = io.BytesIO()
        sparse.save_npz(buffer, self.matrix, compressed=True)
        return buffer.getvalue()


def fit_tfidf(
    article_ids: Texts, texts: Texts, *, min_df: int = 2, max_features: int | None = None, longest_ngram: int = 1
) -> TfIdf:
    """Fit on these texts and return their matrix, its rows in the order of the texts, its columns sorted by term.

    A word is a run of letters and digits, two or more, in lower case. Kept are terms in at least `min_df` texts, and of
    those the `max_features` most frequent (ties by term). idf = ln((1 + n) / (1 + df)) + 1; term counts are raw.
    """
    if (
        min_df < 1
        or longest_ngram not in range(1, LONGEST_NGRAM + 1)
        or (max_features is not None and max_features < 1)
    ):
        raise InvalidInputError(
            f"TF-IDF needs min_df >= 1, max_features >= 1 and longest_ngram 1 or 2, not {min_df}, {max_features} and "
            f"{longest_ngram}."
        )
    ids, documents = as_list(article_ids), pa.array(as_list(texts), pa.large_string())
    if len(ids) != len(documents):
        raise InvalidInputError(f"TF-IDF needs one text per article, not {len(documents)} texts for {len(ids)}.")
    terms, counts = _counts(documents, longest_ngram)
    kept = _kept(counts, min_df, max_features)
    counts, terms = counts[:, kept], terms.take(pa.array(kept))
    frequency = _document_frequency(counts)
    idf = np.log((1 + len(ids)) / (1 + frequency)) + 1
    rows = pa.record_batch([pa.array(range(len(ids)), pa.int32()), pa.array(ids, pa.string())], schema=ROWS_SCHEMA)
    return TfIdf(_normalised(counts, idf), rows, _vocabulary(terms, frequency, idf))


def _counts(documents: pa.Array, longest_ngram: int) -> tuple[pa.Array, sparse.csr_matrix]:
    """Return the sorted terms and how often each text has each."""
    words, document = _words(documents)
    if longest_ngram == LONGEST_NGRAM:
        pairs, pair_document = _pairs(words, document)
        words = pa.concat_arrays([words, pairs])
        document = np.concatenate([document, pair_document])
    encoded = words.dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    column = rank[encoded.indices.to_numpy()].astype(np.int64)
    shape = (len(documents), len(order))
    ones = np.ones(len(column), dtype=np.float64)
    return encoded.dictionary.take(pa.array(order)), sparse.csr_matrix((ones, (document, column)), shape=shape)


def _words(documents: pa.Array) -> tuple[pa.Array, Ints]:
    """Return all words in order, and the number of the text that each is in."""
    split = pc.split_pattern_regex(pc.utf8_lower(documents), NOT_A_WORD)
    words = pc.list_flatten(split)
    document = pc.list_parent_indices(split).to_numpy()
    long_enough = pc.greater_equal(pc.utf8_length(words), SHORTEST_WORD)
    return words.filter(long_enough), document[long_enough.to_numpy(zero_copy_only=False)]


def _pairs(words: pa.Array, document: Ints) -> tuple[pa.Array, Ints]:
    """Return each two neighbouring words of a text as one term."""
    together = document[:-1] == document[1:]
    joined = pc.binary_join_element_wise(words[:-1], words[1:], pa.scalar(" ", pa.large_string()))
    return joined.filter(pa.array(together)), document[:-1][together]


def _kept(counts: sparse.csr_matrix, min_df: int, max_features: int | None) -> Ints:
    frequent = np.flatnonzero(_document_frequency(counts) >= min_df)
    if max_features is None or len(frequent) <= max_features:
        return frequent
    total = np.asarray(counts.sum(axis=0)).ravel()[frequent]
    return np.sort(frequent[np.argsort(-total, kind="stable")[:max_features]])


def _document_frequency(counts: sparse.csr_matrix) -> Ints:
    return np.bincount(counts.indices, minlength=counts.shape[1])


def _normalised(counts: sparse.csr_matrix, idf: npt.NDArray[np.float64]) -> sparse.csr_matrix:
    """Weigh and bring each row to length 1; sums run along a row in the order of its columns, in double precision."""
    counts.sort_indices()
    weights = counts.data * idf[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, weights**2, minlength=counts.shape[0]))
    values = (weights / length[row]).astype(np.float32)
    indices, indptr = counts.indices.astype(np.int32), counts.indptr.astype(np.int32)
    return sparse.csr_matrix((values, indices, indptr), shape=counts.shape)


def _vocabulary(terms: pa.Array, frequency: Ints, idf: npt.NDArray[np.float64]) -> pa.RecordBatch:
    columns = [np.arange(len(terms), dtype=np.int32), terms.cast(pa.string()), frequency.astype(np.int32), idf]
    return pa.record_batch([pa.array(column) for column in columns], schema=VOCABULARY_SCHEMA)
