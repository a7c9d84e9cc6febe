"""MLflow's classes for a version. The only module that imports MLflow: its entry point, and `shopmill.exports.consumers.mlflow`."""

import json
from typing import Any

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source import DatasetSource
from mlflow.types.schema import Schema
from mlflow.types.utils import _infer_schema

from shopmill.exports.identity import describe
from shopmill.settings import load_settings
from shopmill.versions.load import Version

SAMPLE_ROWS = 1000
KIND = "shopmill"


class VersionSource(DatasetSource):  # type: ignore[misc, unused-ignore]
    """Where a version is, and which one it is."""

    def __init__(self, described: dict[str, Any]):
        self._described = described

    @staticmethod
    def _get_source_type() -> str:
        return KIND

    def load(self) -> Version:
        """Opens the version, from the store that it was logged with."""
        store = self._described["uri"].rsplit(f"/{self._described['dataset']}/", 1)[0]
        settings = load_settings(store=store)
        return Version(
            self._described["dataset"], self._described["as_of"], settings, version=self._described["version"]
        )

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        return isinstance(raw_source, Version)

    @classmethod
    def _resolve(cls, raw_source: Version) -> "VersionSource":
        return cls(describe(raw_source))

    def to_dict(self) -> dict[str, Any]:
        """What names the version."""
        return self._described

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> "VersionSource":
        """The source that `to_dict` described."""
        return cls(source_dict)


class VersionDataset(Dataset):  # type: ignore[misc, unused-ignore]
    """A table of a version, as `mlflow.log_input` takes it."""

    def __init__(self, version: Version, table: str | None = None):
        self._version = version
        self._table = version.manifest.need(table or str(version.manifest.content["main_table"]))
        super().__init__(VersionSource(describe(version)), version.manifest.dataset)

    def _compute_digest(self) -> str:
        return self._version.version

    def to_dict(self) -> dict[str, str]:
        """Name, digest, source, schema and profile, as MLflow keeps them."""
        schema = json.dumps({"mlflow_colspec": self.schema.to_dict()})
        return {**super().to_dict(), "schema": schema, "profile": json.dumps(self.profile)}

    @property
    def profile(self) -> dict[str, Any]:
        """What the version holds."""
        manifest = self._version.manifest
        return {"as_of": manifest.as_of, "table": self._table, "num_rows": manifest.rows(self._table)}

    @property
    def schema(self) -> Schema:
        """The columns of the table."""
        import pyarrow as pa

        from shopmill.versions.frames import to_frame

        first = next(self._version.batches(self._table, rows=SAMPLE_ROWS), None)
        rows = pa.Table.from_batches([first]) if first else self._version.to_dataset(self._table).schema.empty_table()
        return _infer_schema(to_frame(rows.drop_columns(_nested(rows.schema)), {}))


def _nested(schema: Any) -> list[str]:
    import pyarrow as pa

    return [field.name for field in schema if pa.types.is_nested(field.type)]
