"""A real PgBouncer in transaction mode in front of a PostgreSQL: each transaction may run in another server session."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ports import free_port

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


def is_installed() -> bool:
    return Path(PROGRAM).exists()


@contextmanager
def pgbouncer(dsn: str, folder: Path, pool_size: int = 2) -> Iterator[str]:
    """The connection string of the same database through a pool of few server sessions."""
    server, port = conninfo_to_dict(dsn), free_port()
    (folder / "users.txt").write_text(f'"{server["user"]}" "{server["password"]}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server['host']} port={server['port']}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {folder}/users.txt\n"
        f"pool_mode = transaction\ndefault_pool_size = {pool_size}\nlogfile = {folder}/pgbouncer.log\npidfile =\n"
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777)
    command = [PROGRAM, "-u", "nobody", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pooled = make_conninfo(dsn, host="127.0.0.1", port=port)
    try:
        _await(pooled, folder)
        yield pooled
    finally:
        process.terminate()
        process.wait(30)


def _await(dsn: str, folder: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(dsn, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > until:
                log = folder / "pgbouncer.log"
                raise RuntimeError(f"{error}\n{log.read_text() if log.exists() else ''}") from error
            time.sleep(0.2)
