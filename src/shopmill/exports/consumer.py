"""What a consumer is: a name, what it writes of which datasets, and the options of that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shopmill.declaration import Parameter, Value
from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.exports.source import Source

Write = Callable[[Source, Path], Mapping[str, int]]
"""Writes a version into an empty folder; gives rows by file."""
ANY = "*"


@dataclass(frozen=True)
class Consumer:
    """A library, or a server, that loads what is exported."""

    name: str
    loads: str
    """What it is given, in a few words."""
    writes: Mapping[str, Write]
    """By dataset; `*` stands for every other."""
    options: tuple[Parameter, ...] = ()
    packages: tuple[str, ...] = field(default=())
    """What must be installed to write its format: modules of the extra that has the consumer's name."""
    accumulates: bool = False
    """Whether one folder takes many versions."""

    def writer(self, dataset: str) -> Write:
        """What writes a dataset; InvalidInputError where the consumer does not take it, or a package is missing."""
        found = self.writes.get(dataset) or self.writes.get(ANY)
        if found is None:
            raise InvalidInputError(
                f"{dataset} cannot be exported to {self.name}, which takes {', '.join(sorted(self.writes))}."
            )
        if missing := [package for package in self.packages if find_spec(package) is None]:
            raise InvalidInputError(
                f"Exporting to {self.name} needs {missing[0]}, which is not installed: pip install 'shopmill[{self.name}]'."
            )
        return found

    def parse_options(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """All options with their values."""
        known = {option.name: option for option in self.options}
        if (wrong := next((name for name in given if name not in known), None)) is not None:
            has = f"it has {', '.join(known) or 'none'}.{did_you_mean(wrong, known)}"
            raise InvalidInputError(f"The export to {self.name} has no option {wrong!r}; {has}")
        return {name: o.parse(given[name]) if name in given else o.default for name, o in known.items()}
