import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopmill.airflow.local.processes import owned_by
from shopmill.airflow.local.services import ObjectStore, Redis
from shopmill.errors import InvalidInputError
from shopmill.versions.store import Store


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    service = Redis(tmp_path / "redis")
    yield service
    service.stop()


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectStore]:
    service = ObjectStore(tmp_path / "s3")
    yield service
    service.stop()


def ask(port: int, question: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(question)
        return connection.recv(64)


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed: make services")
def test_redis_answers_to_its_password_only_and_ends(redis: Redis) -> None:
    redis.start()
    assert ask(redis.port, b"PING\r\n").startswith(b"-NOAUTH")
    assert ask(redis.port, f"AUTH {redis.password}\r\n".encode()) == b"+OK\r\n"
    [process] = owned_by(redis.folder)
    assert redis.password not in " ".join(process.cmdline())
    assert redis.password not in repr(redis)
    assert ((redis.folder / "redis.conf").stat().st_mode & 0o777) == 0o600
    Redis(redis.folder).start()  # in its place
    assert len(owned_by(redis.folder)) == 1
    redis.stop()
    assert owned_by(redis.folder) == []


def test_without_the_program_there_is_one_sentence(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InvalidInputError, match="redis-server is not installed"):
        redis.start()


def test_the_object_store_holds_a_store_and_ends(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    objects.start()
    for name, value in objects.environment.items():
        monkeypatch.setenv(name, value)
    store = Store(objects.url)
    assert store.create("a/b", b"whole")
    assert not store.create("a/b", b"other")
    assert store.read("a/b") == b"whole"
    objects.stop()
    assert owned_by(objects.folder) == []
