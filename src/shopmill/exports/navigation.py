"""The pages of datasets in the navigation of the docs: a line for each, in the order in which people put them."""

import re
from collections.abc import Sequence
from pathlib import Path

FILE = Path("zensical.toml")
LINE = re.compile(r'^ *\{ "(\w+)" = "datasets/\1\.md" \},\n', re.MULTILINE)


def with_datasets(text: str, names: Sequence[str]) -> str:
    """The navigation with a line for each dataset and no other; new ones come last."""
    there = list(LINE.finditer(text))
    if not there:
        return text
    kept = [line[0] for line in there if line[1] in names]
    known = {line[1] for line in there}
    first = there[0][0].replace(there[0][1], "{}")
    added = [first.replace("{}", name) for name in names if name not in known]
    return text[: there[0].start()] + "".join([*kept, *added]) + text[there[-1].end() :]


def stale(names: Sequence[str], root: Path = Path()) -> list[str]:
    """The file, where it lacks a dataset or has one that there is not; a folder without the file has no navigation."""
    path = root / FILE
    return [str(FILE)] if path.exists() and with_datasets(path.read_text(), names) != path.read_text() else []


def write(names: Sequence[str], root: Path = Path()) -> list[str]:
    """Brings the file up to date; gives its name where it changed."""
    changed = stale(names, root)
    for name in changed:
        (root / name).write_text(with_datasets((root / name).read_text(), names))
    return changed
