"""Sentence embeddings with the encoder of the settings and the cache of the store, which all datasets share."""

import logging
import re
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa

from shopmill.errors import InvalidInputError
from shopmill.run.functions import Batches, Context, read_batches
from shopmill.settings import Settings
from shopmill.text.cache import EmbeddingCache, embed, in_shard, text_hashes
from shopmill.text.encoder import Encoder
from shopmill.text.model import find_model
from shopmill.text.progress import ShownProgress
from shopmill.versions.store import Store

log = logging.getLogger(__name__)


def open_encoder(settings: Settings) -> Encoder:
    """The encoder that the settings name; InvalidInputError where its model is not to be had."""
    model = find_model(settings.encoder, cache=settings.encoder_folder, precision=settings.encoder_precision)
    return Encoder(model, threads=settings.threads)


def embed_rows(context: Context, batches: Batches) -> Batches:
    """Rows with a column `text` become rows of an embedding table; the other columns stay.

    Counts the different texts that were encoded and those that the cache had (again for each batch they are in).
    """
    encoder = open_encoder(context.settings)
    cache = EmbeddingCache(context.store, encoder)
    model = encoder.model
    context.counts.update(texts_encoded=0, texts_cached=0)
    for batch in batches:
        with ShownProgress() as progress:
            found = embed(batch["text"], encoder, cache, progress)
        context.counts.update(texts_encoded=found.encoded, texts_cached=found.cached)
        kept = batch.drop_columns(["text"])
        constant = {
            "model_id": model.model_id,
            "model_revision": model.revision,
            "dim": pa.scalar(encoder.dim, pa.int32()),
        }
        columns = {
            **dict(zip(kept.schema.names, kept.columns, strict=True)),
            **{name: pa.repeat(value, batch.num_rows) for name, value in constant.items()},
            **{name: found.table[name].combine_chunks() for name in found.table.column_names},
        }
        yield pa.RecordBatch.from_pydict(columns)
    log.info("%(texts_encoded)d texts encoded, %(texts_cached)d from the cache", context.counts)


def missing_texts(context: Context, batches: Batches) -> Batches:
    """Of rows with a column `text` those texts that the cache lacks, each once; counts them as `texts_missing`."""
    cache = EmbeddingCache(context.store, open_encoder(context.settings))
    seen: set[str] = set()
    for batch in batches:
        hashes = text_hashes(batch["text"])
        text_of = dict(zip(hashes.to_pylist(), batch["text"].to_pylist(), strict=True))
        new = [value for value in cache.missing(hashes).to_pylist() if value not in seen]
        seen.update(new)
        context.counts.update(texts_missing=len(new))
        yield pa.record_batch([pa.array([text_of[value] for value in new], pa.string())], names=["text"])


def embed_shard(source: str, target: str, shard: str, settings: Settings) -> tuple[int, int]:
    """Encodes the texts of shard `i/n` of a Parquet file (column `text`) that the cache of the store `target` lacks.

    Returns how many were encoded and how many were there. A text is in one shard only, so shards may run side by side;
    a killed one goes on where it was. InvalidInputError for a malformed shard or a missing file.
    """
    index, count = _shard(shard)
    encoder = open_encoder(settings)
    cache = EmbeddingCache(Store(target), encoder)
    total = Counter(encoded=0, cached=0)
    for batch in _read_texts(source):
        texts = batch["text"].filter(in_shard(text_hashes(batch["text"]), index, count))
        with ShownProgress() as progress:
            found = embed(texts, encoder, cache, progress)
        total.update(encoded=found.encoded, cached=found.cached)
    return total["encoded"], total["cached"]


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or int(match[1]) >= int(match[2]):
        raise InvalidInputError(f"Shard {text!r} is not of the form i/n with i from 0 to n - 1, such as 0/4.")
    return int(match[1]), int(match[2])


def _read_texts(source: str) -> Batches:
    with tempfile.TemporaryDirectory(prefix="shopmill-") as folder:
        path = _downloaded(source, Path(folder)) if "://" in source else Path(source)
        if not path.is_file():
            raise InvalidInputError(f"There is no file {source} to read texts from.")
        yield from read_batches(path, ["text"])


def _downloaded(source: str, folder: Path) -> Path:
    parent, _, name = source.rpartition("/")
    store = Store(parent)
    return store.fetch([name], folder)[0] if store.exists(name) else folder / name
