"""The TF-IDF matrix of the catalogue, as files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.run.functions import Batches, Context
from shopmill.text.tfidf import fit_tfidf

INPUT = pa.schema([("article_id", pa.string()), ("text", pa.string())])


def write_tfidf(context: Context, batches: Batches, folder: Path) -> None:
    """Fits on all texts and writes matrix.npz, rows.parquet and vocabulary.parquet."""
    texts = pa.Table.from_batches((batch.cast(INPUT) for batch in batches), schema=INPUT)
    fitted = fit_tfidf(
        texts["article_id"],
        texts["text"],
        min_df=int(context.bound["min_df"]),
        longest_ngram=int(context.bound["longest_ngram"]),
    )
    (folder / "matrix.npz").write_bytes(fitted.npz())
    for name, rows in (("rows", fitted.rows), ("vocabulary", fitted.vocabulary)):
        pq.write_table(pa.Table.from_batches([rows]), folder / f"{name}.parquet", compression="zstd")
    context.counts.update(terms=fitted.matrix.shape[1])
