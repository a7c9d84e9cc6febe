"""What a power cut leaves of a folder: the bytes of files that were synced, under the names of folders that were."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Kept(NamedTuple):
    """The bytes of a file that are on the disk for good, and when they were written."""

    data: bytes = b""
    modified: int = 0


class Platters:
    """What is on the disk for good, by inode: it changes with each `fsync` alone."""

    def __init__(self, root: Path, has_all: bool = False):
        """With `has_all` everything that is in the folder now was synced long ago."""
        self._root = root.stat().st_ino
        self._files: dict[int, Kept] = {}
        self._folders: dict[int, dict[str, tuple[int, bool]]] = {}
        if has_all:
            for folder, _, files in os.walk(root):
                for path in (Path(folder), *(Path(folder) / name for name in files)):
                    handle = os.open(path, os.O_RDONLY)
                    self.synced(handle)
                    os.close(handle)

    def synced(self, handle: int) -> None:
        """Takes what is behind a handle, as `fsync` does."""
        about = os.fstat(handle)
        if stat.S_ISDIR(about.st_mode):
            self._folders[about.st_ino] = {
                e.name: (e.inode(), e.is_dir()) for e in os.scandir(f"/proc/self/fd/{handle}")
            }
        else:
            data = Path(f"/proc/self/fd/{handle}").read_bytes()
            self._files[about.st_ino] = Kept(data, about.st_mtime_ns)

    def leave(self, target: Path) -> None:
        """Writes what a reader would find after the cut: files whose bytes were never synced are empty."""
        self._leave(self._root, target)

    def _leave(self, inode: int, target: Path) -> None:
        target.mkdir(parents=True)
        for name, (inner, is_folder) in self._folders.get(inode, {}).items():
            if is_folder:
                self._leave(inner, target / name)
            else:
                kept = self._files.get(inner, Kept())
                (target / name).write_bytes(kept.data)
                os.utime(target / name, ns=(kept.modified, kept.modified))


@contextmanager
def watched(
    root: Path, after_sync: Callable[[Platters], None] = lambda _: None, has_all: bool = False
) -> Iterator[Platters]:
    """Follows what is synced below a folder; `after_sync` sees every state that a cut could leave."""
    platters, fsync = Platters(root, has_all), os.fsync

    def noted(handle: int) -> None:
        fsync(handle)
        platters.synced(handle)
        after_sync(platters)

    os.fsync = noted
    try:
        yield platters
    finally:
        os.fsync = fsync
