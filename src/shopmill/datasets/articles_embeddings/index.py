"""The vector index of the current version, in the registry's database (pgvector)."""

import logging
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.datasets.articles_embeddings.dataset import BERT, SERVING
from shopmill.declaration import Severity
from shopmill.embeddings.neighbours import INDEX, connect
from shopmill.errors import InvalidInputError, cause_in_a_line
from shopmill.run.checks import Result
from shopmill.run.run import Run
from shopmill.text.index import IndexReport, prepare_index, publish_index, serve_index, too_low
from shopmill.versions.manifest import Manifest

log = logging.getLogger(__name__)


def prepare(run: Run, version: str) -> Result:
    """Builds the index of what is staged beside the one that serves, and measures its recall.

    A database without pgvector is a warning: there will be the version, and no `shopmill similar`.
    """
    keys = [staged.key for staged in run.staging.files(BERT.name)]
    try:
        ids, vectors = _vectors(run, keys)
        with connect(run.settings) as connection:
            report = prepare_index(connection, INDEX, version, ids, vectors, least_recall=_least_recall(run))
    except (InvalidInputError, psycopg.Error) as error:
        return _no_index(error)
    log.info("index %s of version %s: %d articles, recall@10 %.4f", INDEX, *_figures(report))
    return _measured(report, _least_recall(run))


def serve(run: Run, manifest: Manifest) -> Result:
    """Puts the prepared index in the place of the one that serves; where none is prepared it is built now.

    CheckFailedError when the recall of one built now is below `least_recall`; the old index then goes on serving.
    """
    try:
        with connect(run.settings) as connection:
            report = serve_index(connection, INDEX, manifest.version)
            if report is None:
                ids, vectors = _vectors(run, run.versions.keys_of(manifest, BERT.name))
                least = _least_recall(run)
                report = publish_index(connection, INDEX, manifest.version, ids, vectors, least_recall=least)
    except (InvalidInputError, psycopg.Error) as error:
        log.warning("No vector index: %s", error)
        return _no_index(error)
    log.info("index %s serves version %s: %d articles, recall@10 %.4f", INDEX, *_figures(report))
    return _measured(report, _least_recall(run))


def _least_recall(run: Run) -> float:
    return float(run.parameters["least_recall"])


def _figures(report: IndexReport) -> tuple[str, int, float]:
    return report.version, report.rows, report.recall_at_10


def _measured(report: IndexReport, least: float) -> Result:
    if report.recall_at_10 < least:
        return _result("error", 1, too_low(report, least))
    return _result("error", 0, f"{report.recall_at_10}")


def _no_index(error: InvalidInputError | psycopg.Error) -> Result:
    """A database that cannot have the index blocks no version."""
    said = str(error) if isinstance(error, InvalidInputError) else f"the database failed: {cause_in_a_line(error)}"
    return _result("warn", 1, f"no index: {said}")


def _result(severity: Severity, violations: int, detail: str) -> Result:
    return Result(SERVING.name, BERT.name, severity, SERVING.meaning, violations, detail)


def _vectors(run: Run, keys: list[str]) -> tuple[list[str], "pa.FixedSizeListArray[Any, Any]"]:
    with run.store.scratch() as scratch:
        files = run.store.fetch(keys, scratch)
        table = pq.read_table(files, columns=["article_id", "embedding", "dim"], partitioning=None)
    vectors = table.drop_null()
    if not vectors.num_rows:
        raise InvalidInputError("no article has a text.")
    dim = vectors["dim"][0].as_py()
    return vectors["article_id"].to_pylist(), vectors["embedding"].combine_chunks().cast(pa.list_(pa.float32(), dim))
