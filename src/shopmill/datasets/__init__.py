"""The datasets: a folder each, with the declaration in dataset.py and the SQL beside it."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.declaration import Dataset
from shopmill.errors import InvalidInputError, did_you_mean

if TYPE_CHECKING:
    from shopmill.settings import Settings


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


def shop_defaults(settings: "Settings") -> Mapping[str, Mapping[str, Any]]:
    """The shop's own defaults of parameters, by dataset; InvalidInputError for a dataset or a parameter that does not exist."""
    for name, parameters in settings.parameters.items():
        load(name).parse_parameters(parameters)
    return settings.parameters
