"""Redis and an S3 server on this machine, as a cluster would have them: on loopback, with secrets of this start."""

import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from shopmill.airflow.local import processes
from shopmill.airflow.local.configuration import HOST, write_private
from shopmill.errors import InvalidInputError, ShopmillError

START_SECONDS = 30
BUCKET = "shopmill"


class ServiceError(ShopmillError):
    """A server that the cluster needs did not start."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Redis:
    """A Redis that keeps nothing on disk; `url` is a secret."""

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """The broker's address with its password."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def start(self) -> None:
        """Starts it and waits until it answers. Raises InvalidInputError where the program is not installed."""
        program = shutil.which("redis-server")
        if program is None:
            raise InvalidInputError(
                "redis-server is not installed: run `make services` as root, or install Debian's redis-server."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.stop()  # one that a killed program left
        lines = [f"bind {HOST}", f"port {self.port}", f"requirepass {self.password}", 'save ""', f"dir {self.folder}"]
        lines.append("set-proc-title no")  # a title is written over the environment, by which processes are found
        write_private(self.folder / "redis.conf", "\n".join(lines) + "\n")  # a password in arguments is for all to see
        log = self.folder / "redis.log"
        processes.spawn([program, str(self.folder / "redis.conf")], {}, self.folder, log)
        _await(self._answers, "Redis", log)

    def stop(self) -> None:
        """Ends it."""
        processes.end_all(self.folder, grace=5)

    def _answers(self) -> bool:
        with socket.create_connection((HOST, self.port), timeout=1) as connection:
            connection.sendall(f"AUTH {self.password}\r\n".encode())
            return connection.recv(16).startswith(b"+OK")


@dataclass(frozen=True)
class ObjectStore:
    """An S3 server (moto) with one bucket, all in memory."""

    folder: Path
    port: int = field(default_factory=free_port)
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """The store's address for SHOPMILL_STORE."""
        return f"s3://{BUCKET}/data"

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs in order to reach it: a secret."""
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{self.port}",
            "AWS_ACCESS_KEY_ID": "shopmill",
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Starts it and makes the bucket."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.stop()  # one that a killed program left
        log = self.folder / "s3.log"
        command = [sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(self.port)]
        processes.spawn(command, os.environ, self.folder, log)
        _await(self._makes_bucket, "The S3 server", log)

    def stop(self) -> None:
        """Ends it, and with it what it holds."""
        processes.end_all(self.folder, grace=5)

    def _makes_bucket(self) -> bool:
        return httpx.put(f"http://{HOST}:{self.port}/{BUCKET}", timeout=5, trust_env=False).is_success


def _await(answers: Callable[[], bool], name: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _succeeds(answers):
        if time.monotonic() > deadline:
            raise ServiceError(f"{name} does not answer after {START_SECONDS} s: see {log}.")
        time.sleep(0.1)


def _succeeds(answers: Callable[[], bool]) -> bool:
    try:
        return answers()
    except (OSError, httpx.TransportError):
        return False
