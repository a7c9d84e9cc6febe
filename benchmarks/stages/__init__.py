"""The stages, one file each. A file with a `STAGE` is a stage; it imports what its contenders need inside of them."""

from importlib import import_module
from pathlib import Path

from benchmarks.stage import Stage

ORDER = (
    "interactions",
    "extract",
    "sessions",
    "new_events",
    "daily",
    "new_day",
    "customers",
    "reading",
    "checks",
    "tfidf",
    "sentiment",
)
"""In this order; stages that are not named here follow by name."""


def names() -> list[str]:
    """The names of all stages."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def load(name: str) -> Stage:
    """The stage of a name."""
    stage: Stage = import_module(f"{__name__}.{name}").STAGE
    return stage
