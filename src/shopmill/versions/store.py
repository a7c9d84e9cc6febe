"""The store: a local folder or s3://, behind keys with forward slashes.

Writes are atomic (a key is there whole or not at all), published keys are never changed. What `write` and `create` put is
there after a power cut too; what `adopt` and `copy` put is after `flush`, which waits for many files at once.
Credentials for S3 come from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...), never from a setting.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from shopmill.errors import DamagedError, StoreError
from shopmill.versions.disk import Disk, is_unfinished

T = TypeVar("T")
PARALLEL_TRANSFERS = 8
CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_json(value: Any) -> bytes:
    """The one way JSON is written: sorted keys, so that equal content is equal bytes."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class Entry:
    """What is under a key: its size, and when it was written (UTC)."""

    key: str
    bytes: int
    modified: datetime


class Store:
    """Bytes under keys, on a local folder or an object store."""

    def __init__(self, url: str, work_folder: Path | None = None):
        self.url = url.rstrip("/")
        self.root: Path | None = None if "://" in url else Path(url).expanduser().resolve()
        self._work_folder = work_folder
        self._disk: Disk | None = None
        try:
            self._objects = self._open()
        except (BaseError, OSError, ValueError) as error:
            raise StoreError(
                f"The store {self.url} cannot be opened: {_reason(error)}. Check SHOPMILL_STORE."
            ) from error

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
            if isinstance(error, AlreadyExistsError) or (action == "read" and isinstance(error, FileNotFoundError)):
                raise
            raise StoreError(
                f"The store cannot {action} {self.uri(key)}: {_reason(error)}. Check free space and the right to write."
            ) from error

    def uri(self, key: str) -> str:
        """Where a key is, as a person or another program would name it."""
        return str(self.root / key) if self.root else f"{self.url}/{key}"

    def read(self, key: str) -> bytes:
        """The bytes under `key`; FileNotFoundError where there is none."""
        with self._told("read", key):
            return bytes(obstore.get(self._objects, key).bytes())

    def read_json(self, key: str) -> Any:
        """The JSON document under `key`; FileNotFoundError where there is none, DamagedError where it cannot be read."""
        data = self.read(key)
        try:
            return json.loads(data)
        except ValueError:
            what = "is empty" if not data.strip(b"\0") else "is not JSON"
            raise DamagedError(f"{self.uri(key)} {what}: it is damaged. Run `shopmill repair`.") from None

    def write(self, key: str, data: bytes) -> None:
        """Puts or replaces `key`, atomically."""
        with self._told("write", key):
            if self._disk:
                self._disk.write(self._disk.root / key, data)
            else:
                obstore.put(self._objects, key, data, use_multipart=False)

    def create(self, key: str, data: bytes) -> bool:
        """Puts `key` unless it is there already; says whether it did."""
        try:
            with self._told("write", key):
                if self._disk:
                    return self._disk.create(self._disk.root / key, data)
                obstore.put(self._objects, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def exists(self, key: str) -> bool:
        """Whether there is something under `key`."""
        try:
            with self._told("read", key):
                obstore.head(self._objects, key)
        except FileNotFoundError:
            return False
        return True

    def keys(self, prefix: str) -> list[str]:
        """All keys below the folder `prefix`, sorted; none of files that are being written."""
        with self._told("list", prefix):
            found = (item["path"] for batch in obstore.list(self._objects, prefix) for item in batch)
            return sorted(key for key in found if not is_unfinished(key))

    def entries(self, prefix: str) -> list[Entry]:
        """What is below the folder `prefix`, sorted by key."""
        with self._told("list", prefix):
            found = [item for batch in obstore.list(self._objects, prefix) for item in batch]
        return sorted((Entry(i["path"], i["size"], i["last_modified"]) for i in found), key=lambda entry: entry.key)

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders directly below the folder `prefix`, sorted."""
        with self._told("list", prefix):
            found = obstore.list_with_delimiter(self._objects, prefix)["common_prefixes"]
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def adopt(self, path: Path, key: str) -> None:
        """Moves a local file into the store under `key`."""
        with self._told("write", key):
            if self._disk:
                self._disk.adopt(path, self._disk.root / key)
            else:
                obstore.put(self._objects, key, path)
                path.unlink()

    def copy(self, source: str, target: str) -> None:
        """The same bytes under a second key: a hard link in a local folder, a server-side copy in an object store."""
        with self._told("write", target):
            if self._disk:
                self._disk.link(self._disk.root / source, self._disk.root / target)
            else:
                obstore.copy(self._objects, source, target)

    def flush(self, keys: Iterable[str]) -> None:
        """Waits until what lies under `keys` would survive a power cut; an object store has seen to that already."""
        if self._disk and (due := list(keys)):
            with self._told("write", due[0]):
                self._disk.flush([self._disk.root / key for key in due])

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
            except OSError:  # not empty, or gone already
                return
            folder = folder.parent

    def fetch(self, keys: list[str], folder: Path) -> list[Path]:
        """Local paths of `keys` for reading: in place for a local folder, else downloaded into `folder`."""
        if self.root:
            return [self.root / key for key in keys]
        return self.each(lambda key: self._download(key, folder), keys)

    def _download(self, key: str, folder: Path) -> Path:
        path = folder / key
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.{uuid4().hex}")
            with self._told("read", key), partial.open("wb") as file:
                for chunk in obstore.get(self._objects, key):
                    file.write(chunk)
            partial.replace(path)
        return path

    def each(self, action: Callable[[str], T], keys: list[str]) -> list[T]:
        """Does `action` for every key, several at a time where the store is remote."""
        if self.root:
            return [action(key) for key in keys]
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            return list(pool.map(action, keys))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder for work in progress, on the store's own file system where there is one."""
        parent = self._work_folder or (self.root / "staging" / "scratch" if self.root else None)
        try:
            if parent:
                parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="shopmill-", dir=parent) as folder:
                yield Path(folder)
        except OSError as error:
            if error.errno not in CANNOT_WRITE:
                raise
            raise StoreError(
                f"Scratch space in {parent or tempfile.gettempdir()} cannot be written: {_reason(error)}. "
                "Check free space and the right to write, or set SHOPMILL_WORK_FOLDER."
            ) from error


def _reason(error: Exception) -> str:
    """The first line of an error, which for object stores is followed by a page of debug output."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
