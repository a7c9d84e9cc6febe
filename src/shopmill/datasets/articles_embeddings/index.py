"""The vector index of the current version, in the registry's database (pgvector)."""

import logging
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.checks import Result
from shopmill.errors import InvalidInputError
from shopmill.manifest import Manifest
from shopmill.neighbours import INDEX, connect
from shopmill.run import Run
from shopmill.text.index import IndexReport, current_index, publish_index

log = logging.getLogger(__name__)
MEANING = "the index finds the ten nearest articles (least_recall)"


def serve(run: Run, manifest: Manifest) -> list[Result]:
    """Builds the index beside the one that serves and puts it in its place; measures its recall.

    A database without pgvector is a warning: the version is there, `shopmill similar` is not. CheckFailedError when the
    recall is below `least_recall`; the old index then goes on serving.
    """
    try:
        with connect(run.settings) as connection:
            report = _publish(connection, run, manifest)
    except InvalidInputError as error:
        log.warning("No vector index: %s", error)
        return [Result("vector index", "bert", "warn", "the current version can be searched", 1, str(error))]
    log.info("index %s serves version %s: %d articles, recall@10 %.4f", INDEX, *_figures(report))
    return [Result("recall@10", "bert", "error", MEANING, 0, f"{report.recall_at_10}")]


def _figures(report: IndexReport) -> tuple[str, int, float]:
    return report.version, report.rows, report.recall_at_10


def _publish(connection: psycopg.Connection[Any], run: Run, manifest: Manifest) -> IndexReport:
    serving = current_index(connection, INDEX)
    if serving and serving.version == manifest.version:
        return serving
    ids, vectors = _vectors(run, manifest)
    least = float(run.parameters["least_recall"])
    return publish_index(connection, INDEX, manifest.version, ids, vectors, least_recall=least)


def _vectors(run: Run, manifest: Manifest) -> tuple[list[str], "pa.FixedSizeListArray[Any, Any]"]:
    with run.store.scratch() as scratch:
        files = run.store.fetch(run.versions.keys_of(manifest, "bert"), scratch)
        table = pq.read_table(files, columns=["article_id", "embedding", "dim"], partitioning=None)
    vectors = table.drop_null()
    if not vectors.num_rows:
        raise InvalidInputError("no article has a text.")
    dim = vectors["dim"][0].as_py()
    return vectors["article_id"].to_pylist(), vectors["embedding"].combine_chunks().cast(pa.list_(pa.float32(), dim))
