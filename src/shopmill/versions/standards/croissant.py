"""Croissant 1.1: the files of a version with their hashes, and a record set for each table."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from shopmill.versions.indented import Written, indented
from shopmill.versions.manifest import Manifest
from shopmill.versions.standards.shape import IN_A_LIST, KEPT, shape_of

CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES = {"boolean": "sc:Boolean", "date": "sc:Date", "timestamptz": "sc:DateTime", "varchar": "sc:Text"}
TYPES |= {"integer": "sc:Integer", "bigint": "sc:Integer", "smallint": "sc:Integer"}
PARQUET = "application/x-parquet"


def croissant(manifest: Manifest) -> Mapping[str, Any]:
    """The document. Its version is semantic, with the id as build: 1.0.0+3f2a9c1db07e."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": f"{manifest.dataset} as of {manifest.as_of}",
        "description": f"{manifest.dataset} as of {manifest.as_of}, made by shopmill; every row is of before that.",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "version": f"1.0.0+{manifest.version}",
        "distribution": [*_files(manifest), *_sets(manifest)],
        "recordSet": [_records(manifest, table) for table in manifest.tables],
    }


def _files(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    for file in manifest.all_files:
        yield {
            "@type": "cr:FileObject",
            "@id": file.path,
            "name": file.path,
            "contentUrl": file.path,
            "contentSize": f"{file.bytes} B",
            "encodingFormat": PARQUET if file.path.endswith(".parquet") else "application/octet-stream",
            "sha256": file.sha256,
        }


def _sets(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    """A table of several files is read as one: those in the version's own folder, for nothing else contains them."""
    for table in manifest.tables:
        if len(manifest.files(table)) > 1:
            yield {
                "@type": "cr:FileSet",
                "@id": f"files-of-{table}",
                "name": f"files-of-{table}",
                "encodingFormat": PARQUET,
                "includes": f"{table}/*.parquet",
            }


def _records(manifest: Manifest, table: str) -> Written:
    files = manifest.files(table)
    source = {"fileSet": {"@id": f"files-of-{table}"}} if len(files) > 1 else {"fileObject": {"@id": files[0].path}}
    return _written(table, shape_of(manifest, table), json.dumps(source))


@lru_cache(KEPT)
def _written(table: str, shape: str, source: str) -> Written:
    return Written(indented(_described(table, json.loads(shape), json.loads(source)), IN_A_LIST))


def _described(table: str, described: Mapping[str, Any], source: Mapping[str, Any]) -> Mapping[str, Any]:
    records = {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": described["grain"],
        "field": [_field(table, column, source) for column in described["columns"]],
    }
    return records | ({"key": [{"@id": f"{table}/{name}"} for name in described["key"]]} if described["key"] else {})


def _field(table: str, column: Mapping[str, Any], source: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = column["type"].removesuffix("[]")
    unit = f" ({column['unit']})" if column.get("unit") else ""
    field = {
        "@type": "cr:Field",
        "@id": f"{table}/{column['name']}",
        "name": column["name"],
        "description": f"{column.get('meaning', '')}{unit}",
        "dataType": TYPES.get(kind, "sc:Float"),
        "source": {**source, "extract": {"column": column["name"]}},
    }
    return field | ({"isArray": True, "arrayShape": "-1"} if column["type"].endswith("[]") else {})
