"""What is read from S3 is kept in a folder of the reader's own, and only with the right bytes."""

import hashlib
import os
from pathlib import Path

import pytest

from shopmill.errors import DamagedError, StoreError
from shopmill.versions.cache import cached, private
from shopmill.versions.manifest import File
from shopmill.versions.store import Store


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def put(store: Store, data: bytes) -> File:
    store.write("d/t/part.parquet", data)
    return File("t/part.parquet", 1, len(data), hashlib.sha256(data).hexdigest())


def read(store: Store, file: File, hashes: bool = False) -> bytes:
    [path] = cached(store, ["d/t/part.parquet"], [file], "v", hashes)
    return path.read_bytes()


def test_only_its_owner_can_enter_the_folder(s3_store: str, home: Path) -> None:
    store = Store(s3_store)
    assert read(store, put(store, b"data")) == b"data"
    assert (home / "shopmill").stat().st_mode & 0o777 == 0o700


def test_it_is_downloaded_once_and_again_when_it_is_not_whole(s3_store: str, home: Path) -> None:
    store = Store(s3_store)
    file = put(store, b"data")
    read(store, file)
    [path] = home.rglob("part.parquet")
    store.delete("d")
    assert read(store, file) == b"data"
    put(store, b"data")
    path.write_bytes(b"dat")
    assert read(store, file) == b"data"
    path.write_bytes(b"DATA")
    assert read(store, file, hashes=True) == b"data"


def test_bytes_that_are_not_those_of_the_manifest_are_refused(s3_store: str, home: Path) -> None:
    store = Store(s3_store)
    file = put(store, b"data")
    store.write("d/t/part.parquet", b"DATA")
    with pytest.raises(DamagedError, match="other bytes"):
        read(store, file)
    assert not list(home.rglob("*parquet*"))


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("only root can give a folder away")
    planted = tmp_path / "planted"
    planted.mkdir()
    os.chown(planted, 65534, 65534)
    with pytest.raises(StoreError, match="XDG_CACHE_HOME"):
        private(planted)
    link = tmp_path / "link"
    (tmp_path / "real").mkdir()
    link.symlink_to(tmp_path / "real")
    with pytest.raises(StoreError, match="not a folder"):
        private(link)
