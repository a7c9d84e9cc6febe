"""What a version is: the content of its manifest, gathered from the declaration and what the steps left in staging."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from importlib.metadata import version as package_version
from typing import Any

from shopmill.declaration import Artifact, Column, Dataset, Table
from shopmill.engine.choice import engine_label
from shopmill.engine.compose import base_tables
from shopmill.run.code import code_of
from shopmill.run.run import Run
from shopmill.run.shop_values import named_shop_values
from shopmill.source.snapshot import Snapshot
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.store import sha256_of, to_json

PREVIOUS = "previous_"
"""How SQL names a table of the previous version: with this before its name."""
MARK_DIGITS = 16
ANOTHER_PREVIOUS = "the previous version is another one"


def describe_making(run: Run) -> dict[str, Any]:
    """How the tables are computed: parameters, code, software. Inputs are not part of it."""
    return _making(run, run.inputs)


def mark_of_making(run: Run) -> str:
    """A hash of all that decides how the tables are computed, whatever the inputs: the index of versions has it.

    A parameter that follows from the inputs is there as what it follows from.
    """
    made = _making(run, {}) | {name: str(getattr(run.settings, name)) for name in ("first_day", "longest_gap_days")}
    made["inputs"] = sorted(needed.table for needed in (*run.dataset.inputs, *run.dataset.upstream))
    return hashlib.sha256(to_json(made)).hexdigest()[:MARK_DIGITS]


def _making(run: Run, inputs: Mapping[str, Snapshot]) -> dict[str, Any]:
    return {
        "parameters": {name: plain(value) for name, value in run.parameters.items()}
        | {name: str(getattr(run.settings, name)) for name in ("time_zone", *run.dataset.settings)}
        | ({"split_into": str(run.settings.split_into)} if any(map(run.splits, run.dataset.tables)) else {})
        | named_shop_values(run.dataset, run.settings, inputs),
        "code": {name: sha256_of(path) for name, path in code_of(run.dataset, run.settings.engine).items()},
        "software": {
            "shopmill": package_version("shopmill"),
            "engine": engine_label(run.settings),
            **{name: package_version(name) for name in run.dataset.packages},
        },
    }


def changes_of_making(run: Run, made: Manifest) -> Iterator[str]:
    """What is not as it was when a version was made, but for its inputs: parameters, code, software."""
    for kind, now in describe_making(run).items():
        was = made.content.get(kind, {})
        for name in sorted(was.keys() | now.keys()):
            if was.get(name) != now.get(name):
                yield f"{kind} {name}" if kind == "code" else f"{name} was {was.get(name)}, is {now.get(name)}"


def changes_since(run: Run, made: Manifest) -> Iterator[str]:
    """What is not as it was when a version was made: where nothing is, a run could make nothing else."""
    was = made.content["inputs"]
    now = describe_inputs(run)
    yield from (f"{name} has other rows" for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name))
    yield from changes_of_making(run, made)
    previous = run.versions.before(run.as_of) if continues(run.dataset) else None
    if continues(run.dataset) and made.previous != (previous.pin if previous else None):
        yield ANOTHER_PREVIOUS


def continues(dataset: Dataset) -> bool:
    """Whether what a dataset computes depends on the previous version."""
    reads_it = any(name.startswith(PREVIOUS) for sql in dataset.sql.values() for name in base_tables(dataset, sql))
    return reads_it or dataset.incremental is not None


def staged_version(run: Run) -> str:
    """The id that what is staged will have as a version: how the checks went is no part of it."""
    return Manifest(run.dataset.name, run.as_of.label, _content(run)).version


def build_manifest(run: Run) -> Manifest:
    """The manifest of what is staged and checked."""
    previous = run.staging.previous()
    beside = {
        "checks": [result.document() for result in run.staging.checks()],
        "previous": asdict(previous) if previous else None,
        "snapshots": {name: {"key": s.key, "read_as_of": s.read_as_of} for name, s in run.inputs.items()},
        "promised_age_seconds": int(run.dataset.promise.age.total_seconds()),
        # What was read before its as_of was over is read again: no mark says that such a version can stay.
        "making": mark_of_making(run) if all(s.is_complete for s in run.inputs.values()) else "",
    }
    return Manifest(run.dataset.name, run.as_of.label, _content(run), beside)


def _content(run: Run) -> dict[str, Any]:
    tables = {table.name: table for table in run.dataset.published}
    accounts = run.staging.counts().accounts
    content = {
        "main_table": run.dataset.published[0].name,
        "tables": {name: _describe(table, [s.file for s in run.staging.files(name)]) for name, table in tables.items()},
        "inputs": describe_inputs(run),
        **describe_making(run),
        "rejected": {f"{one.table}: {reason}": n for one in accounts for reason, n in one.rejected.items()},
        "accounts": {one.table: one.document() for one in accounts},
    }
    if run.dataset.artifacts:
        content["artifacts"] = {
            a.name: _made(a, [s.file for s in run.staging.files(a.name)]) for a in run.dataset.artifacts
        }
    return content


def _describe(table: Table, files: list[File]) -> dict[str, Any]:
    columns = [_describe_column(column) for column in table.columns]
    return {"grain": table.grain, "key": list(table.key), "columns": columns, "files": [vars(file) for file in files]}


def _describe_column(column: Column) -> dict[str, Any]:
    described = {name: getattr(column, name) for name in ("name", "type", "unit", "meaning", "required")}
    return described | ({"allowed": list(column.allowed)} if column.allowed else {})


def describe_inputs(run: Run) -> dict[str, Any]:
    """What the tables are made of: rows of the shop, versions of other datasets."""
    tables = {name: {"rows": s.rows, "sha256": s.sha256} for name, s in run.inputs.items()}
    versions = {
        name: {"rows": made.summary.rows, "as_of": made.as_of, "version": made.version}
        for name, made in run.upstream.items()
    }
    return tables | versions


def _made(artifact: Artifact, files: list[File]) -> dict[str, Any]:
    described = [{"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for file in files]
    return {"meaning": artifact.meaning, "files": described}


def plain(value: object) -> object:
    """A parameter's value as JSON has it."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
