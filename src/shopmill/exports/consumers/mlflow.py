"""MLflow: a dataset for `mlflow.log_input` that names version and as_of, and finds the rows again.

    dataset = shopmill.exports.consumers.mlflow.dataset(shopmill.load("customer_features"))
    mlflow.log_input(dataset, context="training")

The export writes `source.json`, which `source_of` reads: what a run logs, for runs that are started elsewhere. With
shopmill installed, MLflow finds the source of a logged dataset by itself (entry point `mlflow.dataset_source`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.exports.consumer import ANY, Consumer
from shopmill.exports.identity import describe
from shopmill.exports.source import Source
from shopmill.versions.load import Version
from shopmill.versions.store import to_json

if TYPE_CHECKING:
    from mlflow.data.dataset import Dataset


def dataset(version: Version, table: str | None = None) -> "Dataset":
    """A version as MLflow logs it: digest is the version's id, the schema and the number of rows are those of a table."""
    from shopmill.exports.mlflow_source import VersionDataset

    return VersionDataset(version, table)


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """The source, and what a logged dataset would say of it."""
    document = describe(source.version)
    (folder / "source.json").write_bytes(to_json(document))
    return {"source.json": 0}


def source_of(folder: Path) -> dict[str, Any]:
    """What an export wrote."""
    found: dict[str, Any] = json.loads((folder / "source.json").read_bytes())
    return found


CONSUMER = Consumer(name="mlflow", loads="a dataset source that names version and as_of", writes={ANY: write})
