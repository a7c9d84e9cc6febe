"""The store: a local folder or s3://, behind keys with forward slashes.

Writes are atomic (a key is there whole or not at all), published keys are never changed. What `write` and `create` put is
there after a power cut too; what `adopt` puts is after `flush`, and what `copy` puts after `flush_names`, which wait for
many files at once.
Credentials for S3 come from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...), never from a setting.
"""

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, ObjectStore, from_url

from shopmill.errors import DamagedError, StoreError
from shopmill.versions import layout
from shopmill.versions.causes import (
    NO_RIGHT,
    NO_SPACE,
    cause_of,
    is_about_the_bucket,
    missing_credentials,
    without_secrets,
    wrong_address,
    wrong_folder,
)
from shopmill.versions.disk import Disk, is_unfinished
from shopmill.versions.indented import indented
from shopmill.versions.large_copies import copy_in_parts, is_too_large
from shopmill.versions.ranged import RangedFile
from shopmill.versions.shapes import from_json

T = TypeVar("T")
PARALLEL_TRANSFERS = 8
LARGEST_DOCUMENT = 256 * 2**20
"""The plan of an erasure from a year of versions every 15 minutes has a sixth of it, and nothing else as much."""
CANNOT_WRITE = NO_SPACE | NO_RIGHT | {errno.EROFS, errno.ENOTDIR}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_json(value: Any) -> bytes:
    """The one way JSON is written: sorted keys, so that equal content is equal bytes."""
    return f"{indented(value)}\n".encode()


class Entry(NamedTuple):
    """What is under a key: its size, and when it was written. A year of versions has a million of them."""

    key: str
    bytes: int
    at: float
    """In seconds since 1970."""
    tag: str = ""
    """Another one when other bytes were written: of a local file its inode, time and size."""

    @property
    def modified(self) -> datetime:
        """When it was written (UTC)."""
        return datetime.fromtimestamp(self.at, UTC)


def _entry(key: str, about: os.stat_result) -> Entry:
    tag = f"{about.st_ino:x}-{about.st_mtime_ns:x}-{about.st_size:x}"
    return Entry(key, about.st_size, about.st_mtime, tag)


def _folder(url: str) -> Path:
    try:
        return Path(url).expanduser().resolve()
    except RuntimeError as error:  # the home of a user whom nobody knows
        raise StoreError(f"The store {url} cannot be opened: {error}") from None


class Store:
    """Bytes under keys, on a local folder or an object store."""

    def __init__(self, url: str, work_folder: Path | None = None):
        self.root: Path | None = None if "://" in url else _folder(url)
        self.url = str(self.root) if self.root and url.strip("/") else url.rstrip("/")
        """What the registry knows the store by: a folder has one name, however it is spelled."""
        self._work_folder = work_folder
        self._disk: Disk | None = None
        if reason := wrong_address(url) or (wrong_folder(self.root) if self.root else missing_credentials()):
            raise StoreError(f"The store {without_secrets(url)} cannot be opened: {reason}.")
        try:
            self._objects = self._open()
        except (BaseError, OSError, ValueError) as error:
            reason = cause_of(error)
            raise StoreError(f"The store {without_secrets(url)} cannot be opened: {reason}.") from None

    def _open(self) -> ObjectStore:
        if self.root is not None:
            self._disk = Disk(self.root)
            return LocalStore(self.root)
        plain_http = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        return from_url(self.url, client_options={"allow_http": plain_http})

    @contextmanager
    def _told(self, action: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            is_absent = isinstance(error, FileNotFoundError) and not is_about_the_bucket(error)
            if isinstance(error, AlreadyExistsError | PreconditionError) or (action == "read" and is_absent):
                raise
            raise StoreError(f"The store cannot {action} {self.uri(key)}: {cause_of(error)}.") from error
        except ValueError:  # a key that no store could have
            raise DamagedError(
                f"{key!r} is no key of a store: what names it is damaged, or was made to mislead."
            ) from None

    def uri(self, key: str) -> str:
        """Where a key is, as a person or another program would name it."""
        return str(self._place(key)) if self.root else f"{self.url}/{key}"

    def _place(self, key: str) -> Path:
        """The path of a key in a local store; DamagedError for one that leads out of it."""
        self._refuse_outside(key)
        return _folder(self.url) / key if self.root is None else self.root / key

    def _refuse_outside(self, key: str) -> None:
        if key.startswith("/") or ".." in key.split("/") or "\0" in key:
            raise DamagedError(f"{key!r} leads out of the store {self.url}: what names it is damaged, or was made to.")

    def stay_inside(self, keys: Iterable[str], folder: str) -> None:
        """DamagedError where one of `keys` leads out of `folder`, by its name or by a link."""
        real = cache(os.path.realpath)  # of folders: a version has few of them, and many files
        base = real(self._place(folder)) if self.root else ""
        for key in keys:
            self._refuse_outside(key)
            path = f"{self.root}/{key}"  # as text: of thousands of keys, to make each a Path takes longer than to look
            leads_to = real(path if os.path.islink(path) else path.rpartition("/")[0]) if self.root else ""  # noqa: PTH114
            if self.root and not f"{leads_to}/".startswith(f"{base}/"):
                raise DamagedError(f"{path} leads out of {base}: the version is damaged, or was made to mislead.")

    def read(self, key: str) -> bytes:
        """The bytes under `key`; FileNotFoundError where there is none."""
        with self._told("read", key):
            if self._disk:
                return self._disk.read(self._place(key))
            return bytes(obstore.get(self._objects, key).bytes())

    def document(self, key: str) -> bytes:
        """The same of a document; DamagedError where it is larger than any is, and would fill the memory."""
        with self._told("read", key):
            if self._disk:
                self._refuse_large(key, self._disk.size(self._place(key)))
                return self._disk.read(self._place(key))
            found = obstore.get(self._objects, key)
            self._refuse_large(key, found.meta["size"])
            return bytes(found.bytes())

    def _refuse_large(self, key: str, size: int) -> None:
        if size > LARGEST_DOCUMENT:
            raise DamagedError(f"{self.uri(key)} has {size:,} bytes, more than any document: it is damaged.")

    def ranged(self, key: str) -> RangedFile:
        """The file under `key`, for reading some of its bytes; FileNotFoundError where there is none."""
        with self._told("read", key):
            return RangedFile(self._objects, key)

    def read_json(self, key: str) -> Any:
        """The JSON document under `key`; FileNotFoundError where there is none, DamagedError where it cannot be read."""
        data = self.document(key)
        try:
            return from_json(data)
        except ValueError:
            what = "is empty" if not data.strip(b"\0") else "is not JSON"
            raise DamagedError(f"{self.uri(key)} {what}: it is damaged. Run `shopmill repair`.") from None

    def write(self, key: str, data: bytes) -> None:
        """Puts or replaces `key`, atomically."""
        with self._told("write", key):
            if self._disk:
                self._disk.write(self._place(key), data)
            else:
                obstore.put(self._objects, key, data, use_multipart=False)

    def write_all(self, data: Mapping[str, bytes]) -> None:
        """Puts or replaces keys, each atomically: in less time than one after another, and with the same promise."""
        if self._disk and data:
            with self._told("write", next(iter(data))):
                self._disk.write_all({self._place(key): one for key, one in data.items()})
        else:
            self.each(lambda key: self.write(key, data[key]), list(data))

    def create(self, key: str, data: bytes) -> bool:
        """Puts `key` unless it is there already; says whether it did."""
        try:
            with self._told("write", key):
                if self._disk:
                    return self._disk.create(self._place(key), data)
                obstore.put(self._objects, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Replaces `key` where it still holds `expected` (None: nothing); says whether it did. Not for what must outlast a power cut."""
        with self._told("write", key):
            if self._disk:
                return self._disk.swap(self._disk.root / key, expected, data)
            return self._swap_object(key, expected, data)

    def _swap_object(self, key: str, expected: bytes | None, data: bytes) -> bool:
        try:
            if expected is None:
                obstore.put(self._objects, key, data, mode="create", use_multipart=False)
                return True
            found = obstore.get(self._objects, key)
            tag = found.meta["e_tag"]
            if bytes(found.bytes()) != expected or tag is None:
                return False
            obstore.put(self._objects, key, data, mode={"e_tag": tag}, use_multipart=False)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return False
        return True

    def exists(self, key: str) -> bool:
        """Whether there is something under `key`."""
        try:
            with self._told("read", key):
                if self.root:
                    return self._place(key).is_file()
                obstore.head(self._objects, key)
        except FileNotFoundError:
            return False
        return True

    def keys(self, prefix: str) -> list[str]:
        """All keys below the folder `prefix`, sorted; none of files that are being written."""
        with self._told("list", prefix):
            every = self._disk.names(self._place(prefix)) if self._disk else self._object_names(prefix)
            return sorted(key for key in every if not is_unfinished(key))

    def _object_names(self, prefix: str) -> Iterator[str]:
        return (str(item["path"]) for batch in obstore.list(self._objects, prefix) for item in batch)

    def entries(self, prefix: str) -> list[Entry]:
        """What is below the folder `prefix`, sorted by key."""
        with self._told("list", prefix):
            if self._disk:
                every = [_entry(key, about) for key, about in self._disk.files(self._place(prefix))]
            else:
                found = [item for batch in obstore.list(self._objects, prefix) for item in batch]
                every = [Entry(i["path"], i["size"], i["last_modified"].timestamp(), i["e_tag"] or "") for i in found]
        return sorted(every, key=itemgetter(0))

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders directly below the folder `prefix`, sorted."""
        with self._told("list", prefix):
            if self.root:
                return self._local_folders(prefix)
            found = obstore.list_with_delimiter(self._objects, prefix)["common_prefixes"]
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def _local_folders(self, prefix: str) -> list[str]:
        try:
            with os.scandir(self._place(prefix)) as found:
                return sorted(entry.name for entry in found if entry.is_dir() and not is_unfinished(entry.name))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def update(self, key: str, change: Callable[[bytes | None], bytes]) -> None:
        """Replaces what is under `key` by what `change` makes of it (None: nothing there), of two at once one after another."""
        while True:
            before = self._read_or_none(key)
            if self.swap(key, before, change(before)):
                self.flush([key])
                return

    def _read_or_none(self, key: str) -> bytes | None:
        try:
            return self.read(key)
        except FileNotFoundError:
            return None

    def set_aside(self, folder: str) -> None:
        """Takes a folder out of sight in one step, for `delete` to remove later what is below `layout.TRASH`."""
        with self._told("delete", folder):
            if self.root is None:
                self.delete(folder)
            elif (place := self._place(folder)).exists():
                trash = self._place(f"{layout.TRASH}/{uuid4().hex}")
                trash.parent.mkdir(parents=True, exist_ok=True)
                place.replace(trash)
                self._remove_if_empty(Path(folder).parent)

    def adopt(self, path: Path, key: str) -> None:
        """Moves a local file into the store under `key`."""
        with self._told("write", key):
            if self._disk:
                self._disk.adopt(path, self._place(key))
            else:
                obstore.put(self._objects, key, path)
                path.unlink()

    def copy(self, source: str, target: str) -> None:
        """The same bytes under a second key: a hard link in a local folder, a server-side copy in an object store."""
        with self._told("write", target):
            if self._disk:
                self._disk.link(self._place(source), self._place(target))
            else:
                self._copy_object(source, target)

    def _copy_object(self, source: str, target: str) -> None:
        try:
            obstore.copy(self._objects, source, target)
        except BaseError as error:
            if not is_too_large(error):
                raise
            copy_in_parts(self.url, source, target)

    def flush(self, keys: Iterable[str]) -> None:
        """Waits until what lies under `keys` would survive a power cut; an object store has seen to that already."""
        if self._disk and (due := list(keys)):
            with self._told("write", due[0]):
                self._disk.flush([self._place(key) for key in due])

    def flush_names(self, keys: Iterable[str]) -> None:
        """The same of copies of what would survive it: a version takes over thousands of files that long have."""
        if self._disk and (due := list(keys)):
            with self._told("write", due[0]):
                self._disk.flush_names([self._place(key) for key in due])

    def delete(self, prefix: str) -> None:
        """Deletes everything below the folder `prefix`."""
        with self._told("delete", prefix):
            if self.root:
                shutil.rmtree(self.root / prefix, ignore_errors=True)
            elif keys := self.keys(prefix):
                obstore.delete(self._objects, keys)

    def delete_keys(self, keys: list[str]) -> None:
        """Deletes each of `keys`, and in a local folder the folders that this leaves empty."""
        with self._told("delete", keys[0] if keys else ""):
            if keys:
                obstore.delete(self._objects, keys)
        for folder in {parent for key in keys for parent in Path(key).parents}:
            self._remove_if_empty(folder)

    def _remove_if_empty(self, folder: Path) -> None:
        while self.root and folder != Path():
            try:
                (self.root / folder).rmdir()
            except OSError:  # not empty, or deleted already
                return
            folder = folder.parent

    def sizes(self, keys: list[str], folder: str) -> dict[str, int]:
        """The sizes of those of `keys` that are there; all of them lie below `folder`."""
        if self.root is None:
            wanted = set(keys)
            return {entry.key: entry.bytes for entry in self.entries(folder) if entry.key in wanted}
        found = {key: self._stat(key) for key in keys}
        return {key: known.st_size for key, known in found.items() if known and stat.S_ISREG(known.st_mode)}

    def _stat(self, key: str) -> os.stat_result | None:
        try:
            return self._place(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def sha256(self, key: str) -> str:
        """The hash of the bytes under `key`, which are read for it; FileNotFoundError where there is none."""
        with self._told("read", key):
            if self.root:
                return sha256_of(self._place(key))
            found = hashlib.sha256()
            for chunk in obstore.get(self._objects, key):
                found.update(chunk)
            return found.hexdigest()

    def fetch(self, keys: list[str], folder: Path) -> list[Path]:
        """Local paths of `keys` for reading: in place for a local folder, else downloaded into `folder`."""
        if self.root:
            return [self._place(key) for key in keys]
        return self.each(lambda key: self._downloaded(key, folder / key), keys)

    def _downloaded(self, key: str, path: Path) -> Path:
        if not path.exists():
            self.download(key, path)
        return path

    def download(self, key: str, path: Path, sha256: str | None = None) -> None:
        """Puts the bytes under `key` at a local path; DamagedError where they have not the hash that is expected."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            with self._told("read", key), partial.open("wb") as file:
                for chunk in obstore.get(self._objects, key):
                    file.write(chunk)
            if sha256 and sha256_of(partial) != sha256:
                raise DamagedError(f"{self.uri(key)} has other bytes than were published. Run `shopmill repair`.")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def each(self, action: Callable[[str], T], keys: list[str]) -> list[T]:
        """Does `action` for every key, several at a time where the store is remote."""
        if self.root:
            return [action(key) for key in keys]
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            return list(pool.map(action, keys))

    @property
    def scratch_folder(self) -> Path:
        """Where scratch space is: SHOPMILL_WORK_FOLDER, else on the store's own file system where there is one."""
        own = self.root / layout.SCRATCH if self.root else Path(tempfile.gettempdir())
        return self._work_folder or own

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder for work in progress."""
        parent = self.scratch_folder
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="shopmill-", dir=parent) as folder:
                yield Path(folder)
        except OSError as error:
            if error.errno not in CANNOT_WRITE:
                raise
            raise StoreError(
                f"Scratch space in {parent} cannot be written: {cause_of(error)}, or set SHOPMILL_WORK_FOLDER."
            ) from error
