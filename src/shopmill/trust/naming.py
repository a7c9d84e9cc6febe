"""Versions by what a person calls them: their as_of, their id, or how it begins."""

from collections.abc import Iterator
from contextlib import suppress

from shopmill.asof import AsOf
from shopmill.errors import DamagedError, InvalidInputError
from shopmill.versions.index import Line, VersionIndex
from shopmill.versions.layout import INDEX
from shopmill.versions.manifest import Manifest
from shopmill.versions.versions import Versions


def find_version(versions: Versions, name: str) -> Manifest:
    """The version of an as_of, or the one whose id begins like this; InvalidInputError where it is not exactly one."""
    try:
        as_of = AsOf.parse(name, versions.zone)
    except InvalidInputError:
        return version_named(versions, name)
    return versions.need(as_of)


def version_named(versions: Versions, version: str) -> Manifest:
    """The one version whose id begins so; InvalidInputError where there is none, or more than one."""
    found = [line for line in versions.lines().values() if line.whole and line.version.startswith(version)]
    if len(found) == 1:
        return _whole(versions, found[0])
    if not found and (heir := heir_of(versions, version)):
        raise InvalidInputError(
            f"{versions.dataset} has no version {version!r} any more: a person was erased from it, and it is version "
            f"{heir.version} now."
        )
    if not found and (other := next(_elsewhere(versions, version), None)):
        raise InvalidInputError(f"Version {version} is one of {other}, not of {versions.dataset}.")
    what = "no version" if not found else f"{len(found)} versions"
    raise InvalidInputError(f"{versions.dataset} has {what} {version!r}: see `shopmill versions {versions.dataset}`.")


def _whole(versions: Versions, line: Line) -> Manifest:
    with suppress(FileNotFoundError):
        return versions.exactly(line.as_of, line.version)
    raise DamagedError(
        f"The manifest of version {line.version} of {versions.dataset} as of {line.as_of} is missing. "
        f"Run `shopmill repair`, or `shopmill run {versions.dataset} --as-of {line.as_of}`."
    )


def heir_of(versions: Versions, version: str) -> Manifest | None:
    """The version that took the place of one from which a person was erased."""
    return next((one for one in versions.each() if any(old.startswith(version) for old in one.erased_from)), None)


def _elsewhere(versions: Versions, version: str) -> Iterator[str]:
    """The other datasets that have such a version."""
    for dataset in sorted({*versions.store.folders(INDEX)} - {versions.dataset}):
        lines = VersionIndex(versions.store, dataset, versions.zone).lines().values()
        if any(line.version.startswith(version) for line in lines):
            yield dataset
