"""Feast: the features as a file source, and definitions that `feast apply` reads.

    features.parquet     customer_id, the features, event_timestamp (as_of) and created (when it was published)
    definitions.py       FileSource, Entity and FeatureView, with an explicit schema
    feature_store.yaml   a local registry and online store, to try it with

With `as_ofs=6` the newest six published as_ofs are in the file, so that Feast's point-in-time joins find for each moment
the features as they were. Decimals are doubles and dates timestamps: Feast knows neither.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from shopmill.asof import AsOf
from shopmill.declaration import Parameter
from shopmill.engine.identifiers import quote
from shopmill.exports.consumer import Consumer
from shopmill.exports.source import Source
from shopmill.versions.load import Version
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

ENTITY = "customer_id"
DEFINITIONS = '''"""Features of customers, for Feast. Written by shopmill: {dataset} as of {as_of}, version {version}."""

from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float64, Int64, String, UnixTimestamp

customer = Entity(name="customer", join_keys=["{entity}"], value_type=ValueType.STRING)

source = FileSource(
    name="{dataset}",
    path=str(Path(__file__).parent / "features.parquet"),
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)

{dataset} = FeatureView(
    name="{dataset}",
    entities=[customer],
    ttl=timedelta(days=0),
    schema=[
        Field(name="{entity}", dtype=String),
{fields}
    ],
    source=source,
    tags={{"shopmill_version": "{version}", "as_of": "{as_of}"}},
)
'''
STORE = """project: shopmill
provider: local
registry: registry.db
online_store:
  type: sqlite
  path: online.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """The versions one after another, each with its own moment."""
    columns = source.manifest.content["tables"]["features"]["columns"]
    features = [(column["name"], *_typed(column["type"])) for column in columns if column["name"] != ENTITY]
    queries = [_of_version(source, version, features) for version in _versions(source)]
    union = " union all by name ".join(queries)
    rows = source.write_parquet(
        f"select * from ({union}) order by event_timestamp, {ENTITY}", folder / "features.parquet"
    )
    fields = "\n".join(f'        Field(name="{name}", dtype={feast}),' for name, _, feast in features)
    named = {"dataset": source.manifest.dataset, "as_of": source.version.as_of, "version": source.version.version}
    (folder / "definitions.py").write_text(DEFINITIONS.format(fields=fields, entity=ENTITY, **named))
    (folder / "feature_store.yaml").write_text(STORE)
    return {"features.parquet": rows}


def _versions(source: Source) -> list[Version]:
    """The newest versions up to the one that is exported."""
    versions = Versions(Store(source.settings.store), source.manifest.dataset, source.settings.zone)
    known = [as_of.label for as_of in versions.as_ofs() if as_of <= source.as_of and versions.at(as_of)]
    return [
        Version(source.manifest.dataset, label, source.settings) for label in known[-int(source.options["as_ofs"]) :]
    ]


def _of_version(source: Source, version: Version, features: Sequence[tuple[str, str, str]]) -> str:
    view = quote(f"features_{version.version}")
    version.to_duckdb("features", source.connection).create_view(view.strip('"'), replace=True)
    has = {column["name"] for column in version.manifest.content["tables"]["features"]["columns"]}
    chosen = ", ".join(
        f"cast({quote(name) if name in has else 'null'} as {kind}) as {quote(name)}" for name, kind, _ in features
    )
    moment = AsOf.parse(version.as_of, source.settings.zone).instant
    return (
        f"select {ENTITY}, {chosen}, timestamptz '{moment.isoformat()}' as event_timestamp, "
        f"timestamptz '{version.published_at.isoformat()}' as created from {view}"
    )


def _typed(kind: str) -> tuple[str, str]:
    """The type in the file, and Feast's name of it."""
    if kind.startswith("decimal") or kind in {"double", "float"}:
        return "double", "Float64"
    if kind in {"integer", "bigint", "smallint"}:
        return "bigint", "Int64"
    if kind == "boolean":
        return "boolean", "Bool"
    if kind in {"date", "timestamptz"}:
        return "timestamptz", "UnixTimestamp"
    return "varchar", "String"


CONSUMER = Consumer(
    name="feast",
    loads="a file source with definitions, for offline and online stores",
    writes={"customer_features": write},
    options=(Parameter("as_ofs", "integer", 1, "how many of the newest as_ofs, up to the one exported", 1, 1000),),
)
