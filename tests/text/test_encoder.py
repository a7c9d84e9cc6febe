import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopmill.text.encoder import Encoder, available_provider
from shopmill.text.model import find_model

REFERENCE = Path(__file__).parent / "reference"
TEXTS = json.loads((REFERENCE / "texts.json").read_text("utf-8"))


def vectors(batch: pa.RecordBatch) -> npt.NDArray[np.float32]:
    column = cast("pa.FixedSizeListArray[Any, Any]", batch["embedding"])
    return np.array(column.flatten(), dtype=np.float32).reshape(-1, column.type.list_size)


def rows_as_bytes(batch: pa.RecordBatch) -> list[bytes]:
    return [row.tobytes() for row in vectors(batch)]


def cosines(batch: pa.RecordBatch) -> npt.NDArray[np.float64]:
    reference = np.load(REFERENCE / "vectors.npy").astype(np.float64)
    result: npt.NDArray[np.float64] = (vectors(batch).astype(np.float64) * reference).sum(axis=1)
    return result


def test_agrees_with_sentence_transformers(encoder: Encoder) -> None:
    batch = encoder.encode(TEXTS)
    assert cosines(batch).min() >= 0.99999
    assert np.allclose(np.linalg.norm(vectors(batch), axis=1), 1, atol=1e-6)


def test_int8_is_near(int8_encoder: Encoder) -> None:
    found = cosines(int8_encoder.encode(TEXTS))
    assert found.min() >= 0.95
    assert found.mean() >= 0.98


def test_fp16_is_nearer(model_cache: Path) -> None:
    fp16 = Encoder(find_model(cache=model_cache, precision="fp16"), threads=2, provider="cpu")
    assert cosines(fp16.encode(TEXTS)).min() >= 0.999


def test_cuda_that_cannot_be_used_is_the_cpu(
    encoder: Encoder, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    if available_provider() == "cuda":
        pytest.skip("this ONNX Runtime has CUDA")
    fallen_back = Encoder(encoder.model, threads=2, provider="cuda")
    assert fallen_back.provider == "cpu"
    assert "CUDA cannot be used here" in caplog.text
    assert fallen_back.encode(TEXTS).equals(encoder.encode(TEXTS))


# One word is one token, so these have chosen lengths and meet in every size of run.
WORDS = ["red", "blue", "dress", "soft", "wide", "warm", "cotton", "zip", "ß", "🙂", "supercalifragilistic"]
SHORT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
LONG = st.integers(13, 300).map(lambda n: " ".join(WORDS[i * n % len(WORDS)] for i in range(n)))


@pytest.fixture(scope="module")
def alone(encoder: Encoder) -> list[tuple[str, bytes]]:
    """Texts of several lengths, each encoded in a run of its own."""
    texts = [*TEXTS[:8], "red dress", "red dress soft", "warm " * 60, "wide " * 255]
    return [(text, rows_as_bytes(encoder.encode([text]))[0]) for text in texts]


@settings(max_examples=60, deadline=None)
@given(others=st.lists(SHORT | LONG, max_size=40), data=st.data())
def test_bytes_do_not_depend_on_the_batch(
    encoder: Encoder, alone: list[tuple[str, bytes]], others: list[str], data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations([*others, *(text for text, _ in alone)]))
    found = dict(zip(mixed, rows_as_bytes(encoder.encode(mixed)), strict=True))
    assert [found[text] for text, _ in alone] == [expected for _, expected in alone]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 11, 30, 64, 126, 254])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 13, 40])
def test_every_place_in_a_run_gives_the_same_bytes(encoder: Encoder, length: int, size: int) -> None:
    text = " ".join(["cotton"] * length)
    noise = [" ".join(WORDS[(i + j) % 8] for j in range(length)) for i in range(size - 1)]
    expected = rows_as_bytes(encoder.encode([text]))[0]
    for place in {0, size // 2, size - 1}:
        batch = encoder.encode([*noise[:place], text, *noise[place:]])
        assert rows_as_bytes(batch)[place] == expected


def test_bytes_do_not_depend_on_the_threads(encoder: Encoder) -> None:
    single = Encoder(encoder.model, threads=1, provider="cpu")
    assert rows_as_bytes(single.encode(TEXTS)) == rows_as_bytes(encoder.encode(TEXTS))


def test_int8_bytes_do_not_depend_on_the_batch(int8_encoder: Encoder) -> None:
    together = rows_as_bytes(int8_encoder.encode([*TEXTS, "one more text"]))
    assert together[:-1] == [rows_as_bytes(int8_encoder.encode([text]))[0] for text in TEXTS]


@pytest.mark.parametrize("empty", [None, "", "   ", "\n\t", "\x00\x07"])
def test_a_text_without_a_token_has_no_vector(encoder: Encoder, empty: str | None) -> None:
    first, second = encoder.encode(pa.array([empty, "not empty"])).to_pylist()
    assert first == {"embedding": None, "n_tokens": 0, "was_truncated": False}
    assert len(second["embedding"]) == encoder.dim


@pytest.mark.parametrize(
    ("words", "tokens", "cut"), [(1, 3, False), (254, 256, False), (255, 256, True), (2000, 256, True)]
)
def test_tokens_are_counted_as_the_tokenizer_does(encoder: Encoder, words: int, tokens: int, cut: bool) -> None:
    batch = encoder.encode(["red " * words])
    assert (batch["n_tokens"].to_pylist(), batch["was_truncated"].to_pylist()) == ([tokens], [cut])


def test_a_cut_text_is_its_beginning(encoder: Encoder) -> None:
    first, second = rows_as_bytes(encoder.encode(["red " * 254, "red " * 254 + "blue"]))
    assert first == second


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    batch = encoder.encode([])
    assert batch.num_rows == 0
    assert batch.schema == encoder.schema


def test_progress_counts_every_text_with_a_vector_once(encoder: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    encoder.encode([*TEXTS, None, ""], lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(TEXTS), len(TEXTS))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_a_slice_of_an_array_is_encoded_as_that_slice(encoder: Encoder) -> None:
    batch = encoder.encode(pa.array(TEXTS)[3:5])
    assert rows_as_bytes(batch) == rows_as_bytes(encoder.encode(TEXTS[3:5]))
