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
from pathlib import Path
from uuid import uuid4

PARALLEL_SYNCS = 8  # the file system answers those that wait together with one write of its journal


class Disk:
    """The folder of a local store."""

    def __init__(self, root: Path):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

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
        beginning = len(str(self.root).rstrip("/")) + 1
        for path, about in _files_below(str(folder)):
            yield os.fsencode(path[beginning:]).decode(errors="backslashreplace"), about

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
        """Gives a file a second name, or a copy where it has as many as it may. It is on the disk after `flush`."""
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

    def _sync_files(self, paths: Iterable[Path]) -> None:
        with ThreadPoolExecutor(PARALLEL_SYNCS) as pool:
            list(pool.map(_sync, paths))

    def _sync_folders(self, paths: Iterable[Path]) -> None:
        """Every folder on the way, for any of them may be new; syncing one that did not change costs next to nothing."""
        folders: set[Path] = set()
        for path in paths:
            folder = path.parent
            while folder not in folders and folder != self.root.parent:
                folders.add(folder)
                folder = folder.parent
        for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
            _sync(folder)

    @contextmanager
    def _beside(self, path: Path) -> Iterator[Path]:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            yield unfinished
        finally:
            unfinished.unlink(missing_ok=True)  # renaming one link over another of the same file does nothing


def is_unfinished(key: str) -> bool:
    """Whether a key names a file that was being written when its writer died, or still is."""
    return key.rsplit("/", 1)[-1].startswith(".")


def _files_below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(folder) as found:
            inner = list(found)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in inner:
        if entry.is_dir():
            if not (entry.is_symlink() and _leads_up(entry.path)):
                yield from _files_below(entry.path)
        else:
            with suppress(FileNotFoundError):  # gone by now, or a link to nowhere
                if stat.S_ISREG((about := entry.stat()).st_mode):
                    yield entry.path, about


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
