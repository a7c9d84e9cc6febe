"""The card of a version, as Hugging Face knows it: YAML for programs, then the same for people."""

import json
from collections.abc import Mapping
from functools import lru_cache

from shopmill.versions.manifest import Manifest
from shopmill.versions.standards.shape import KEPT, shape_of

SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)


def card(manifest: Manifest, files: Mapping[str, str]) -> str:
    """README.md of a folder in which `files` says where those of each table are."""
    main = str(manifest.content["main_table"])
    return f"{_yaml(manifest, files, main)}\n{_text(manifest, main)}"


def _yaml(manifest: Manifest, files: Mapping[str, str], main: str) -> str:
    lines = ["---", f"pretty_name: {json.dumps(manifest.dataset)}", "tags:", "- shopmill"]
    lines += ["size_categories:", f"- {_size(manifest.rows(main))}"]
    if files:
        lines.append("configs:")
    for table, pattern in files.items():
        lines += [f"- config_name: {table}", "  data_files:", "  - split: train", f"    path: {json.dumps(pattern)}"]
        lines += ["  default: true"] if table == main else []
    return "\n".join([*lines, "---"]) + "\n"


def _size(rows: int) -> str:
    return next((name for limit, name in SIZES if rows < limit), "n>1B")


def _text(manifest: Manifest, main: str) -> str:
    tables: Mapping[str, Mapping[str, object]] = manifest.content["tables"]
    parts = [
        f"# {manifest.dataset} as of {manifest.as_of}",
        f"Version `{manifest.version}`, made by shopmill {manifest.content['software']['shopmill']}. Every row is of "
        f"before {manifest.as_of}. Its main table is `{main}`.",
    ]
    for name, table in tables.items():
        columns = _columns(shape_of(manifest, name))
        parts += [f"## {name}", f"{str(table['grain']).capitalize()}: {manifest.rows(name):,} rows.", columns]
    return "\n\n".join(parts) + "\n"


@lru_cache(KEPT)
def _columns(shape: str) -> str:
    columns = json.loads(shape)["columns"]
    rows = [f"| `{c['name']}` | {c['type']} | {c['unit']} | {_cell(c['meaning'])} |" for c in columns]
    return "\n".join(["| column | type | unit | meaning |", "|---|---|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
