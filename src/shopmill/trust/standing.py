"""Which versions a run would leave as they are, by what the indexes say: no version and no snapshot is read for it.

It says so only where it is sure. Of every other version the run's own steps decide.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shopmill.asof import AsOf
from shopmill.run.content import continues, mark_of_making
from shopmill.run.run import Run
from shopmill.source.contract import TABLES
from shopmill.source.mapping import load_mapping
from shopmill.source.snapshot import SnapshotCatalogue
from shopmill.versions.index import Line, Lines
from shopmill.versions.versions import Versions

Name = tuple[str, str]


class Dated:
    """The versions of a dataset that count, as_of and id of each, by when they are true for."""

    def __init__(self, versions: Versions, lines: Lines):
        self._names = dict(versions.counted(lines).keys())
        self._as_ofs = sorted(AsOf.parse(label, versions.zone) for label in self._names)
        self._instants = [as_of.instant for as_of in self._as_ofs]

    def until(self, as_of: AsOf) -> Name | None:
        """That of this as_of, else the newest one before it."""
        label = as_of.label
        return (label, self._names[label]) if label in self._names else self.before(as_of)

    def before(self, as_of: AsOf) -> Name | None:
        """The newest one of an earlier as_of."""
        if place := bisect_left(self._instants, as_of.instant):
            label = self._as_ofs[place - 1].label
            return label, self._names[label]
        return None


@dataclass(frozen=True)
class Standing:
    """Looks at the versions of one dataset; `run` is a run of it for any as_of."""

    run: Run
    lines: Lines

    def stands(self, as_of: AsOf, line: Line) -> bool:
        """Whether it is sure that a run for this as_of would leave its version as it is."""
        return (
            line.making == self._making
            and self._snapshots.issuperset(line.snapshots)
            and all(self._upstream[name].until(as_of) == (at, version) for name, at, version in line.inputs)
            and (not continues(self.run.dataset) or self._own.before(as_of) == line.previous)
        )

    @cached_property
    def _making(self) -> str:
        return mark_of_making(self.run)

    @cached_property
    def _snapshots(self) -> set[str]:
        """The newest snapshot of each as_of and table."""
        mapping = load_mapping(self.run.settings)
        tables = [TABLES[needed.table] for needed in self.run.dataset.inputs]
        catalogues = (SnapshotCatalogue(self.run.store, table, mapping.fingerprint(table)) for table in tables)
        return {key for catalogue in catalogues for key in catalogue.newest_keys()}

    @cached_property
    def _upstream(self) -> Mapping[str, Dated]:
        names = [needed.table for needed in self.run.dataset.upstream]
        versions = {name: Versions(self.run.store, name, self.run.settings.zone) for name in names}
        return {name: Dated(one, one.lines()) for name, one in versions.items()}

    @cached_property
    def _own(self) -> Dated:
        return Dated(self.run.versions, self.lines)
