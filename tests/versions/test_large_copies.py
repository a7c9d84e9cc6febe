"""What S3 does not copy in one request is copied in parts; what may not be copied at all is one sentence."""

import os
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopmill.errors import StoreError
from shopmill.versions import large_copies
from shopmill.versions.store import Store

TOO_LARGE = (
    "400 Bad Request",
    "<Error><Code>InvalidRequest</Code><Message>The specified copy source is larger than the maximum allowable size for a "
    "copy source: 5368709120</Message></Error>",
)
DENIED = ("403 Forbidden", "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
Requests = list[tuple[str, str]]


@pytest.fixture
def refusing(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[str, str]], Requests]:
    """Lets the S3 server refuse to copy in one request; gives the requests that it is sent from then on."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    answer = DomainDispatcherApplication.__call__

    def refuse(said: tuple[str, str]) -> Requests:
        seen: Requests = []

        def answered(app: Any, environ: Any, start_response: Any) -> Any:
            seen.append((environ["REQUEST_METHOD"], environ["QUERY_STRING"]))
            if "HTTP_X_AMZ_COPY_SOURCE" in environ and "uploadId" not in environ["QUERY_STRING"]:
                start_response(said[0], [("Content-Type", "application/xml")])
                return [said[1].encode()]
            return answer(app, environ, start_response)

        monkeypatch.setattr(DomainDispatcherApplication, "__call__", answered)
        return seen

    return refuse


def test_a_large_file_is_copied_in_parts(
    s3_store: str, refusing: Callable[[tuple[str, str]], Requests], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, large = Store(s3_store), os.urandom(6 * 2**20)
    store.write("a/large", large)
    monkeypatch.setattr(large_copies, "CHUNK", 5 * 2**20)  # the least that S3 takes
    seen = refusing(TOO_LARGE)
    store.copy("a/large", "b/copy")
    assert sum("partNumber" in query for _, query in seen) == 2
    assert not any(method == "GET" for method, _ in seen), "no byte came here"
    assert store.read("b/copy") == large


def test_a_bucket_without_the_right_to_copy(s3_store: str, refusing: Callable[[tuple[str, str]], Requests]) -> None:
    store = Store(s3_store)
    store.write("a/file", b"1")
    refusing(DENIED)
    with pytest.raises(StoreError) as refused:
        store.copy("a/file", "b/copy")
    assert str(refused.value) == (
        f"The store cannot write {s3_store}/b/copy: the credentials do not permit it (403). Check the policy of their role."
    )


def test_some_bytes_of_a_file_are_read(s3_store: str, tmp_path: Any) -> None:
    store, path = Store(s3_store), tmp_path / "t.parquet"
    pq.write_table(pa.table({"i": range(1000)}), path, row_group_size=100)
    whole = path.read_bytes()
    store.adopt(path, "t.parquet")
    assert pq.read_metadata(store.ranged("t.parquet")).num_rows == 1000
    assert pq.ParquetFile(store.ranged("t.parquet")).read_row_group(3)["i"].to_pylist() == list(range(300, 400))
    file = store.ranged("t.parquet")
    assert (file.read(4), file.seek(-4, 2), file.read(), file.read(1)) == (b"PAR1", len(whole) - 4, b"PAR1", b"")
    with pytest.raises(FileNotFoundError):
        store.ranged("none.parquet")
