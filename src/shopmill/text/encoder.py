"""Texts to unit vectors with ONNX Runtime; equal text gives equal bytes, whatever it is encoded together with."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]
import pyarrow as pa
from tokenizers import Tokenizer

from shopmill.text.model import Model
from shopmill.text.strings import Texts, as_list

log = logging.getLogger(__name__)

Provider = Literal["cpu", "cuda"]
Progress = Callable[[int, int], None]

TOKENS_PER_RUN = {"cpu": 512, "cuda": 32_768}  # CPU: the activations of one run stay in the second-level cache
TEXTS_PER_TOKENIZATION = 4096
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class Encoder:
    """A loaded model. Safe to use from several threads.

    Only texts of exactly equal token length run together, so nothing is padded, and each run uses one thread, so a
    matrix is never split between cores; `threads` runs go on at once. A model whose graph or precision is not known
    to treat every text of a batch alike runs one text at a time.
    """

    def __init__(self, model: Model, *, threads: int | None = None, provider: Provider | None = None) -> None:
        self.model = model
        self.provider, self._session = _open(model, provider or available_provider())
        self.threads = 1 if self.provider == "cuda" else threads or os.cpu_count() or 1
        self._tokenizer = _tokenizer(model)
        self._special_tokens = self._tokenizer.num_special_tokens_to_add(False)
        self._inputs = {i.name: np.int64 if "int64" in i.type else np.int32 for i in self._session.get_inputs()}
        self._output = next(o.name for o in self._session.get_outputs() if len(o.shape) == 3)  # noqa: PLR2004
        self.dim = int(self._run([[0, 0]]).shape[1])

    @property
    def schema(self) -> pa.Schema:
        """The columns that `encode` returns."""
        return embedding_schema(self.dim)

    def encode(self, texts: Texts, progress: Progress | None = None) -> pa.RecordBatch:
        """Encode texts: `embedding` float32[dim] of length 1, `n_tokens` that were read, `was_truncated`.

        A text without a token (null, empty, white space) has a null embedding, 0 tokens, and is not truncated.
        `progress(done, total)` is called after each run, in the calling thread.
        """
        started = time.perf_counter()
        tokens, truncated = self._tokenize(as_list(texts))
        lengths = np.array([len(t) for t in tokens], dtype=np.int32)
        present = np.flatnonzero(lengths)
        vectors = np.zeros((len(tokens), self.dim), dtype=np.float32)
        done = 0
        with ThreadPoolExecutor(self.threads) as pool:
            work = list(self._runs(lengths, present))
            for rows, result in zip(work, pool.map(lambda r: self._run([tokens[i] for i in r]), work), strict=True):
                vectors[rows] = result
                done += len(rows)
                if progress:
                    progress(done, len(present))
        _log_rate(len(present), time.perf_counter() - started)
        return self._batch(vectors, lengths, truncated)

    def _batch(
        self, vectors: npt.NDArray[np.float32], lengths: npt.NDArray[np.int32], cut: list[bool]
    ) -> pa.RecordBatch:
        flat = pa.array(vectors.reshape(-1))
        embedding = pa.FixedSizeListArray.from_arrays(flat, self.dim, mask=pa.array(lengths == 0))
        return pa.record_batch([embedding, pa.array(lengths), pa.array(cut, pa.bool_())], schema=self.schema)

    def _tokenize(self, texts: list[str | None]) -> tuple[list[list[int]], list[bool]]:
        tokens: list[list[int]] = []
        truncated: list[bool] = []
        for start in range(0, len(texts), TEXTS_PER_TOKENIZATION):
            part = [self._prepared(text) for text in texts[start : start + TEXTS_PER_TOKENIZATION]]
            for encoding in self._tokenizer.encode_batch_fast(part):
                ids = encoding.ids
                tokens.append(ids if len(ids) > self._special_tokens else [])
                truncated.append(bool(encoding.overflowing))
        return tokens, truncated

    def _prepared(self, text: str | None) -> str:
        return (text or "").lower() if self.model.lower_case else text or ""

    def _runs(self, lengths: npt.NDArray[np.int32], present: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
        """Rows of equal length, the longest first, so that the threads finish together."""
        for length in sorted(set(lengths[present].tolist()), reverse=True):
            rows = np.flatnonzero(lengths == length)
            yield from np.split(rows, range(self._texts_per_run(length), len(rows), self._texts_per_run(length)))

    def _texts_per_run(self, length: int) -> int:
        if self.provider == "cpu" and not self.model.batch_invariant:
            return 1
        return max(1, TOKENS_PER_RUN[self.provider] // length)

    def _run(self, tokens: list[list[int]]) -> npt.NDArray[np.float32]:
        """Encode texts of equal length. On CUDA the run is filled up to the length's one fixed shape: there the
        kernel, and with it the last bit, is chosen by the shape."""
        filled = tokens
        if self.provider == "cuda":
            filled = tokens + [tokens[0]] * (self._texts_per_run(len(tokens[0])) - len(tokens))
        values = {"input_ids": filled, "attention_mask": np.ones_like(filled), "token_type_ids": np.zeros_like(filled)}
        feed = {name: np.asarray(values[name], dtype=kind) for name, kind in self._inputs.items()}
        hidden: npt.NDArray[np.float32] = self._session.run([self._output], feed)[0][: len(tokens)]
        pooled = hidden[:, 0] if self.model.pooling == "cls" else hidden.mean(axis=1)
        unit: npt.NDArray[np.float32] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit


def embedding_schema(dim: int) -> pa.Schema:
    """Columns of encoded texts, for vectors of `dim` numbers."""
    return pa.schema(
        [
            pa.field("embedding", pa.list_(pa.float32(), dim)),
            pa.field("n_tokens", pa.int32(), nullable=False),
            pa.field("was_truncated", pa.bool_(), nullable=False),
        ]
    )


def available_provider() -> Provider:
    """Return cuda where this ONNX Runtime has it, else cpu."""
    return "cuda" if PROVIDERS["cuda"] in onnxruntime.get_available_providers() else "cpu"


def _tokenizer(model: Model) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(model.tokenizer))
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.max_length)
    return tokenizer


def _open(model: Model, provider: Provider) -> tuple[Provider, Any]:
    """A session on the provider; on the CPU where CUDA is installed and cannot be used, for want of a GPU or a driver."""
    if provider == "cuda":
        onnxruntime.preload_dlls()
    session = _session(model, provider)
    if PROVIDERS[provider] in session.get_providers():
        return provider, session
    log.warning("CUDA cannot be used here: encoding on the CPU.")
    return "cpu", _session(model, "cpu")


def _session(model: Model, provider: Provider) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    slow_on_cpu = ["SkipLayerNormFusion"] if provider == "cpu" else []
    return onnxruntime.InferenceSession(
        model.onnx, options, providers=[PROVIDERS[provider]], disabled_optimizers=slow_on_cpu
    )


def _log_rate(texts: int, seconds: float) -> None:
    if texts:
        log.info("encoded %d texts in %.1f s, %.0f texts/s", texts, seconds, texts / max(seconds, 1e-9))
