"""Every dataset has a line in the navigation of the docs, where people put it."""

from pathlib import Path

from shopmill import datasets
from shopmill.exports.navigation import FILE, stale, with_datasets, write

TEXT = """nav = [
  { "All" = "datasets/README.md" },
      { "b" = "datasets/b.md" },
      { "a" = "datasets/a.md" },
  { "End" = "end.md" },
]
"""


def test_new_ones_come_last_and_old_ones_stay_in_their_order() -> None:
    assert with_datasets(TEXT, ("a", "b")) == TEXT
    changed = with_datasets(TEXT, ("a", "b", "c"))
    assert changed == TEXT.replace('"datasets/a.md" },\n', '"datasets/a.md" },\n      { "c" = "datasets/c.md" },\n')
    assert with_datasets(changed, ("b", "c")) == TEXT.replace('"a"', '"c"').replace("/a.md", "/c.md")


def test_a_navigation_without_datasets_and_a_folder_without_one_stay_as_they_are(tmp_path: Path) -> None:
    assert with_datasets("nav = []", ("a",)) == "nav = []"
    assert stale(("a",), tmp_path) == write(("a",), tmp_path) == []


def test_that_of_the_docs_is_fresh() -> None:
    root = Path(__file__).parents[2]
    assert (root / FILE).exists()
    assert stale(datasets.names(), root) == []
