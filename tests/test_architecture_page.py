"""The page about the architecture names the packages and modules that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_tree_names_what_is_on_disk() -> None:
    tree = PAGE.partition("src/shopmill/\n")[2].partition("```")[0]
    named = re.findall(r"^  (\S+) ", tree, re.MULTILINE)
    on_disk = {f"{path.parent.name}/" for path in (ROOT / "src" / "shopmill").glob("*/__init__.py")}
    on_disk |= {path.name for path in (ROOT / "src" / "shopmill").glob("*.py")}
    assert sorted(named) == sorted(on_disk)
