"""Arguments and options that several commands share, and how they are read."""

from collections.abc import Sequence
from typing import Annotated

import typer

from shopmill.errors import InvalidInputError


def complete_dataset(incomplete: str) -> list[str]:
    """The datasets that begin with what was typed."""
    from shopmill import datasets

    return [name for name in datasets.names() if name.startswith(incomplete)]


DatasetName = Annotated[
    str,
    typer.Argument(
        metavar="DATASET", help="a dataset, such as user_item_interactions", autocompletion=complete_dataset
    ),
]
SomeDataset = Annotated[
    str | None,
    typer.Argument(metavar="[DATASET]", help="one dataset; default: all", autocompletion=complete_dataset),
]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="2020-09-23, or 2020-09-23T10:15:00Z; default: the newest")
]
MOST_ROWS = 1_000_000
"""How many rows or runs a command shows at most: more is for `path` and a program that reads Parquet."""
Json = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """name=value, as often as it is given."""
    split = [pair.partition("=") for pair in given]
    if wrong := [pair for pair, (name, equals, _) in zip(given, split, strict=True) if not (name and equals)]:
        raise InvalidInputError(f"{option} {wrong[0]!r} is not of the form name=value.")
    names = [name for name, _, _ in split]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInputError(f"{option} has {repeated} twice: leave one of them out.")
    return {name: value for name, _, value in split}
