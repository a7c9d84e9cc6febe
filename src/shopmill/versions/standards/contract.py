"""The Open Data Contract Standard 3.1: tables, columns and the rules that anyone can check on the files."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from shopmill.versions.indented import Written, indented
from shopmill.versions.manifest import Manifest
from shopmill.versions.standards.shape import IN_A_TABLE, KEPT, shape_of

TYPES = {"boolean": "boolean", "date": "date", "timestamptz": "timestamp", "varchar": "string"}
TYPES |= {"integer": "integer", "bigint": "integer", "smallint": "integer"}


def contract(manifest: Manifest) -> Mapping[str, Any]:
    """The document."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"shopmill:{manifest.dataset}",
        "name": manifest.dataset,
        "version": f"1.0.0+{manifest.version}",
        "status": "active",
        "description": {"purpose": f"{manifest.dataset} as of {manifest.as_of}: every row is of before that."},
        "servers": [{"server": "files", "type": "local", "path": "{model}/*.parquet", "format": "parquet"}],
        "schema": [_table(manifest, table) for table in manifest.tables],
        **_service_levels(manifest),
    }


def _service_levels(manifest: Manifest) -> Mapping[str, Any]:
    """How old the newest as_of may become; versions from before it was noted promise nothing."""
    seconds = manifest.beside.get("promised_age_seconds")
    if seconds is None:
        return {}
    told = "as_of of the current version is never longer ago"
    return {"slaProperties": [{"property": "latency", "value": seconds // 60, "unit": "min", "description": told}]}


def _table(manifest: Manifest, name: str) -> Mapping[str, Any]:
    shape, described = shape_of(manifest, name), manifest.content["tables"][name]
    key = described["key"]
    rules = [{"type": "library", "metric": "rowCount", "mustBe": manifest.rows(name)}]
    if key:
        rules.append({"type": "library", "metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": key}})
    return {
        "name": name,
        "physicalName": name,
        "physicalType": "table",
        "logicalType": "object",
        "description": described["grain"],
        "dataGranularityDescription": described["grain"],
        "properties": _properties(shape),
        "quality": rules,
    }


@lru_cache(KEPT)
def _properties(shape: str) -> Written:
    described = json.loads(shape)
    return Written(indented([_column(column, described["key"]) for column in described["columns"]], IN_A_TABLE))


def _column(column: Mapping[str, Any], key: list[str]) -> Mapping[str, Any]:
    kind, name = column["type"], column["name"]
    found = {
        "name": name,
        "physicalName": name,
        "logicalType": "array" if kind.endswith("[]") else TYPES.get(kind, "number"),
        # datacontract-cli knows no other words for these
        "physicalType": "array" if kind.endswith("[]") else kind.replace("timestamptz", "timestamp"),
        "description": column.get("meaning", ""),
        "required": bool(column.get("required", False)),
    }
    if kind.endswith("[]"):
        element = kind.removesuffix("[]")
        found["items"] = {"logicalType": TYPES.get(element, "number"), "physicalType": element}
    if name in key:
        found |= {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1}
    if allowed := column.get("allowed"):
        rule = {"type": "library", "metric": "invalidValues", "arguments": {"validValues": allowed}, "mustBe": 0}
        found["quality"] = [rule]
    return found
