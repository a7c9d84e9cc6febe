"""The datasets: a folder each, with the declaration in dataset.py and the SQL beside it."""

from functools import cache
from importlib import import_module
from pathlib import Path

from shopmill.declaration import Dataset
from shopmill.errors import InvalidInputError, did_you_mean


@cache
def names() -> tuple[str, ...]:
    """The names of all datasets, sorted."""
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/dataset.py")))


def load_all() -> tuple[Dataset, ...]:
    """The declarations of all datasets, by name."""
    return tuple(load(name) for name in names())


def load(name: str) -> Dataset:
    """The declaration of one dataset; InvalidInputError when there is none of that name."""
    if name not in names():
        raise InvalidInputError(
            f"There is no dataset {name!r}. There are: {', '.join(names())}.{did_you_mean(name, names())}"
        )
    declared: Dataset = import_module(f"shopmill.datasets.{name}.dataset").DATASET
    return declared
