"""Which as_ofs a model learns from, is tuned on and is tested on, so that no window of one reaches into the next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from shopmill.errors import InvalidInputError

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """The origins of each part, and those left out because their window reaches into the next part."""

    horizon: timedelta
    train: tuple[date, ...]
    validation: tuple[date, ...] = ()
    test: tuple[date, ...] = ()
    left_out: tuple[date, ...] = ()

    @property
    def parts(self) -> Mapping[str, tuple[date, ...]]:
        """The parts that have origins, in the order of time."""
        found = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: origins for name, origins in found.items() if origins}

    @property
    def origins(self) -> tuple[date, ...]:
        """All origins that are used."""
        return tuple(origin for origins in self.parts.values() for origin in origins)

    def part_of(self, origin: date) -> str:
        """The part that an origin is in."""
        return next(name for name, origins in self.parts.items() if origin in origins)

    def __str__(self) -> str:
        parts = [f"{name} {', '.join(map(str, origins))}" for name, origins in self.parts.items()]
        gap = f"at least {self.horizon.days} days between parts"
        left_out = f"; left out, within {self.horizon.days} days of a later part: {', '.join(map(str, self.left_out))}"
        return "; ".join([*parts, gap]) + (left_out if self.left_out else "")


def by_time(origins: Sequence[date], horizon: timedelta) -> Split:
    """The last origin tests, the last one that is a horizon before validates, those a horizon before that train.

    Without any left to train, those a horizon before the test do, and nothing validates; a single origin only trains.
    """
    found = sorted(set(origins))
    if len(found) == 1:
        return Split(horizon, (found[0],))
    test = found[-1]
    before_test = [origin for origin in found if origin + horizon <= test]
    if not before_test:
        raise InvalidInputError(
            f"as_of {found[0]} and {test} overlap: what is learnt from {found[0]} is known on {found[0] + horizon} only. "
            f"Give an as_of of {test - horizon} or before."
        )
    validation = before_test[-1]
    train = [origin for origin in before_test if origin + horizon <= validation]
    if not train:
        used = {*before_test, test}
        return Split(horizon, tuple(before_test), (), (test,), tuple(o for o in found if o not in used))
    used = {*train, validation, test}
    return Split(horizon, tuple(train), (validation,), (test,), tuple(o for o in found if o not in used))


def as_given(parts: Mapping[str, Sequence[date]], horizon: timedelta) -> Split:
    """The parts that a person names; InvalidInputError where they overlap."""
    if wrong := [name for name in parts if name not in PARTS]:
        raise InvalidInputError(f"as_of has no part {wrong[0]!r}: name {', '.join(PARTS)}.")
    sorted_parts = {name: tuple(sorted(set(parts.get(name, ())))) for name in PARTS}
    if not sorted_parts["train"]:
        raise InvalidInputError("as_of names no as_of to train with.")
    for (earlier, last), (later, first) in _joints(sorted_parts):
        if last + horizon > first:
            raise InvalidInputError(
                f"as_of {last} ({earlier}) and {first} ({later}) overlap: the labels of {last} reach to {last + horizon}. "
                f"Begin {later} there or later, or end {earlier} on {first - horizon} or before."
            )
    return Split(horizon, sorted_parts["train"], sorted_parts["validation"], sorted_parts["test"])


def _joints(parts: Mapping[str, tuple[date, ...]]) -> Iterator[tuple[tuple[str, date], tuple[str, date]]]:
    filled = [(name, origins) for name, origins in parts.items() if origins]
    for (earlier, before), (later, after) in pairwise(filled):
        yield (earlier, before[-1]), (later, after[0])
