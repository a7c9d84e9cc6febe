import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest

from ports import free_port
from shopmill.airflow.local import AirflowApiError, AirflowClient, LocalAirflow, LocalAirflowError
from shopmill.airflow.local.configuration import airflow_environment, load_secrets, write_passwords
from shopmill.airflow.local.processes import end_all, is_below, owned_by, send_tree, spawn
from shopmill.errors import InvalidInputError


def until_it_works(airflow: LocalAirflow, run_id: str) -> None:
    """Waits until the task of a run sleeps."""
    for [state] in airflow.client.wait([("sleeps", run_id)], timeout=600):
        if any(task.state == "running" for task in state.tasks):
            return


@pytest.mark.airflow
@pytest.mark.timeout(900)
class TestRunning:
    def test_all_four_are_healthy_and_listen_on_loopback_only(self, airflow: LocalAirflow) -> None:
        health = airflow.client.health()
        assert {health[name]["status"] for name in ("scheduler", "triggerer", "dag_processor")} == {"healthy"}
        addresses = {
            connection.laddr.ip
            for process in owned_by(airflow.home)
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert addresses == {"127.0.0.1"}

    def test_a_run_succeeds_with_its_parameters(self, airflow: LocalAirflow) -> None:
        begun = datetime.now(UTC)
        run_id = airflow.client.trigger("two_tasks", {"as_of": "2018-01-01"}, run_id="chosen")
        assert run_id == "chosen"
        *_, [last] = airflow.client.wait([("two_tasks", run_id)], timeout=600)
        assert airflow.client.runs_since("two_tasks", begun) == ["chosen"]
        assert airflow.client.runs_since("two_tasks", datetime.now(UTC)) == []
        assert (last.state, [(task.task_id, task.state) for task in last.tasks]) == (
            "success",
            [("first", "success"), ("second", "success")],
        )
        assert "as_of is 2018-01-01" in airflow.client.log_tail(last, last.tasks[0])
        returned = airflow.client.get(
            f"/api/v2/dags/two_tasks/dagRuns/{run_id}/taskInstances/second/xcomEntries/return_value"
        )
        assert returned["value"] == [True, False], "libraries are imported once, and the code of a version by its tasks"

    def test_a_failed_run_shows_its_reason(self, airflow: LocalAirflow) -> None:
        run_id = airflow.client.trigger("fails")
        *_, [last] = airflow.client.wait([("fails", run_id)], timeout=600)
        assert last.state == "failed"
        [task] = last.failed_tasks  # not the one behind it
        assert task.task_id == "broken"
        assert any("Price is negative in 3 rows" in line for line in airflow.client.log_errors(last, task))
        assert list(airflow.task_log("fails", run_id, "broken").glob("*.log"))

    def test_abandoned_runs_end(self, airflow: LocalAirflow) -> None:
        run_id = airflow.client.trigger("sleeps")
        until_it_works(airflow, run_id)
        airflow.client.abandon_runs("sleeps")
        *_, [last] = airflow.client.wait([("sleeps", run_id)], timeout=600)
        assert last.state == "failed"

    def test_a_run_that_takes_too_long_is_named(self, airflow: LocalAirflow) -> None:
        run_id = airflow.client.trigger("sleeps")
        with pytest.raises(AirflowApiError, match="sleeps"):
            list(airflow.client.wait([("sleeps", run_id)], timeout=1))
        airflow.client.abandon_runs("sleeps")

    def test_an_import_error_is_shown(self, airflow: LocalAirflow) -> None:
        file = airflow.dags_folder / "unreadable.py"
        file.write_text("from airflow.sdk import DAG\nraise RuntimeError('the reason')\n")
        try:
            with pytest.raises(AirflowApiError, match="the reason"):
                airflow.client.trigger("unreadable", timeout=600)
        finally:
            file.unlink()

    def test_a_wrong_password_is_refused(self, airflow: LocalAirflow) -> None:
        with (
            AirflowClient(airflow.url, airflow.login, "wrong") as client,
            pytest.raises(AirflowApiError, match="login"),
        ):
            client.dag_run("two_tasks", "chosen")

    def test_the_api_needs_a_login(self, airflow: LocalAirflow) -> None:
        assert httpx.get(f"{airflow.url}/api/v2/dags").status_code == 401

    def test_secrets_are_private_and_on_no_command_line(self, airflow: LocalAirflow) -> None:
        modes = {stat.S_IMODE((airflow.home / name).stat().st_mode) for name in ("secrets.json", "passwords.json")}
        assert modes == {0o600}
        lines = " ".join(" ".join(process.cmdline()) for process in owned_by(airflow.home))
        assert "postgresql" not in lines
        assert airflow.password not in lines


@pytest.mark.airflow
@pytest.mark.timeout(900)
class TestLife:
    def test_what_a_killed_instance_left_is_ended_and_the_next_leaves_nothing(
        self, database: Callable[[], str], tmp_path: Path
    ) -> None:
        (tmp_path / "dags").mkdir()
        arguments = [str(tmp_path / "home"), str(tmp_path / "dags"), database(), str(free_port())]
        program = (
            "import os, sys, signal, pathlib; from shopmill.airflow.local import LocalAirflow; a = sys.argv[1:];"
            "LocalAirflow(pathlib.Path(a[0]), pathlib.Path(a[1]), a[2], int(a[3])).start();"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        killed = subprocess.run([sys.executable, "-c", program, *arguments], check=False)
        assert killed.returncode == -signal.SIGKILL
        left = owned_by(tmp_path / "home")
        assert len(left) >= 4

        airflow = LocalAirflow(tmp_path / "home", tmp_path / "dags", arguments[2], int(arguments[3]))
        began = time.monotonic()
        try:
            airflow.start()
            assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left)
            assert time.monotonic() - began < 12, "the metadata was migrated again"
            airflow.check_alive()
            victim = next(process for process in owned_by(airflow.home) if "scheduler" in process.cmdline())
            victim.kill()
            with pytest.raises(LocalAirflowError, match=r"scheduler ended with code -9.*scheduler\.log"):
                airflow.wait_healthy(timeout=600)
        finally:
            airflow.stop()
        assert owned_by(airflow.home) == []


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        airflow = LocalAirflow(tmp_path, tmp_path, "postgresql://nobody@127.0.0.1:1/none", port)
        with pytest.raises(InvalidInputError, match=rf"{port} .* --port"):
            airflow.start()
    assert owned_by(tmp_path) == []


def test_only_the_owners_processes_are_ended(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    shell = "trap '' TERM; sleep 60 & setsid sleep 60 & echo ready; wait"
    for owner in (mine, other):
        spawn(["bash", "-c", shell], os.environ, owner, tmp_path / f"{owner.name}.log")
    _wait_until(lambda: len(owned_by(mine)) == 3 and len(owned_by(other)) == 3)
    _wait_until(lambda: "ready" in (tmp_path / "mine.log").read_text())
    assert end_all(mine, grace=0.5) == 3  # the one that ignores SIGTERM, and the one that left the group
    assert owned_by(mine) == []
    assert len(owned_by(other)) == 3
    end_all(other, grace=0.1)


FORKS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
for _ in range(300):
    if os.fork() == 0:
        break
    time.sleep(0.002)
time.sleep(120)
"""


def test_what_is_forked_while_everything_is_ended_is_ended_as_well(tmp_path: Path) -> None:
    """A scheduler under load starts a task's process while its own end is on the way."""
    spawn([sys.executable, "-c", FORKS], os.environ, tmp_path, tmp_path / "log")
    _wait_until(lambda: (tmp_path / "log").read_text().startswith("ready"))
    assert end_all(tmp_path, grace=0.1) >= 1
    assert owned_by(tmp_path) == []


def test_a_signal_reaches_the_whole_tree_also_what_left_the_group(tmp_path: Path) -> None:
    shell = "setsid sleep 60 & sleep 60 & wait"
    root = spawn(["bash", "-c", shell], os.environ, tmp_path, tmp_path / "log")
    _wait_until(lambda: len(owned_by(tmp_path)) == 3)
    tree = owned_by(tmp_path)
    assert {is_below(process.pid, root.pid) for process in tree if process.pid != root.pid} == {True}
    assert not is_below(os.getpid(), root.pid)
    send_tree(root.pid, signal.SIGSTOP)
    _wait_until(lambda: {process.status() for process in tree} == {psutil.STATUS_STOPPED})
    send_tree(root.pid, signal.SIGKILL)
    root.wait()
    _wait_until(lambda: owned_by(tmp_path) == [])


def test_a_command_is_told_its_input(tmp_path: Path) -> None:
    spawn(["cat"], os.environ, tmp_path, tmp_path / "log", typed="a password\n").wait()
    assert (tmp_path / "log").read_text() == "a password\n"


def test_secrets_survive_and_differ(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert load_secrets(tmp_path / "a") == load_secrets(tmp_path / "a")
    assert load_secrets(tmp_path / "a") != load_secrets(tmp_path / "b")


def test_the_passwords_of_other_users_stay(tmp_path: Path) -> None:
    (tmp_path / "passwords.json").write_text('{"admin": "old", "vera": "hers"}')
    load_secrets(tmp_path)
    assert json.loads((tmp_path / "passwords.json").read_text())["admin"] == "old"
    write_passwords(tmp_path, "new")
    assert json.loads((tmp_path / "passwords.json").read_text()) == {"admin": "new", "vera": "hers"}


def test_a_users_own_airflow_settings_do_not_interfere(tmp_path: Path) -> None:
    base = {"AIRFLOW__CORE__EXECUTOR": "Odd", "AIRFLOW__X__Y": "1", "AIRFLOW_CONN_A": "http://a", "PATH": "/bin"}
    made = airflow_environment(
        home=tmp_path,
        dags_folder=tmp_path,
        metadata_dsn="postgresql://u:p@127.0.0.1:1/x",
        port=1,
        keys=load_secrets(tmp_path),
        base=base,
        settings={"CORE__PARALLELISM": "9"},
    )
    assert made["AIRFLOW__CORE__PARALLELISM"] == "9"
    assert (made["PATH"], made["AIRFLOW_CONN_A"]) == ("/bin", "http://a")
    assert made["AIRFLOW__CORE__EXECUTOR"].endswith("LocalExecutor")
    assert "AIRFLOW__X__Y" not in made


def _wait_until(is_so: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
