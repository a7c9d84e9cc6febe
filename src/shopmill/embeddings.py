"""Sentence embeddings with the encoder of the settings and the cache of the store, which all datasets share."""

import logging
import time

import pyarrow as pa

from shopmill.functions import Batches, Context
from shopmill.settings import Settings
from shopmill.text.cache import EmbeddingCache, embed
from shopmill.text.encoder import Encoder, Progress
from shopmill.text.model import find_model

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LINES = 10


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
        found = embed(batch["text"], encoder, cache, logged_progress())
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


def logged_progress() -> Progress:
    """A line in the log every ten seconds."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            log.info("encoded %d of %d texts (%d %%)", done, total, 100 * done // total)

    return tell
