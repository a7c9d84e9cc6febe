"""What is wrong with a store is said in one sentence: the cause, never the disk for a network, never a secret."""

import errno
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shopmill.errors import StoreError
from shopmill.versions.causes import cause_of, without_secrets
from shopmill.versions.store import Store

Answering = Callable[[int, str], None]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """A server that gives one answer to everything, as an S3 server would."""
    answer = [0, b""]

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(int(answer[0]))
            self.send_header("content-length", str(len(bytes(answer[1]))))
            self.end_headers()
            self.wfile.write(bytes(answer[1]))

        do_GET = do_HEAD = do_PUT  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)

    def set_answer(status: int, code: str) -> None:
        answer[:] = status, f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()

    yield set_answer
    server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "NoSuchBucket", "there is no such bucket. Check SHOPMILL_STORE"),
        (403, "AccessDenied", "do not permit it"),
        (403, "SignatureDoesNotMatch", "does not accept the credentials"),
        (403, "InvalidAccessKeyId", "does not accept the credentials"),
        (400, "AuthorizationHeaderMalformed", "another region. Check AWS_REGION"),
    ],
)
def test_the_server_says_why(answering: Answering, status: int, code: str, said: str) -> None:
    answering(status, code)
    store = Store("s3://a-bucket/x")
    for change in (lambda: store.write("k", b""), lambda: store.create("k", b""), lambda: store.read("k"),
                   lambda: store.keys("k")):  # fmt: skip
        with pytest.raises(StoreError) as error:
            change()
        assert said in str(error.value)
        assert "s3://a-bucket/x/k" in str(error.value)
        assert "space" not in str(error.value)
        assert "\n" not in str(error.value)
        assert "a-secret-key" not in str(error.value)


def test_statuses_that_are_tried_again_are_explained_too() -> None:
    prefix = "Generic S3 error: Error performing PUT http://h/b/k in 9s, after 10 retries - "
    known = {
        "Server returned non-2xx status code: 501 Not Implemented: <Error>": "cannot write on a condition (501)",
        "HTTP error: error sending request\n\nkind: Connect": "does not answer at",
        "Server returned non-2xx status code: 503 Service Unavailable: ": "the server fails (503 Service Unavailable)",
        "Server returned non-2xx status code: 507 Insufficient Storage: ": "no space is left on the server",
    }
    for text, said in known.items():
        assert said in cause_of(RuntimeError(prefix + text)), text


def test_a_local_disk_says_why() -> None:
    assert cause_of(OSError(errno.ENOSPC, "No space left on device")).endswith("Free some space, then run again")
    assert cause_of(OSError(errno.EACCES, "Permission denied")).endswith("Check the right to write")
    assert "Mount it for writing" in cause_of(OSError(errno.EROFS, "Read-only file system"))


def test_no_profile_and_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "work")
    with pytest.raises(StoreError, match=r"AWS_PROFILE.*export-credentials"):
        Store("s3://a-bucket/x")
    text = "Error performing PUT http://169.254.169.254/latest/api/token - 403 Forbidden"
    assert "no credentials were found" in cause_of(RuntimeError(text))


SECRETS = [
    "s3://key:hunter2@bucket/x", "s3://key:hun/ter2@bucket/x", "s3:/key:hunter2@bucket/x", "s3//key:hunter2@bucket",
    "s3:key:hunter2@bucket", "s3://bucket/x?secret=hunter2", "S3://hunter2@bucket", "https://u:hunter2@host/bucket",
    "s3://bucket/x#hunter2", "s3a://k:hunter2@b", "ftp://u:hunter2@h/x", "s3://key:p@hunter2@bucket/x",
    "s3://bucket/x%3Fsecret=hunter2", "s3://bucket/x%3fsecret%3dhunter2", "s3://bucket;secret=hunter2/x", "s3://k:hunter2%40bucket/x",
]  # fmt: skip


@pytest.mark.parametrize("address", SECRETS)
def test_an_address_with_a_secret_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(StoreError) as error:
        Store(address)
    assert "hunter2" not in str(error.value)
    assert "hun/ter2" not in str(error.value)
    assert "AWS_ACCESS_KEY_ID" in str(error.value)
    assert error.value.__cause__ is None
    assert "hunter2" not in without_secrets(address)


@pytest.mark.parametrize("folder", ["a [1]", "a*", "a?", "a[b]/c"])
def test_a_folder_whose_name_stands_for_others_is_no_store(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(StoreError, match="stand for any name"):
        Store(str(tmp_path / folder))
    monkeypatch.chdir(tmp_path / folder)
    with pytest.raises(StoreError, match="stand for any name"):
        Store("store")


def test_ordinary_folders_are_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("s3", "data@home", "a b", "s3-copy/x", "x#y"):
        Store(folder).write("k", b"")
        assert (tmp_path / folder / "k").exists()
