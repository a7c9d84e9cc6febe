"""The pages about the datasets follow from the declarations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shopmill import datasets
from shopmill.exports import documentation

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_in_the_repository_are_fresh() -> None:
    assert documentation.stale(DOCS / "datasets") == [], "run `make docs` and commit"


@pytest.mark.parametrize("name", datasets.names())
def test_a_page_tells_every_column_parameter_and_check(name: str) -> None:
    declared, text = datasets.load(name), documentation.pages()[f"{name}.md"]
    for table in declared.published:
        assert f"## Table `{table.name}`" in text
        assert all(f"| `{column.name}` | {column.type} |" in text for column in table.columns)
    assert all(f"| `{parameter.name}` |" in text for parameter in declared.parameters)
    assert all(f"| {check.name} | {check.severity} |" in text for check in declared.checks)


def test_a_stale_a_missing_and_a_surplus_page_are_told_and_mended(tmp_path: Path) -> None:
    documentation.write(tmp_path)
    assert documentation.stale(tmp_path) == []
    first, second = f"{datasets.names()[0]}.md", f"{datasets.names()[1]}.md"
    (tmp_path / first).write_text("old")
    (tmp_path / second).unlink()
    (tmp_path / "gone.md").write_text("a dataset that is no more")
    assert documentation.stale(tmp_path) == sorted([first, second, "gone.md"])
    assert documentation.write(tmp_path) == sorted([first, second, "gone.md"])
    assert documentation.stale(tmp_path) == []


def test_every_page_is_in_the_navigation_of_the_site_once() -> None:
    import tomllib

    def pages(entries: Any) -> Iterator[str]:
        for entry in entries:
            [value] = entry.values()
            yield from [value] if isinstance(value, str) else pages(value)

    site = tomllib.loads((DOCS.parent / "zensical.toml").read_text())
    listed = sorted(pages(site["project"]["nav"]))
    assert listed == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_every_link_of_the_docs_leads_somewhere() -> None:
    import re

    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    missing = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert missing == []
