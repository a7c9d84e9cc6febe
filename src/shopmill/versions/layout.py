"""Where everything is in a store: no other module spells its folders and files.

raw/<table>/source=<mapping>/snapshots/<as_of>/0000.json    which raw files a table is at an as_of
<dataset>/as_of=<as_of>/version=<id>/manifest.json          what a version is; `AsOf.path` is the folder of its as_of
<dataset>/as_of=<as_of>/current.json                        the current version of an as_of
<dataset>/current.json                                      the version with the newest as_of
index/<dataset>/2020-09.json    locks/<name>.json    staging/<dataset>/<run>/
"""

import re
from collections.abc import Iterable

RAW, INDEX, LOCKS, STAGING = "raw", "index", "locks", "staging"
PLACES = frozenset({RAW, INDEX, LOCKS, STAGING, "cache", "erasures"})
"""The folders of a store that are no dataset's."""
SHOP = f"{RAW}/shop.json"
TRASH, SCRATCH = f"{STAGING}/trash", f"{STAGING}/scratch"
MANIFEST, POINTER, WITHDRAWN, STATISTICS = "manifest.json", "current.json", "withdrawn.json", "statistics.json"
_SNAPSHOTS, _VERSION = "snapshots", "version="
_SNAPSHOT = re.compile(rf"/{_SNAPSHOTS}/\d{{8}}T\d{{6}}Z/\d{{4,}}\.json$", re.ASCII)
_IN_A_VERSION = re.compile(f"([^/]+/[^/]+/{_VERSION}[^/]+)/")


def manifest_in(version_folder: str) -> str:
    """The key of a version's manifest."""
    return f"{version_folder}/{MANIFEST}"


def manifests(keys: Iterable[str]) -> list[str]:
    """Those of the keys that are manifests."""
    return [key for key in keys if key.endswith(f"/{MANIFEST}")]


def pointer_in(folder: str) -> str:
    """The key of the pointer of a dataset, or of one of its as_ofs."""
    return f"{folder}/{POINTER}"


def folder_of_pointer(key: str) -> str:
    """The folder that a pointer is in."""
    return key.removesuffix(f"/{POINTER}")


def version_folder(as_of_folder: str, version: str) -> str:
    """The folder of a version, in that of its as_of."""
    return f"{as_of_folder}/{_VERSION}{version}"


def folder_of_version(key: str) -> str:
    """The folder of the version that a file is of; empty for any other key."""
    found = _IN_A_VERSION.match(key)
    return found[1] if found else ""


def versions_among(folders: Iterable[str]) -> list[str]:
    """The ids of the versions whose folders are among the names."""
    return [name.removeprefix(_VERSION) for name in folders if name.startswith(_VERSION)]


def raw_of(table: str) -> str:
    """The folder of all that was read of a source table."""
    return f"{RAW}/{table}"


def raw_under(table: str, fingerprint: str) -> str:
    """The folder of what was read of a source table under one mapping."""
    return f"{raw_of(table)}/source={fingerprint}"


def snapshots_in(raw_folder: str) -> str:
    """The folder of the snapshot documents of a source table under one mapping."""
    return f"{raw_folder}/{_SNAPSHOTS}"


def is_snapshot(key: str) -> bool:
    """Whether a key below raw is of a snapshot document."""
    return _SNAPSHOT.search(key) is not None


def index_of(dataset: str) -> str:
    """The folder of the index of a dataset."""
    return f"{INDEX}/{dataset}"


def staging_of(dataset: str, run: str) -> str:
    """The staging area of a run."""
    return f"{STAGING}/{dataset}/{run}"
