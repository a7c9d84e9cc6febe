"""Files of a store on S3, kept on this machine: in a folder that nobody else can write to, and only what the hashes confirm."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from tempfile import gettempdir

from shopmill.errors import StoreError
from shopmill.settings import user_cache
from shopmill.versions.manifest import File
from shopmill.versions.store import Store, sha256_of


def local(store: Store, keys: list[str], files: Iterable[File], version: str, hashes: bool = False) -> list[Path]:
    """Local paths of files of a version: in place in a local folder, else kept here."""
    return store.fetch(keys, store.root) if store.root else cached(store, keys, files, version, hashes)


def cached(store: Store, keys: Iterable[str], files: Iterable[File], version: str, hashes: bool = False) -> list[Path]:
    """Local paths of files of a version, downloaded unless they are there; with `hashes` their bytes are read again."""
    folder = private(user_cache() / "shopmill") / "versions" / version
    due = dict(zip(keys, files, strict=True))

    def path_of(key: str) -> Path:
        path = folder / due[key].path
        if not _is_whole(path, due[key], hashes):
            store.download(key, path, due[key].sha256)
        return path

    return store.each(path_of, list(due))


def private(folder: Path) -> Path:
    """A folder of this user's own, made where it is missing; StoreError where another user could have put files in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
            folder.chmod(0o700)
            return folder
    except OSError as error:
        reason = error.strerror or "it cannot be made"
        raise StoreError(f"Nothing can be cached in {folder}: {reason}. {_WAY_OUT}") from None
    raise StoreError(f"Nothing is cached in {folder}: it is not a folder of the user who reads. {_WAY_OUT}")


_WAY_OUT = f"Set XDG_CACHE_HOME to a folder of your own, outside of {gettempdir()}."


def _is_whole(path: Path, file: File, hashes: bool) -> bool:
    try:
        return path.stat().st_size == file.bytes and (not hashes or sha256_of(path) == file.sha256)
    except OSError:
        return False
