import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from shopmill.errors import InvalidInputError
from shopmill.shops.postgres import EmbeddedPostgres, ServerError


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="shopmill-postgres-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "server"


def postmaster_pid(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_data_port_and_passwords_survive_a_restart(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        server.ensure_role("anna")
        server.ensure_database("books", owner="anna")
        dsn = server.dsn("books", "anna")
        with psycopg.connect(dsn) as connection:
            connection.execute("create table kept as select 7 as n")
    assert not server.is_running()
    with EmbeddedPostgres(home) as server:
        server.ensure_role("anna")
        assert server.dsn("books", "anna") == dsn
        assert one(dsn, "select n from kept") == 7


def test_start_again_keeps_the_running_server_and_leaves_it_to_its_starter(home: Path) -> None:
    with EmbeddedPostgres(home) as first:
        pid = postmaster_pid(first)
        with EmbeddedPostgres(home) as second:
            assert postmaster_pid(second) == pid
        assert first.is_running()
    assert not first.is_running()
    first.stop()  # nothing to stop is no error


def test_a_killed_server_is_replaced(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        port = server.port
        os.kill(postmaster_pid(server), signal.SIGKILL)
        with EmbeddedPostgres(home) as again:
            assert again.port == port
            assert one(again.admin_dsn(), "select 1") == 1


def test_a_server_that_takes_no_connections_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedPostgres(home) as server:
        monkeypatch.setattr("shopmill.shops.postgres.START_SECONDS", 0)
        os.kill(postmaster_pid(server), signal.SIGSTOP)
        try:
            with pytest.raises(ServerError, match="runs but takes no connections"):
                EmbeddedPostgres(home).start()
        finally:
            os.kill(postmaster_pid(server), signal.SIGCONT)


def test_a_leftover_whose_process_id_is_another_programs_is_replaced(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        left = (server.data / "postmaster.pid").read_text().splitlines()
    (home / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *left[1:]]) + "\n")
    assert not server.is_running()
    with EmbeddedPostgres(home) as again:
        assert one(again.admin_dsn(), "select 1") == 1


def test_a_taken_port_is_named_and_an_automatic_one_moves_on(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        port = server.port
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(ServerError, match=f"Port {port} of 127.0.0.1 is taken"):
            EmbeddedPostgres(home, port).start()
        with EmbeddedPostgres(home) as moved:
            assert moved.port != port
            assert one(moved.admin_dsn(), "select 1") == 1


def test_listens_on_loopback_only_and_asks_for_a_password(postgres: EmbeddedPostgres) -> None:
    assert one(postgres.admin_dsn(), "show listen_addresses") == "127.0.0.1"
    assert one(postgres.admin_dsn(), "show password_encryption") == "scram-sha-256"
    wrong = f"postgresql://postgres:wrong@127.0.0.1:{postgres.port}/postgres"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_secrets_are_private_long_and_in_no_log(postgres: EmbeddedPostgres) -> None:
    file = postgres.home / "passwords.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = psycopg.conninfo.conninfo_to_dict(postgres.admin_dsn())["password"]
    assert isinstance(password, str)
    assert len(password) >= 16
    assert password in file.read_text()
    assert password not in postgres.log.read_text()


def test_a_foreign_role_may_not_enter_a_database(postgres: EmbeddedPostgres, database: Callable[[], str]) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database())["dbname"]
    postgres.ensure_role("stranger")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(postgres.dsn(str(name), "stranger"))


def test_an_unknown_role_is_named(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(InvalidInputError, match="Role nobody_yet is unknown"):
        postgres.dsn("postgres", "nobody_yet")


def test_a_server_never_started_says_so(home: Path) -> None:
    with pytest.raises(ServerError, match="call start"):
        _ = EmbeddedPostgres(home).port


@pytest.mark.skipif(os.getuid() != 0, reason="only root hands the server to another user")
def test_a_folder_closed_to_the_servers_user_is_named(home: Path) -> None:
    home.mkdir()
    home.chmod(0o700)
    with pytest.raises(ServerError, match=f"nobody cannot enter {home}"):
        EmbeddedPostgres(home).start()


def test_two_processes_may_start_at_once(home: Path) -> None:
    code = f"""if True:
        from pathlib import Path
        from shopmill.shops.postgres import EmbeddedPostgres
        EmbeddedPostgres(Path({str(home)!r})).start()
    """
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    try:
        assert [process.wait(60) for process in processes] == [0, 0]
        assert one(EmbeddedPostgres(home).admin_dsn(), "select 1") == 1
    finally:
        EmbeddedPostgres(home).stop()


def test_stop_ends_open_sessions_and_waits(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        connection = psycopg.connect(server.admin_dsn(), autocommit=True)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 10
        assert not (server.data / "postmaster.pid").exists()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
