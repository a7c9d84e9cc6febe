"""Pages about the datasets, written from their declarations: what the docs say is what runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from shopmill import datasets
from shopmill.declaration import Column, Dataset, Input, Table, spoken
from shopmill.run.checks import row_rules
from shopmill.run.content import plain

FOLDER = Path("docs/datasets")
DEFAULT_LIMIT = Input.reject_limit
HEADING = "<!-- Written by `make docs` from src/shopmill/datasets/{name}/dataset.py; change that. -->"


def pages() -> dict[str, str]:
    """File name to text of every page."""
    loaded = [datasets.load(name) for name in datasets.names()]
    return {"README.md": index(loaded), **{f"{dataset.name}.md": page(dataset) for dataset in loaded}}


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of the pages in `folder` that are not what the declarations say now."""
    wanted = pages()
    surplus = [path.name for path in folder.glob("*.md") if path.name not in wanted]
    return sorted(surplus + [name for name, text in wanted.items() if _text(folder / name) != text])


def write(folder: Path = FOLDER) -> list[str]:
    """Brings the folder up to date; returns the names of the pages that changed."""
    changed, wanted = stale(folder), pages()
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name])
        else:
            (folder / name).unlink()
    return changed


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def index(loaded: Sequence[Dataset]) -> str:
    """The list of all datasets."""
    rows = [
        (f"[{d.name}]({d.name}.md)", d.documentation.strip().splitlines()[0], ", ".join(t.name for t in d.published))
        for d in loaded
    ]
    lines = [HEADING.format(name="*"), "# Datasets", "", *_table(("dataset", "what it is", "tables"), rows)]
    return "\n".join(lines) + "\n"


def page(dataset: Dataset) -> str:
    """Everything about one dataset."""
    return (
        "\n".join(
            [
                HEADING.format(name=dataset.name),
                f"# {dataset.title}",
                "",
                dataset.documentation.strip(),
                "",
                *_body(dataset),
            ]
        )
        + "\n"
    )


def _body(dataset: Dataset) -> Iterator[str]:
    yield from ("## How it is made", "")
    chain = [
        *dataset.extracts,
        *(task.name for task in dataset.tasks),
        "quality_check",
        "save_artifact",
        "register_metadata",
        "notify",
    ]
    yield from (f"Tasks: {' → '.join(chain)}.", "")
    inputs = ", ".join(dict.fromkeys(needed.table for needed in (*dataset.inputs, *dataset.upstream)))
    yield from (f"Made of: {inputs}. Owner: {dataset.owner}.", "")
    promise = dataset.promise
    yield from (f"Promise: published within {spoken(promise.within)}, never older than {spoken(promise.age)}.", "")
    for table in dataset.tables:
        yield from _described(table)
    for artifact in dataset.artifacts:
        yield from (f"## Files `{artifact.name}`", "", f"{artifact.meaning}.", "")
    yield from ("## Parameters", "")
    rows = [(f"`{p.name}`", p.type, str(plain(p.default)), p.meaning) for p in dataset.all_parameters]
    yield from _table(("parameter", "type", "default", "meaning"), rows)
    yield from ("", "## Checks", "")
    yield from _table(("check", "severity", "meaning"), _checks(dataset))


def _described(table: Table) -> Iterator[str]:
    key = f" Key: {', '.join(table.key)}." if table.key else ""
    yield from (f"## Table `{table.name}`", "", f"{table.grain[0].upper()}{table.grain[1:]}.{key}", "")
    yield from _table(("column", "type", "unit", "meaning"), [_column(column) for column in table.columns])
    yield ""


def _column(column: Column) -> tuple[str, str, str, str]:
    nullable = "" if column.required else " (may be null)"
    return f"`{column.name}`", column.type, column.unit, f"{column.meaning}{nullable}"


def _checks(dataset: Dataset) -> list[tuple[str, str, str]]:
    rows = [(f"{t.name}: {rule.name}", rule.severity, rule.meaning) for t in dataset.tables for rule in t.checks]
    keys = [(f"{t.name}: key unique", "error", f"one row per {', '.join(t.key)}") for t in dataset.tables if t.key]
    implied = sum(len(row_rules(table)) - len(table.checks) for table in dataset.tables)
    columns = (f"{implied} column rules", "error", "nulls, ranges and known values as declared with the columns above")
    queries = [(check.name, check.severity, check.meaning) for check in dataset.checks]
    fresh = [(f"{i.table} fresh", *_freshness(i)) for i in (*dataset.inputs, *dataset.upstream) if i.is_fresh]
    joins = [
        (f"{j.of} joins {j.to}", "error", f"at most max_unmatched_share of its {j.column} are missing in {j.to}")
        for j in dataset.joins
    ]
    common = [
        ("row count", "error", "no table that should have rows is empty or lost more than max_row_drop of them"),
    ]
    if dataset.can_reject:
        common += [
            ("accounted for", "error", "of each source table: rows = used + not wanted + rejected"),
            ("rejects", "error", f"of each source table: at most {_reject_limits(dataset)} of its rows are rejected"),
            ("values known", "warn", "of each source table: values fit their columns, or are taken as unknown"),
        ]
    if dataset.serving:
        queries.append((dataset.serving.name, "error", dataset.serving.meaning))
    return [columns, *keys, *rows, *queries, *joins, *fresh, *common]


def _reject_limits(dataset: Dataset) -> str:
    others = [
        f"; of {source.table}, {source.reject_limit}"
        for source in dataset.inputs
        if source.reject_limit != DEFAULT_LIMIT
    ]
    return DEFAULT_LIMIT + "".join(others)


def _freshness(needed: Input) -> tuple[str, str]:
    warns = "warns when the newest rows are older than fresh_days"
    if needed.severity == "warn":
        return "warn", warns
    return "error", f"blocks when the newest rows are older than stale_days, and {warns}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(header)
    yield _line(["---"] * len(header))
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
