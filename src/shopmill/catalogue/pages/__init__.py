"""The pages: each module gathers what one page says, as dataclasses that its template reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """A page: its template, what the template reads, and the way to it. Links are from the root of the catalogue."""

    template: str
    title: str
    model: Any
    crumbs: Sequence[tuple[str, str]] = ()
    dataset: str = ""
    here: str = ""


def size_of(count: int) -> str:
    """Bytes as people say them."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"  # noqa: PLR2004
        size /= 1000
    return f"{size:.1f} TB"


def dataset_path(name: str, page: str = "index") -> str:
    """Where a page of a dataset is."""
    return f"datasets/{name}/{page}.html"


def version_path(name: str, key: str) -> str:
    """Where the page of a version is."""
    return f"datasets/{name}/versions/{key}.html"


def diff_path(name: str, old: str, new: str) -> str:
    """Where the comparison of two versions is."""
    return f"datasets/{name}/diffs/{old}...{new}.html"
