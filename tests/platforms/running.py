"""Shop platforms that really run: from their packages, on the embedded PostgreSQL, in a folder of the cache that git ignores."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("SHOPMILL_PLATFORMS", HERE.parents[1] / ".platforms"))
QUIET = {
    "NODE_ENV": "production",
    "TZ": "UTC",
    "DO_NOT_TRACK": "1",
    "MEDUSA_DISABLE_TELEMETRY": "1",
    "VENDURE_DISABLE_TELEMETRY": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
}
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "dns error", "Connection refused")
SERVER_SECONDS = 300


@dataclass(frozen=True)
class Total:
    """What a platform says about one order: lines, units, what was sold without tax, and what of it was kept."""

    id: str
    currency: str
    lines: Decimal
    units: Decimal
    returned: Decimal
    cancelled: bool
    net: Decimal | None = None
    kept: Decimal | None = None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Total":
        numbers = {
            name: None if said.get(name) is None else Decimal(str(said[name]))
            for name in ("lines", "units", "returned", "net", "kept")
        }
        return cls(id=said["id"], currency=said["currency"], cancelled=said["cancelled"], **numbers)  # type: ignore[arg-type]


@dataclass
class PlatformShop:
    """A shop on its platform: the folder with its packages and scripts, its database, and how its scripts are started."""

    name: str
    folder: Path
    owner_dsn: str
    reader_dsn: str
    script: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return self.owner_dsn.rpartition("/")[2]

    def run(self, *command: str, **environment: str) -> str:
        result = subprocess.run(
            command,
            cwd=self.folder,
            env={**self._environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not result.returncode, f"{' '.join(command)}: {result.stdout[-3000:]}{result.stderr[-3000:]}"
        return result.stdout

    def step(self, name: str) -> str:
        """Runs a step of the shop's script: place, later or totals."""
        return self.run(*self.script, name, *self.arguments)

    def totals(self) -> list[Total]:
        return [Total.of(said) for said in json.loads(self.step("totals"))]

    @contextmanager
    def serving(self, *command: str, port: int) -> Iterator[None]:
        """Keeps the platform's server up."""
        address = f"http://127.0.0.1:{port}"
        log = self.folder / "server.log"
        with log.open("w") as output:
            server = subprocess.Popen(
                command, cwd=self.folder, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
            try:
                _until_healthy(server, f"{address}/health", log)
                self.arguments = (address,)
                yield
            finally:
                os.killpg(server.pid, signal.SIGTERM)
                server.wait(timeout=60)

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, **QUIET, **self.environment, "DATABASE_URL": self.owner_dsn}


def installed(name: str, install: Callable[[Path], "subprocess.CompletedProcess[str]"]) -> Path:
    """The folder with a platform's packages, installed as its lock file pins them, and the shop's own files beside them."""
    folder, lock = CACHE / name, next((HERE / name).glob("*lock*"))
    folder.mkdir(parents=True, exist_ok=True)
    mark, pinned = folder / "installed", hashlib.sha256(lock.read_bytes()).hexdigest()
    with (CACHE / f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        shutil.copytree(HERE / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        if not mark.exists() or mark.read_text() != pinned:
            _succeeded(install(folder), name)
            mark.write_text(pinned)
    return folder


def _succeeded(result: "subprocess.CompletedProcess[str]", name: str) -> None:
    said = result.stdout + result.stderr
    if result.returncode and any(word in said for word in UNREACHABLE):
        pytest.skip(
            f"{name} cannot be installed, for the package registry does not answer: {said.strip().splitlines()[-1]}"
        )
    assert not result.returncode, said[-3000:]


def install_with_uv(folder: Path) -> "subprocess.CompletedProcess[str]":
    """A virtual environment of its own, from a lock with hashes."""
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("uv is not installed beside Python: make setup")
    shutil.rmtree(folder / "venv", ignore_errors=True)
    _execute(folder, str(uv), "venv", "--quiet", "venv", "--python", sys.executable)
    return _execute(
        folder,
        str(uv),
        "pip",
        "sync",
        "--quiet",
        "--require-hashes",
        "--python",
        "venv/bin/python",
        "requirements.lock",
    )


def install_with_npm(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Exactly what package-lock.json says; no package's own scripts run."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    return _execute(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def _execute(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _until_healthy(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + SERVER_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert server.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"{address} does not answer: {log.read_text()[-3000:]}"
            time.sleep(0.3)


def pass_days(dsn: str, days: int) -> None:
    """Makes what happened today happen so many days ago: a platform's clock cannot be set, but its past can be moved."""
    times = """
        select c.table_name, array_agg(c.column_name::text)
        from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
          and c.data_type in ('date', 'timestamp with time zone', 'timestamp without time zone')
        group by c.table_name
    """
    earlier = "{0} = case when {0} < now() - interval '1 day' then {0} else {0} - make_interval(days => {1}) end"
    with psycopg.connect(dsn) as connection:
        for table, columns in connection.execute(times).fetchall():
            moved = [sql.SQL(earlier).format(sql.Identifier(column), sql.Literal(days)) for column in columns]
            connection.execute(sql.SQL("update {} set {}").format(sql.Identifier(table), sql.SQL(", ").join(moved)))
