"""What a run will want encoded and the cache lacks, left in the store for those who encode it elsewhere."""

from collections.abc import Iterator

import pyarrow as pa

from shopmill.embeddings.embeddings import missing_texts
from shopmill.embeddings.table import EMBED
from shopmill.run.compute import input_of
from shopmill.run.functions import Batches, read_batches, write_batches
from shopmill.run.run import Run
from shopmill.run.steps import recorded
from shopmill.run.workspace import Workspace, open_workspace


def leave_missing_texts(run: Run, task: str) -> tuple[str, int]:
    """Puts the texts that a transform task needs vectors of, and the cache has none of, beside the run's work.

    Gives the address of a Parquet file (column `text`, each text once) and its number of texts.
    """
    with recorded(run), open_workspace(run) as workspace:
        path = workspace.scratch / "missing_texts.parquet"
        write_batches(missing_texts(workspace.context, _texts(workspace, task)), path)
        key = run.staging.key(f"missing_texts/{task}.parquet")
        if found := workspace.context.counts["texts_missing"]:
            run.store.adopt(path, key)
        return run.store.uri(key), found


def _texts(workspace: Workspace, task: str) -> Batches:
    dataset = workspace.run.dataset
    tables = next(declared.tables for declared in dataset.tasks if declared.name == task)
    for name in tables:
        if dataset.table(name).function == EMBED:
            workspace.prepare([dataset.sql[name]])
            yield from _only_text(read_batches(input_of(workspace, name, EMBED, lambda _table, _sql: None)))


def _only_text(batches: Batches) -> Iterator[pa.RecordBatch]:
    return (batch.select(["text"]) for batch in batches)
