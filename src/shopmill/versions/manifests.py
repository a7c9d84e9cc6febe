"""The manifests of a dataset: where each lies, and reading one that may be missing or damaged."""

import logging
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.errors import DamagedError, InvalidInputError
from shopmill.versions import layout
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store

log = logging.getLogger(__name__)


def folder_of(dataset: str, as_of: AsOf, version: str) -> str:
    """The key prefix of a version."""
    return layout.version_folder(f"{dataset}/{as_of.path}", version)


@dataclass(frozen=True)
class Manifests:
    """Those of one dataset in a store."""

    store: Store
    dataset: str
    zone: ZoneInfo

    def key(self, as_of: str, version: str) -> str:
        """Where the manifest of a version is, or would be."""
        return layout.manifest_in(folder_of(self.dataset, AsOf.parse(as_of, self.zone), version))

    def folder(self, manifest: Manifest) -> str:
        """The key prefix of a version."""
        return folder_of(self.dataset, AsOf.parse(manifest.as_of, self.zone), manifest.version)

    def exactly(self, as_of: str, version: str) -> Manifest:
        """The manifest of one version; the errors of `under`."""
        return self.under(self.key(as_of, version))

    def find(self, as_of: str, version: str) -> Manifest | None:
        """The manifest of one version, if there is one to read."""
        return self.readable(self.key(as_of, version))

    def readable(self, key: str) -> Manifest | None:
        """The manifest under a key; None, and a warning where it is damaged, when there is none to read."""
        try:
            return self.under(key)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            log.warning("%s", error)
            return None

    def under(self, key: str) -> Manifest:
        """The manifest under a key; FileNotFoundError where it is not there, DamagedError where it is not that of its place."""
        return self.of(key, self.store.document(key))

    def of(self, key: str, data: bytes) -> Manifest:
        """The manifest in the bytes under a key; DamagedError where it is not that of its place."""
        try:
            manifest = Manifest.from_bytes(data)
            is_right = key == self.key(manifest.as_of, manifest.version) and manifest.dataset == self.dataset
            is_right = is_right and manifest.stays_inside and manifest.is_well_formed
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInputError):
            is_right = False
        if not is_right:
            raise DamagedError(
                f"{self.store.uri(key)} is not the manifest that was published there: it is damaged. Run `shopmill repair`."
            )
        return manifest

    def withdrawn(self, manifest: Manifest) -> str | None:
        """Why a version was withdrawn; None for one that was not."""
        try:
            return str(self.store.read_json(f"{self.folder(manifest)}/{layout.WITHDRAWN}")["reason"])
        except FileNotFoundError:
            return None
        except (DamagedError, KeyError, TypeError):
            return "the reason cannot be read"
