"""Files of a local store that survive a power cut.

A file is there for good once its bytes are on the disk and the folder that names it is, up to the store's root: so both are
synced, and only then does anything refer to the file. Names that begin with a dot are files that are not finished.
"""

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from uuid import uuid4

PARALLEL_SYNCS = 8  # the file system answers those that wait together with one write of its journal

FEW = 2
"""To begin threads for these takes longer than to wait for one after another."""


class Disk:
    """The folder of a local store."""

    def __init__(self, root: Path):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._beginning = len(str(root).rstrip("/")) + 1

    def read(self, path: Path) -> bytes:
        """The bytes of a file; FileNotFoundError where there is none."""
        try:
            return path.read_bytes()
        except (IsADirectoryError, NotADirectoryError):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None

    def size(self, path: Path) -> int:
        """The size of a file; FileNotFoundError where there is none."""
        try:
            return path.stat().st_size
        except NotADirectoryError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None

    def files(self, folder: Path) -> Iterator[tuple[str, os.stat_result]]:
        """All files below a folder, by their names below the root; none twice where a link leads back up."""
        for entry in _below(str(folder)):
            with suppress(FileNotFoundError):  # gone by now, or a link to nowhere
                if stat.S_ISREG((about := entry.stat()).st_mode):
                    yield self._name(entry.path), about

    def names(self, folder: Path) -> Iterator[str]:
        """The names alone: nothing else is asked of the file system."""
        return (self._name(entry.path) for entry in _below(str(folder)) if entry.is_file())

    def _name(self, path: str) -> str:
        name = path[self._beginning :]
        return name if name.isascii() else os.fsencode(name).decode(errors="backslashreplace")

    def write(self, path: Path, data: bytes) -> None:
        """Puts or replaces a file; it is on the disk afterwards."""
        with self._beside(path) as unfinished:
            _write_synced(unfinished, data)
            unfinished.replace(path)
        self._sync_folders([path])

    def write_all(self, data: Mapping[Path, bytes]) -> None:
        """Puts or replaces files; all are on the disk afterwards. Each is there whole or not at all."""
        with ExitStack() as stack:
            unfinished = {path: stack.enter_context(self._beside(path)) for path in data}
            for path, place in unfinished.items():
                place.write_bytes(data[path])
            self._sync_files(unfinished.values())
            for path, place in unfinished.items():
                place.replace(path)
        self._sync_folders(data)

    def create(self, path: Path, data: bytes) -> bool:
        """Puts a file unless there is one; says whether it did. It is on the disk afterwards."""
        with self._beside(path) as unfinished:
            _write_synced(unfinished, data)
            try:
                path.hardlink_to(unfinished)
            except FileExistsError:
                return False
        self._sync_folders([path])
        return True

    def adopt(self, source: Path, path: Path) -> None:
        """Moves a file here from anywhere. It is on the disk after `flush`."""
        with self._beside(path) as unfinished:  # another file system can only copy; what makes it visible is one step
            shutil.move(source, unfinished)
            unfinished.replace(path)

    def link(self, source: Path, path: Path) -> None:
        """Gives a file a second name, or a copy where it has as many as it may.

        The name is on the disk after `flush_names`; the bytes are where those of `source` are.
        """
        try:
            os.link(source, path)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.EEXIST, errno.EMLINK}:
                raise
            with self._beside(path) as unfinished:
                _link_or_copy(source, unfinished)
                unfinished.replace(path)

    def swap(self, path: Path, expected: bytes | None, data: bytes) -> bool:
        """Replaces a file where it still holds `expected` (None: no file); says whether it did. Not synced."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / ".mutex").open("a") as mutex:
            fcntl.flock(mutex, fcntl.LOCK_EX)  # held for a moment; the kernel frees it when the process dies
            if (path.read_bytes() if path.exists() else None) != expected:
                return False
            with self._beside(path) as unfinished:
                unfinished.write_bytes(data)
                unfinished.replace(path)
        return True

    def flush(self, paths: list[Path]) -> None:
        """Waits until files and the folders that name them are on the disk."""
        self._sync_files({path.stat().st_ino: path for path in paths}.values())  # links to one file are synced with it
        self._sync_folders(paths)

    def flush_names(self, paths: list[Path]) -> None:
        """Waits until the folders that name files are on the disk, whose bytes are there already."""
        self._sync_folders(paths)

    def _sync_files(self, paths: Iterable[Path]) -> None:
        due = list(paths)
        if len(due) <= FEW:
            for path in due:
                _sync(path)
            return
        with ThreadPoolExecutor(PARALLEL_SYNCS) as pool:
            list(pool.map(_sync, due))

    def _sync_folders(self, paths: Iterable[Path]) -> None:
        """Every folder on the way, for any of them may be new; syncing one that did not change costs next to nothing."""
        folders: set[Path] = set()
        for path in paths:
            folder = path.parent
            while folder not in folders and folder != self.root.parent:
                folders.add(folder)
                folder = folder.parent
        by_depth = sorted(folders, key=_depth, reverse=True)
        for _, level in groupby(by_depth, key=_depth):  # what is within is there before its name is
            self._sync_files(level)

    @contextmanager
    def _beside(self, path: Path) -> Iterator[Path]:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            yield unfinished
        finally:
            unfinished.unlink(missing_ok=True)  # renaming one link over another of the same file does nothing


def _depth(folder: Path) -> int:
    return len(folder.parts)


def is_unfinished(key: str) -> bool:
    """Whether a key names a file that was being written when its writer died, or still is."""
    return key.rsplit("/", 1)[-1].startswith(".")


def _below(folder: str) -> "Iterator[os.DirEntry[str]]":
    due = [folder]  # not by calling itself: each file would be handed on by as many generators as it has folders
    while due:
        for entry in _within(due.pop()):
            if entry.is_dir():
                if not (entry.is_symlink() and _leads_up(entry.path)):
                    due.append(entry.path)
            else:
                yield entry


def _within(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _leads_up(link: str) -> bool:
    target, folder = os.path.realpath(link), str(Path(link).parent.resolve())
    return f"{folder}/".startswith(f"{target.rstrip('/')}/")


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _link_or_copy(source: Path, path: Path) -> None:
    """A year of versions may need more names for a file than a file system gives it: 65,000 on ext4."""
    try:
        os.link(source, path)
    except OSError as error:
        if error.errno != errno.EMLINK:
            raise
        shutil.copyfile(source, path)
        _sync(path)


def _sync(path: Path) -> None:
    """Waits until the bytes of a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network drives cannot sync folders
            raise
    finally:
        os.close(handle)
