"""One behaviour on two kinds of store: a local folder, and a real S3 server over HTTP."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from shopmill.errors import StoreError
from shopmill.versions.store import Store, to_json


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    url = str(tmp_path / "store") if request.param == "local" else request.getfixturevalue("s3_store")
    return Store(url)


def test_what_is_written_is_read_again(store: Store) -> None:
    store.write("a/b.json", to_json({"b": 1}))
    store.write("a/b.json", to_json({"ä": [1, None]}))
    assert store.read_json("a/b.json") == {"ä": [1, None]}
    assert store.exists("a/b.json")
    assert store.uri("a/b.json").startswith(store.url)


def test_what_is_not_there_is_not_found(store: Store) -> None:
    assert not store.exists("nothing")
    assert store.keys("nowhere") == []
    assert store.folders("nowhere") == []
    with pytest.raises(FileNotFoundError):
        store.read("nothing")


def test_keys_and_folders_are_sorted_and_end_at_the_folder(store: Store) -> None:
    for key in ("x/b/2", "x/a/1", "x/c", "xy/d"):
        store.write(key, b"")
    assert store.keys("x") == ["x/a/1", "x/b/2", "x/c"]
    assert store.folders("x") == ["a", "b"]


def test_only_one_of_many_creates_a_key(store: Store) -> None:
    barrier = Barrier(8)

    def create(number: int) -> bool:
        barrier.wait()
        return store.create("pointer", b"%d" % number)

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create, range(8)))
    assert sum(created) == 1
    assert store.read("pointer") == b"%d" % created.index(True)


def test_a_file_moves_into_the_store(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 20_000_000)  # more than one part of a multipart upload
    store.adopt(path, "raw/file")
    assert not path.exists()
    assert store.read("raw/file") == b"x" * 20_000_000
    assert store.keys("raw") == ["raw/file"]


def test_a_copy_has_the_same_bytes_and_outlives_its_source(store: Store) -> None:
    store.write("staging/a", b"content")
    store.copy("staging/a", "published/a")
    store.copy("staging/a", "published/a")
    store.delete("staging")
    assert store.keys("staging") == []
    assert store.read("published/a") == b"content"
    assert store.keys("published") == ["published/a"]


def test_writing_a_key_again_does_not_change_its_copy(store: Store) -> None:
    store.write("staging/a", b"first")
    store.copy("staging/a", "published/a")
    store.write("staging/a", b"second")
    assert store.read("published/a") == b"first"


def test_deleting_a_folder_leaves_its_neighbours(store: Store) -> None:
    for key in ("x/a", "x/b/c", "xy"):
        store.write(key, b"")
    store.delete("x")
    store.delete("never there")
    assert store.keys("x") == []
    assert store.exists("xy")


def test_fetched_files_are_local_and_in_the_order_asked_for(store: Store, tmp_path: Path) -> None:
    keys = [f"t/{n}" for n in (3, 1, 2)]
    for key in keys:
        store.write(key, key.encode())
    for _again in range(2):
        assert [path.read_text() for path in store.fetch(keys, tmp_path / "cache")] == keys


def test_scratch_is_gone_afterwards(store: Store) -> None:
    with store.scratch() as folder:
        (folder / "x").write_text("x")
    assert not folder.exists()


def test_copying_what_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError):
        store.copy("nothing", "target")
    assert not store.exists("target")


def test_a_bucket_that_is_not_there_is_named(s3_store: str) -> None:
    store = Store("s3://no-such-bucket-here/x")
    with pytest.raises(StoreError, match="s3://no-such-bucket-here/x/key"):
        store.write("key", b"")


def test_an_unknown_kind_of_store_is_refused() -> None:
    with pytest.raises(StoreError, match=r"ftp://host/x.*SHOPMILL_STORE"):
        Store("ftp://host/x")


ADDRESSES = {
    "": "it names no folder",
    "/": "it names no folder",
    " /data/shop": "begins or ends with a blank",
    "s3://bucket/x\n": "begins or ends with a blank",
    "'/data/shop'": "quotes around it",
    '"s3://bucket/x"': "quotes around it",
    "$HOME/shop": "a variable in it has no value",
    "${BUCKET}/shop": "a variable in it has no value",
    "s3://${BUCKET}/shop": "a variable in it has no value",
    "file:///data/shop": "write a folder as it is: /data/shop",
    "https://bucket.s3.amazonaws.com/x": "write s3://bucket/prefix, and set AWS_ENDPOINT_URL",
    "http://minio:9000/bucket": "write s3://bucket/prefix, and set AWS_ENDPOINT_URL",
    "memory://": "no kind of store that is known",
    "ftp://host/x": "no kind of store that is known",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_would_make_another_store_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as error:
        Store(address)
    assert ADDRESSES[address] in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    for where in ("file", "file/below"):
        with pytest.raises(StoreError, match="a file stands where a folder should be"):
            Store(str(tmp_path / where))


@pytest.mark.parametrize("where", ["/proc/shopmill", "/dev/null/store"])
def test_a_folder_that_cannot_be_made_is_named(where: str) -> None:
    with pytest.raises(StoreError, match=where):
        Store(where)


def test_secrets_are_in_no_error(s3_store: str) -> None:
    with pytest.raises(StoreError) as error:
        Store("s3://no-such-bucket-here/x").write("key", b"")
    assert "a-secret-key" not in str(error.value)


def test_equal_content_is_equal_json() -> None:
    assert to_json({"b": 1, "a": "é"}) == to_json({"a": "é", "b": 1}) == '{\n "a": "é",\n "b": 1\n}\n'.encode()


def test_a_file_with_more_names_than_its_file_system_gives_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, link = Store(str(tmp_path)), os.link
    store.write("a", b"content")

    def refused(source: Path, target: Path) -> None:
        if Path(source).name == "a":
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))
        link(source, target)

    monkeypatch.setattr(os, "link", refused)
    store.copy("a", "versions/1/a")
    store.flush(["versions/1/a"])
    assert store.read("versions/1/a") == b"content"
    assert store.keys("versions") == ["versions/1/a"]


def test_names_and_links_that_somebody_put_there_do_not_end_a_listing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write("d/kept", b"1")
    (tmp_path / "d/up").symlink_to(tmp_path / "d")
    (tmp_path / "d/nowhere").symlink_to("nothing")
    os.mkfifo(tmp_path / "d/pipe")
    Path(os.fsdecode(bytes(tmp_path) + b"/d/\xff.x")).write_bytes(b"")
    assert store.keys("d") == ["d/\\xff.x", "d/kept"]


def test_a_folder_that_is_a_link_to_another_disk_is_listed(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store/d").symlink_to(tmp_path / "elsewhere")
    store.write("d/kept", b"1")
    assert [(entry.key, entry.bytes) for entry in store.entries("d")] == [("d/kept", 1)]


def test_a_folder_is_no_file(store: Store) -> None:
    store.write("d/kept", b"1")
    assert not store.exists("d")
    with pytest.raises(FileNotFoundError):
        store.read("d")
    with pytest.raises(FileNotFoundError):
        store.read("d/kept/more")
