"""A version: its manifest as people read it, checks, accounting, rejected rows, inputs, and how to read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from shopmill.asof import AsOf
from shopmill.catalogue.drawings import Node, graph
from shopmill.catalogue.pages import Page, dataset_path, diff_path, size_of, version_path
from shopmill.catalogue.pages.columns import TableBlock, in_order, tables_of
from shopmill.catalogue.pages.dataset import notes
from shopmill.catalogue.reader import NotThereError, Reader, RunRow
from shopmill.catalogue.summaries import VersionSummary
from shopmill.personal import masked_example, masked_json
from shopmill.versions.manifest import Manifest

SAMPLES = 3
MOST_REJECTS = 200_000
NEIGHBOURS = 200


@dataclass(frozen=True)
class CheckRow:
    """A check and how it went."""

    name: str
    table: str
    severity: str
    meaning: str
    passed: bool
    found: str
    examples: list[str]


@dataclass(frozen=True)
class InputRow:
    """What a version is made of."""

    name: str
    rows: int
    rejected: int
    as_of: str
    version: str
    href: str

    @property
    def rest(self) -> int:
        """Rows that were used, or that the dataset does not want."""
        return self.rows - self.rejected


@dataclass(frozen=True)
class Reason:
    """Rejected rows of one reason, with masked samples."""

    table: str
    reason: str
    rows: int
    samples: list[str]


@dataclass(frozen=True)
class FileRow:
    """The files of a table or an artifact."""

    name: str
    rows: int
    files: int
    size: str


@dataclass(frozen=True)
class VersionPage:
    """The page's content."""

    summary: VersionSummary
    main_table: str
    checks: list[CheckRow]
    inputs: list[InputRow]
    reasons: list[Reason]
    tables: list[TableBlock]
    files: list[FileRow]
    making: dict[str, dict[str, str]]
    graph: Markup
    path: str
    commands: list[str]
    size: str
    run: RunRow | None
    others: list[tuple[str, str]]
    previous: tuple[str, str] | None
    notes: list[str]

    @property
    def failed(self) -> list[CheckRow]:
        """Checks that did not pass."""
        return [check for check in self.checks if not check.passed]


def build(reader: Reader, name: str, key: str) -> Page:
    """The page of one version."""
    summary = find(reader, name, key)
    manifest = reader.manifest(summary)
    inputs = _inputs(reader, manifest)
    model = VersionPage(
        summary=summary,
        main_table=str(manifest.content["main_table"]),
        checks=sorted((_check(manifest, c) for c in manifest.beside.get("checks", ())), key=lambda c: c.passed),
        inputs=inputs,
        reasons=_reasons(reader, manifest),
        tables=tables_of(manifest, reader.statistics(manifest)),
        files=_files(manifest),
        making={part: _texts(manifest.content.get(part, {})) for part in ("parameters", "software", "code")},
        graph=_graph(manifest, inputs),
        path=reader.store.uri(reader.versions(name).folder(manifest)),
        commands=_commands(reader, manifest, summary),
        size=size_of(summary.bytes),
        run=next((run for run in reader.runs_of(name) if run.version == summary.version), None),
        others=_others(reader, summary),
        previous=_previous(manifest),
        notes=notes(reader, name, summary),
    )
    crumbs = (("Catalogue", "index.html"), (name, dataset_path(name)))
    return Page("version.html", f"{name} as of {summary.as_of}", model, crumbs, name, version_path(name, key))


def find(reader: Reader, name: str, key: str) -> VersionSummary:
    """The version of an address; NotThereError when there is none."""
    reader.need(name)
    if found := reader.history(name).find(key):
        return found
    raise NotThereError(
        f"{name} has no version {key}: it was never published here, or `shopmill gc` removed it meanwhile."
    )


def _check(manifest: Manifest, check: Mapping[str, Any]) -> CheckRow:
    table = check.get("table") or ""
    described = manifest.content["tables"].get(table, {})
    columns = described.get("key") or [column["name"] for column in described.get("columns", ())]
    found = str(check.get("detail") or "") or (f"{check['violations']:,} rows" if check["violations"] else "")
    examples = [
        example if table in {"", "rejects"} else masked_example(columns, example)
        for example in check.get("examples", ())
    ]
    return CheckRow(check["name"], table, check["severity"], check["meaning"], check["passed"], found, examples)


def _inputs(reader: Reader, manifest: Manifest) -> list[InputRow]:
    rejected: dict[str, int] = {}
    for reason, rows in manifest.content.get("rejected", {}).items():
        table = reason.partition(": ")[0]
        rejected[table] = rejected.get(table, 0) + rows
    found = []
    for name, described in manifest.content["inputs"].items():
        version, as_of = described.get("version", ""), described.get("as_of", "")
        is_here = version and name in reader.names
        href = version_path(name, f"{as_of.replace(':', '')}.{version}") if is_here else ""
        found.append(InputRow(name, described["rows"], rejected.get(name, 0), as_of, version, href))
    return found


def _reasons(reader: Reader, manifest: Manifest) -> list[Reason]:
    rejected = manifest.content.get("rejected", {})
    samples = _samples(reader, manifest) if rejected and "rejects" in manifest.tables else {}
    by_size = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    return [Reason(*_split(name), rows, samples.get(name, [])) for name, rows in by_size]


def _split(name: str) -> tuple[str, str]:
    table, _, reason = name.partition(": ")
    return table, reason


def _samples(reader: Reader, manifest: Manifest) -> dict[str, list[str]]:
    """A few rejected rows of each reason, masked."""
    import duckdb

    try:
        files = reader.files(manifest, "rejects", MOST_REJECTS)
        with duckdb.connect(config={"threads": 1}) as connection:
            rows = connection.execute(
                "select source_table || ': ' || reason, source_row from read_parquet(?, hive_partitioning = false) "
                "qualify row_number() over (partition by source_table, reason order by source_day, source_row) <= ?",
                [files, SAMPLES],
            ).fetchall()
    except (OSError, duckdb.Error):
        return {}
    found: dict[str, list[str]] = {}
    for reason, row in rows:
        found.setdefault(reason, []).append(masked_json(row))
    return found


def _files(manifest: Manifest) -> list[FileRow]:
    names = (*manifest.tables, *manifest.artifacts)
    return [
        FileRow(name, sum(f.rows for f in files), len(files), size_of(sum(f.bytes for f in files)))
        for name in names
        for files in [manifest.files(name)]
    ]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _graph(manifest: Manifest, inputs: list[InputRow]) -> Markup:
    left = [Node(item.name, kind="upstream" if item.version else "source") for item in inputs]
    right = [Node(name, kind="published") for name in (*in_order(manifest), *manifest.artifacts)]
    edges = [(a.name, b.name) for a in left for b in right]
    return graph(left, right, edges, f"What {manifest.dataset} is made of")


def _commands(reader: Reader, manifest: Manifest, summary: VersionSummary) -> list[str]:
    name, main = manifest.dataset, manifest.content["main_table"]
    path = reader.store.uri(f"{reader.versions(name).folder(manifest)}/{main}")
    by_path = [f'pandas.read_parquet("{path}")']
    if not summary.is_current:
        return by_path
    is_newest = reader.history(name).newest == summary
    as_of = "" if is_newest else f', as_of="{summary.as_of}"'
    option = "" if is_newest else f" --as-of {summary.as_of}"
    return [f'shopmill.load("{name}"{as_of}).to_pandas()', f"shopmill show {name}{option}", *by_path]


def _others(reader: Reader, summary: VersionSummary) -> list[tuple[str, str]]:
    """Versions to compare with: as_of and address, the newest first."""
    others = [other for other in reversed(reader.history(summary.dataset).all) if other.key != summary.key]
    zone = reader.settings.zone
    instant = AsOf.parse(summary.as_of, zone).instant
    by_distance = sorted(others, key=lambda o: abs(AsOf.parse(o.as_of, zone).instant - instant))
    nearest = {other.key for other in by_distance[:NEIGHBOURS]}
    return [
        (f"{other.as_of} ({other.version})", diff_path(summary.dataset, other.key, summary.key))
        for other in others
        if other.key in nearest
    ]


def _previous(manifest: Manifest) -> tuple[str, str] | None:
    previous = manifest.beside.get("previous")
    if not previous:
        return None
    own = f"{manifest.as_of.replace(':', '')}.{manifest.version}"
    old = f"{previous['as_of'].replace(':', '')}.{previous['version']}"
    return previous["as_of"], diff_path(manifest.dataset, old, own)
