"""What must hold after every fault: all that was published is there, and whole."""

from typing import Any

from shopmill.asof import AsOf
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import faults
from shopmill.versions.versions import Versions
from soak.report import SoakError
from soak.soaked import Soaked


def nothing_lost(soaked: Soaked, dataset: str) -> None:
    """SoakError where a version is not whole, or gone, but for what the soak damaged itself."""
    versions = soaked.versions(dataset)
    found = versions.all()
    for manifest in found:
        if broken := _broken(soaked, versions, manifest):
            raise SoakError(f"{dataset} {manifest.as_of} {manifest.version} is not whole: {sorted(broken)}")
    there = {(manifest.as_of, manifest.version) for manifest in found}
    for (name, as_of), version in soaked.published.items():
        key = f"{dataset}/{AsOf.parse(as_of, soaked.settings.zone).path}/version={version}/manifest.json"
        if name == dataset and (as_of, version) not in there and key not in soaked.damaged:
            raise SoakError(f"{dataset} as of {as_of}: version {version} was published, and is lost")


def _broken(soaked: Soaked, versions: Versions, manifest: Manifest) -> set[str]:
    """Files of a version that are not what was published. Those that are as they were when they were looked at are whole."""
    folder, sealed = versions.folder(manifest), versions.sealed(manifest)
    entries: dict[str, Any] = {entry.key: entry for entry in soaked.store.entries(folder)}
    if all(one.key in entries and soaked.looked_at.get(one.key) == entries[one.key] for one in sealed):
        return set()
    broken = faults(soaked.store, sealed, folder, hashes=True).keys() - soaked.damaged
    if not broken:
        soaked.looked_at.update(entries)
    return set(broken)


def read_versions(soaked: Soaked) -> None:
    """Reads which versions count: after an erasure they have other ids. SoakError where one is missing."""
    for dataset in soaked.names:
        versions = soaked.versions(dataset)
        now = {(dataset, as_of): version for as_of, version in versions.counted(versions.lines())}
        lost = {name for name in soaked.published if name[0] == dataset} - now.keys()
        if lost:
            raise SoakError(f"lost: {sorted(lost)}")
        soaked.published |= {name: now[name] for name in soaked.published if name in now}
