"""`shopmill rebuild`: computes a version again from its recorded inputs, beside it, and compares the bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shopmill.declaration import Dataset
from shopmill.engine.compose import base_tables
from shopmill.errors import DamagedError, InvalidInputError
from shopmill.run.compute import compute, continue_from, make
from shopmill.run.content import PREVIOUS, changes_of_making
from shopmill.run.run import Run
from shopmill.run.staging import Extent
from shopmill.run.workspace import open_workspace
from shopmill.settings import Settings
from shopmill.source.snapshot import Snapshot
from shopmill.trust.naming import heir_of, version_named
from shopmill.versions.layout import raw_of
from shopmill.versions.manifest import Manifest, Pin
from shopmill.versions.proof import faults, refuse
from shopmill.versions.snapshot_documents import read_snapshot
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

Report = Callable[[str], None]


@dataclass(frozen=True)
class Rebuilt:
    """What came of it: the files that differ, and what is not as it was when the version was made."""

    manifest: Manifest
    different: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether every byte is the same."""
        return not self.different

    @property
    def sentence(self) -> str:
        """In one sentence."""
        about = f"{self.manifest.dataset} as of {self.manifest.as_of}, version {self.manifest.version}"
        why = f" Since then changed: {'; '.join(self.changed)}." if self.changed else ""
        if self.is_same:
            return f"{about}: all {len(self.manifest.all_files)} files are the same, byte for byte.{why}"
        return f"{about}: {len(self.different)} files differ ({', '.join(self.different[:5])}).{why}"


def rebuild(dataset: Dataset, version: str, settings: Settings, report: Report = lambda _: None) -> Rebuilt:
    """Computes every table of a version from the raw files and versions that it was made of: all rows, and where that gives
    other files and the version reads the previous one, once more as the run did that continued from that.

    InvalidInputError, with the reason, where they are not all there any more.
    """
    manifest = _found(Versions(Store(settings.store), dataset.name, settings.zone), version)
    if manifest.erased_from:
        raise _impossible(manifest, "a person was erased from it, whose rows it was made of")
    run = _run_of(dataset, manifest, settings)
    try:
        _note_inputs(run, manifest)
        _compute(run, report)
        different = set(_different(run, manifest))
        if different and (previous := run.staging.previous()):  # what was new to it, a version says that continued
            continue_from(run, run.versions.exactly(previous.as_of, previous.version))
            _compute(run, report)
            different &= set(_different(run, manifest))
        return Rebuilt(manifest, tuple(sorted(different)), tuple(changes_of_making(run, manifest)))
    finally:
        run.staging.clear()


def _compute(run: Run, report: Report) -> None:
    for task in run.dataset.tasks:
        report(task.name)
        with open_workspace(run) as workspace:
            for table in task.tables:
                compute(workspace, run.dataset.table(table))
            for artifact in task.artifacts:
                make(workspace, run.dataset.artifact(artifact))


def _found(versions: Versions, version: str) -> Manifest:
    heir = heir_of(versions, version)
    if heir and not any(line.version.startswith(version) for line in versions.lines().values()):
        raise _impossible(heir, f"a person was erased from it since it was version {heir.erased_from[-1]}")
    return version_named(versions, version)


def _run_of(dataset: Dataset, manifest: Manifest, settings: Settings) -> Run:
    made = manifest.content["parameters"]
    declared = {parameter.name for parameter in dataset.all_parameters}
    if gone := [name for name in declared if name not in made]:
        raise _impossible(manifest, f"it was made without the parameter {gone[0]}, which there is now")
    parameters = {name: value for name, value in made.items() if name in declared}
    same = settings.model_copy(update={"time_zone": made.get("time_zone", settings.time_zone)})
    return Run.create(dataset, manifest.as_of, same, parameters, was_accepted=True)


def _note_inputs(run: Run, manifest: Manifest) -> None:
    """Leaves for the steps what extracting and preparing left when the version was made; everything is computed."""
    snapshots = {
        name: _snapshot(run, manifest, name, noted["key"]) for name, noted in manifest.beside["snapshots"].items()
    }
    for task, tables in run.dataset.extracts.items():
        wanted = {needed.table for needed in tables}
        if lacking := wanted - snapshots.keys():
            raise _impossible(manifest, f"it was made without {min(lacking)}, which is read now")
        run.staging.write_inputs(
            task, {name: snapshots[name] for name in snapshots if name in wanted or task == _last(run)}
        )
    inputs = manifest.content["inputs"]
    upstream = {name: Pin(i["as_of"], i["version"]) for name, i in inputs.items() if "version" in i}
    for name, made in upstream.items():
        _need(run, manifest, name, made)
    run.staging.pin_upstream(upstream)
    previous = manifest.previous
    if previous and _reads_previous(run.dataset):
        _need(run, manifest, run.dataset.name, previous)
    else:
        previous = None
    run.staging.pin_previous(previous)
    run.staging.write_extent(Extent())


def _last(run: Run) -> str:
    return list(run.dataset.extracts)[-1]


def _reads_previous(dataset: Dataset) -> bool:
    """Whether a table reads the previous version even where everything is computed."""
    named = {name for sql in dataset.sql.values() for name in base_tables(dataset, sql)}
    return any(f"{PREVIOUS}{table.name}" in named and table.warm_up_days is None for table in dataset.tables)


def _snapshot(run: Run, manifest: Manifest, table: str, key: str) -> Snapshot:
    try:
        found = Snapshot.from_document({**read_snapshot(run.store, key), "key": key})
        refuse(run.store, faults(run.store, found.files, raw_of(table), hashes=True), "")
    except FileNotFoundError:
        raise _impossible(
            manifest, f"the rows of {table} that it was read from are not in the store any more"
        ) from None
    except DamagedError as error:
        raise _impossible(manifest, f"what it was read from is damaged: {str(error).rstrip('. ')}") from None
    if found.sha256 != manifest.content["inputs"][table]["sha256"]:
        raise _impossible(manifest, f"the rows of {table} in the store are not those that it was read from")
    return found


def _need(run: Run, manifest: Manifest, dataset: str, made: Pin) -> None:
    try:
        Versions(run.store, dataset, run.settings.zone).exactly(made.as_of, made.version)
    except (DamagedError, FileNotFoundError):
        what = f"version {made.version} of {dataset} as of {made.as_of}, which it was made of, is not there any more"
        raise _impossible(manifest, what) from None


def _impossible(manifest: Manifest, reason: str) -> InvalidInputError:
    about = f"{manifest.dataset} as of {manifest.as_of}, version {manifest.version}"
    return InvalidInputError(f"{about} cannot be rebuilt: {reason}.")


def _different(run: Run, manifest: Manifest) -> Iterator[str]:
    for name in (*manifest.tables, *manifest.artifacts):
        was = {file.path: file.sha256 for file in manifest.files(name)}
        now = {staged.file.path: staged.file.sha256 for staged in run.staging.files(name)}
        yield from sorted(path for path in was | now if was.get(path) != now.get(path))
