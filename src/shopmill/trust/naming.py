"""Versions by their id, or by how it begins."""

from shopmill.errors import InvalidInputError
from shopmill.versions.manifest import Manifest
from shopmill.versions.versions import Versions


def version_named(versions: Versions, version: str) -> Manifest:
    """The one version whose id begins so; InvalidInputError where there is none, or more than one."""
    found = [line for line in versions.lines().values() if line.whole and line.version.startswith(version)]
    if len(found) == 1:
        return versions.exactly(found[0].as_of, found[0].version)
    if not found and (heir := heir_of(versions, version)):
        raise InvalidInputError(
            f"{versions.dataset} has no version {version!r} any more: a person was erased from it, and it is version "
            f"{heir.version} now."
        )
    what = "no version" if not found else f"{len(found)} versions"
    raise InvalidInputError(f"{versions.dataset} has {what} {version!r}: see `shopmill versions {versions.dataset}`.")


def heir_of(versions: Versions, version: str) -> Manifest | None:
    """The version that took the place of one from which a person was erased."""
    return next((one for one in versions.all() if any(old.startswith(version) for old in one.erased_from)), None)
