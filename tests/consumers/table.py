"""The tables of docs/consumers.md, out of what the tests noted: python table.py PROOFS [--write].

Prints them; with --write they also take the place of those in the page. Rows of exports that were not measured this time stay.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "consumers.md"
PROVEN = "| consumer | loaded with | done | rows | export | use | command |\n|---|---|---|---|---|---|---|"
EXAMPLES = "| script | tested on | metric | model | baseline |\n|---|---|---|---|---|"
EXPORTS = "| to | rows written | seconds | peak memory | command |\n|---|---|---|---|---|"
EXPORT = re.compile(r"(\|[^|]+){3}\| [\d,]+ MB \|")


def tables(noted: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each table by the name that it has in the page."""
    examples = [_example(line) for line in noted if "script" in line]
    recbole = [_proof(line) for line in noted if line.get("consumer", "").startswith("recbole ")]
    exports = [_export(line) for line in noted if "megabytes" in line]
    proven = [_proof(line) for line in noted if "consumer" in line and not line["consumer"].startswith("recbole ")]
    for name, header, rows in (
        ("proven", PROVEN, sorted(proven)),
        ("recbole", PROVEN, recbole),
        ("examples", EXAMPLES, examples),
        ("exports", EXPORTS, exports),
    ):
        if rows:
            yield name, "\n".join([header, *rows])


def _proof(p: Mapping[str, Any]) -> str:
    export = f"{p['export_seconds']} s, {p['export_megabytes']} MB" if p["export_megabytes"] else "with the version"
    use = f"{p['use_seconds']} s, {p['use_megabytes']} MB"
    return f"| {p['consumer']} | {p['loaded']} | {p['done']} | {p['rows']:,} | {export} | {use} | `{p['command']}` |"


def _example(e: Mapping[str, Any]) -> str:
    return f"| `{e['script']}` | {e['tested']} | {e['metric']} | {e['ours']:.4f} | {e['baseline']:.4f} |"


def _export(e: Mapping[str, Any]) -> str:
    return f"| {e['to']} | {e['rows']:,} | {e['seconds']} | {e['megabytes']:,} MB | `{e['command']}` |"


def put(page: str, name: str, table: str) -> str:
    """The page with a table between the marks of its name."""
    marks = re.compile(rf"(<!-- {name}: .*? -->\n)(.*?)(<!-- end of {name} -->)", re.DOTALL)
    assert marks.search(page), f"{PAGE.name} has no place for the table {name}"
    return marks.sub(lambda found: f"{found[1]}\n{table}\n\n{found[3]}", page)


def with_earlier(page: str, table: str) -> str:
    """The table with the rows of the page for exports that were measured another time, for each takes minutes."""
    rows = {row.split("|")[-2]: row for text in (page, table) for row in text.splitlines() if EXPORT.match(row)}
    return "\n".join([EXPORTS, *sorted(rows.values())])


def main(proofs: Path, write: bool) -> None:
    found = dict(tables([json.loads(line) for line in proofs.read_text().splitlines()]))
    print("\n\n".join(found.values()))
    if write:
        page = PAGE.read_text()
        for name, table in found.items():
            page = put(page, name, with_earlier(page, table) if name == "exports" else table)
        PAGE.write_text(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--write" in sys.argv[2:])
