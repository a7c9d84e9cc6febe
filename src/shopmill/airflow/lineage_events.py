"""What a step reports to OpenLineage: its datasets, with columns, versions and checks. Airflow's provider sends it.

Imported only where a task runs under an Airflow whose OpenLineage provider has somewhere to send events to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_dataset,
    dataset_version_dataset,
    documentation_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
    sql_job,
    storage_dataset,
)
from psycopg.conninfo import conninfo_to_dict

from shopmill.declaration import Dataset as Declared
from shopmill.lineage.dataset_lineage import ColumnLineage, DatasetLineage, Origin, ShopLineage
from shopmill.run.checks import Result, column_rules
from shopmill.run.published import Published
from shopmill.run.run import Run
from shopmill.run.steps import Outcome
from shopmill.source.mapping import load_mapping
from shopmill.versions.manifest import File, Manifest

DEFAULT_SCHEMA = "public"
Place = tuple[str, str]
"""Namespace and name of a dataset, by OpenLineage's naming rules."""


def step_lineage(step: str, part: str, run: Run, outcome: Outcome, sql: str) -> "OperatorLineage[Any, Any]":
    """The lineage of a step that has ended; `outcome` is None when it failed, `sql` is what it ran.

    Published tables are outputs of the step that publishes them, so a run that fails claims none.
    """
    events = LineageEvents(run)
    if step == "extract":
        return OperatorLineage(
            inputs=events.shop_tables(_tables_of(run, part), outcome if isinstance(outcome, dict) else {})
        )
    if step == "transform":
        facets = {"sql": sql_job.SQLJobFacet(query=sql, dialect=run.settings.engine)} if sql else {}
        return OperatorLineage(job_facets=facets)
    if step == "check":
        return OperatorLineage(inputs=events.checked())
    if isinstance(outcome, Published) and step == "publish":
        manifest = run.versions.exactly(outcome.as_of, outcome.version)
        return OperatorLineage(inputs=events.inputs(manifest), outputs=events.outputs(manifest))
    return OperatorLineage()


def _tables_of(run: Run, part: str) -> list[str]:
    return [needed.table for needed in run.dataset.extracts[part]]


@dataclass(frozen=True)
class LineageEvents:
    """The datasets of a run's events."""

    run: Run

    @cached_property
    def _shop(self) -> ShopLineage:
        return ShopLineage(load_mapping(self.run.settings))

    @cached_property
    def _lineage(self) -> DatasetLineage:
        return DatasetLineage(self.run.dataset)

    def shop_tables(self, tables: Iterable[str], rows: Mapping[str, int]) -> list[InputDataset]:
        """The shop's own tables behind tables of the contract, with the rows that came of them where that is known."""
        found = [(own, table) for table in tables for own in sorted(self._shop.tables(table))]
        return [
            InputDataset(*self._of_shop(own), inputFacets=_statistics_read(rows.get(table)))
            for own, table in dict(found).items()
        ]

    def inputs(self, manifest: Manifest) -> list[InputDataset]:
        """What a version is made of: tables of the shop, versions of other datasets, and the previous version."""
        rows = {name: described["rows"] for name, described in manifest.content["inputs"].items()}
        return [
            *self.shop_tables([needed.table for needed in self.run.dataset.inputs], rows),
            *self._versions_read(manifest),
        ]

    def _versions_read(self, manifest: Manifest) -> list[InputDataset]:
        versions = {name: d["version"] for name, d in manifest.content["inputs"].items() if "version" in d}
        if previous := manifest.previous:
            versions[self.run.dataset.name] = previous.version
        lineages = [self._lineage.table(table) for table in manifest.tables]
        read = sorted({(o.dataset, o.table) for lineage in lineages for o in lineage.origins if o.dataset})
        return [
            InputDataset(*self._of_store(dataset, table), facets={"version": _version(versions[dataset])})
            for dataset, table in read
            if dataset in versions
        ]

    def outputs(self, manifest: Manifest) -> list[OutputDataset]:
        """The tables and artifacts of a version."""
        return [self._output(manifest, name) for name in (*manifest.tables, *manifest.artifacts)]

    def _output(self, manifest: Manifest, name: str) -> OutputDataset:
        facets: dict[str, DatasetFacet] = {"version": _version(manifest.version)}
        if name in manifest.tables:
            facets |= self._described(manifest, name)
        files = manifest.files(name)
        written = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=_rows(files), size=_bytes(files), fileCount=len(files)
        )
        return OutputDataset(
            *self._of_store(manifest.dataset, name), facets=facets, outputFacets={"outputStatistics": written}
        )

    def _described(self, manifest: Manifest, name: str) -> dict[str, DatasetFacet]:
        described, layer = manifest.content["tables"][name], "file" if self.run.store.root else "s3"
        return {
            "documentation": documentation_dataset.DocumentationDatasetFacet(description=described["grain"]),
            "schema": schema_dataset.SchemaDatasetFacet(
                fields=[
                    schema_dataset.SchemaDatasetFacetFields(name=c["name"], type=c["type"], description=c["meaning"])
                    for c in described["columns"]
                ]
            ),
            "storage": storage_dataset.StorageDatasetFacet(storageLayer=layer, fileFormat="parquet"),
            "columnLineage": self._column_lineage(name),
            "dataQualityMetrics": _metrics(manifest, name),
        }

    def _column_lineage(self, name: str) -> column_lineage_dataset.ColumnLineageDatasetFacet:
        lineage = self._lineage.table(name)
        return column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={column: self._fields(found) for column, found in lineage.columns.items()},
            dataset=self._input_fields(lineage.conditions),
        )

    def _fields(self, found: ColumnLineage) -> column_lineage_dataset.Fields:
        description = f"made of {', '.join(found.besides)}" if found.besides else None
        return column_lineage_dataset.Fields(
            inputFields=self._input_fields(found.origins), transformationDescription=description
        )

    def _input_fields(self, origins: Iterable[Origin]) -> list[column_lineage_dataset.InputField]:
        """Each column once, with every way in which it takes part."""
        parts: dict[tuple[str, str, str], dict[str, column_lineage_dataset.Transformation]] = {}
        for place, origin in sorted(self._placed(origins), key=lambda found: (found[0], found[1])):
            kind = "DIRECT" if origin.is_direct else "INDIRECT"
            transformation = column_lineage_dataset.Transformation(type=kind, subtype=origin.role)
            parts.setdefault((*place, origin.column), {})[origin.role] = transformation
        return [
            column_lineage_dataset.InputField(namespace, name, column, list(roles.values()))
            for (namespace, name, column), roles in parts.items()
        ]

    def _placed(self, origins: Iterable[Origin]) -> Iterable[tuple[Place, Origin]]:
        for origin in origins:
            if origin.dataset:
                yield self._of_store(origin.dataset, origin.table), origin
            else:
                yield from ((self._of_shop(own.table), own) for own in self._shop.followed(origin))

    def checked(self) -> list[InputDataset]:
        """The tables that were checked, with how each check went; checks over several tables stand with the main one."""
        main = self.run.dataset.published[0].name
        assertions: dict[str, list[data_quality_assertions_dataset.Assertion]] = {}
        for check in self.run.staging.checks():
            table = check.table or main
            assertions.setdefault(table, []).append(_assertion(self.run.dataset, check))
        return [
            InputDataset(
                *self._of_store(self.run.dataset.name, table),
                inputFacets={
                    "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(found)
                },
            )
            for table, found in assertions.items()
        ]

    def _of_shop(self, table: str) -> Place:
        parts: Mapping[str, Any] = conninfo_to_dict(self.run.settings.source_dsn.get_secret_value())
        host = str(parts.get("host") or "localhost").split(",")[0]
        port = str(parts.get("port") or "5432").split(",")[0]
        qualified = table if "." in table else f"{DEFAULT_SCHEMA}.{table}"
        return f"postgres://{host}:{port}", f"{parts.get('dbname') or ''}.{qualified}"

    def _of_store(self, dataset: str, table: str) -> Place:
        address = self.run.store.uri(f"{dataset}/{table}")
        if self.run.store.root:
            return "file", address
        scheme, _, rest = address.partition("://")
        bucket, _, path = rest.partition("/")
        return f"{scheme}://{bucket}", path


KINDS = {
    " not null": "not_null",
    " of known values": "accepted_values",
    "key unique": "unique",
    "row count": "row_count",
    " fresh": "freshness",
}


def _assertion(dataset: Declared, check: Result) -> data_quality_assertions_dataset.Assertion:
    columns = dataset.table(check.table).columns if check.table else ()
    column = next((c.name for c in columns if check.name in {rule.name for rule in column_rules(c)}), None)
    kind = next((kind for ending, kind in KINDS.items() if check.name.endswith(ending)), "custom_sql")
    return data_quality_assertions_dataset.Assertion(
        assertion="range" if column and kind == "custom_sql" else kind,
        success=check.passed,
        column=column,
        severity=check.severity,
        name=check.name,
        description=check.meaning,
        expected="0 violations",
        actual=check.detail or f"{check.violations} violations",
    )


def _metrics(manifest: Manifest, table: str) -> data_quality_metrics_dataset.DataQualityMetricsDatasetFacet:
    """Counts of the version; nulls by column where a check counts them, which it does for required columns."""
    files = manifest.files(table)
    nulls = {
        check["name"].removesuffix(" not null"): check["violations"]
        for check in manifest.checks
        if check["table"] == table and check["name"].endswith(" not null")
    }
    return data_quality_metrics_dataset.DataQualityMetricsDatasetFacet(
        columnMetrics={name: data_quality_metrics_dataset.ColumnMetrics(nullCount=n) for name, n in nulls.items()},
        rowCount=_rows(files),
        bytes=_bytes(files),
        fileCount=len(files),
    )


def _statistics_read(rows: int | None) -> dict[str, InputDatasetFacet]:
    if rows is None:
        return {}
    return {"inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows)}


def _version(version: str) -> dataset_version_dataset.DatasetVersionDatasetFacet:
    return dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=version)


def _rows(files: Iterable[File]) -> int:
    return sum(file.rows for file in files)


def _bytes(files: Iterable[File]) -> int:
    return sum(file.bytes for file in files)
