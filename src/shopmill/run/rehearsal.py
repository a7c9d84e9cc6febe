"""A run that is only thought through: what its steps leave for each other stays in memory, and nothing is written."""

import json
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from shopmill.run.run import Run
from shopmill.run.staging import Staging
from shopmill.source.extraction import Extraction
from shopmill.source.snapshot import Plan, Snapshot
from shopmill.versions.store import Store, to_json


@dataclass(frozen=True)
class Notes(Staging):
    """A staging area in memory."""

    notes: dict[str, bytes] = field(default_factory=dict)

    def _write(self, name: str, document: object) -> None:
        self.notes[name] = to_json(document)

    def _read(self, name: str) -> Any:
        if name not in self.notes:
            raise FileNotFoundError(name)
        return json.loads(self.notes[name])


@dataclass(frozen=True)
class Rehearsal(Run):
    """A run of which the steps decide what they would do."""

    @cached_property
    def store(self) -> Store:
        """The store of the settings; scratch space is elsewhere."""
        return Store(self.settings.store, self.settings.work_folder or Path(tempfile.gettempdir()))

    @cached_property
    def staging(self) -> Staging:
        """What would be left, in memory."""
        return Notes(self.store, self.dataset.name, self.run_id)

    @cached_property
    def foreseen(self) -> dict[str, Snapshot | Plan]:
        """What extracting would do, by table."""
        tables = [needed.table for needed in self.dataset.inputs]
        extraction = Extraction(self.settings, self.store, self.as_of, self.locks.lock)
        return extraction.foresee(tables, self.refresh) if tables else {}

    @property
    def due(self) -> dict[str, Plan]:
        """The tables that would be read from the shop, at least in part."""
        return {name: found for name, found in self.foreseen.items() if isinstance(found, Plan)}

    def extract(self) -> None:
        """Notes the inputs as they are, and those to be read as they were when they were read last."""
        for task, needed in self.dataset.extracts.items():
            self.staging.write_inputs(task, {one.table: self._expected(one.table) for one in needed})
        self.pin_upstream()

    def _expected(self, table: str) -> Snapshot:
        found = self.foreseen[table]
        if isinstance(found, Snapshot):
            return found
        return found.base or Snapshot(table, self.as_of.label, self.as_of.label, ())
