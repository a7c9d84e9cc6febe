"""Shopmill in an Airflow that runs already: a wheel, one setting, users of FAB, and secrets in a backend."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml

from conftest import TRIVIAL_DAGS
from ports import free_port
from shopmill import datasets
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.local.topology import FAB, Topology
from shopmill.airflow.pool import SOURCE_POOL
from shopmill.airflow.setup import RUNNER, VIEWER
from shopmill.registry import Registry

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]

OURS, OTHER = "user_item_interactions", "two_tasks"
ROOT = Path(__file__).parents[2]
USERS = {"admin": "Admin", "vera": VIEWER, "rune": RUNNER}
OK, CREATED, FORBIDDEN = 200, 201, 403
BUNDLES = [
    {"name": "theirs", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {}},
    {"name": "shopmill", "classpath": "shopmill.airflow.bundle.ShopmillDags", "kwargs": {}},
]


def user(name: str, role: str) -> tuple[str, ...]:
    person = ("--firstname", name, "--lastname", "Test", "--email", f"{name}@shop.example")
    return ("users", "create", "--username", name, "--role", role, *person)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as its wheel installs it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    [wheel] = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture(scope="module")
def connections(database: Callable[[], str]) -> dict[str, str]:
    """The connections that stand in the backend's file: a shop of a few rows, and an empty registry."""
    source = database()
    with psycopg.connect(source) as connection:
        connection.execute((files("shopmill.shops") / "schema.sql").read_text().encode())
        connection.execute("insert into articles (article_id) values ('0001'), ('0002')")
        connection.execute(
            "insert into transactions select date '2020-09-20' + (i % 3), 'c' || i % 7, '000' || i % 2 + 1, 9.99, 1 "
            "from generate_series(1, 100) as i"
        )
    return {"shopmill_source": source, "shopmill_registry": database()}


@pytest.fixture(scope="module")
def fab(database: Callable[[], str], installed: Path, connections: dict[str, str]) -> Iterator[LocalAirflow]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dags").mkdir()
        (folder / "dags" / TRIVIAL_DAGS.name).write_text(TRIVIAL_DAGS.read_text())
        secrets = folder / "connections.json"
        secrets.write_text(json.dumps(connections))
        settings = {
            "CORE__AUTH_MANAGER": FAB,
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(BUNDLES),
            "SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            "SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(secrets)}),
        }
        environment = {
            "PYTHONPATH": str(installed),
            "SHOPMILL_STORE": str(folder / "store"),
            "SHOPMILL_SCHEDULES": "false",
        }
        topology = Topology(settings=settings, prepare=[user(*named) for named in USERS.items()])
        with LocalAirflow(folder / "home", folder / "dags", database(), free_port(), environment, topology) as running:
            for dag_id in (*datasets.names(), OTHER):
                running.client.wait_for_dag(dag_id, timeout=120)
            yield running


@pytest.fixture(scope="module")
def as_user(fab: LocalAirflow) -> Iterator[Callable[[str], httpx.Client]]:
    """A client logged in as one of USERS, who all have the same password."""
    clients: dict[str, httpx.Client] = {}

    def client(name: str) -> httpx.Client:
        if name not in clients:
            made = httpx.Client(base_url=fab.url, trust_env=False, timeout=30)
            answer = made.post("/auth/token", json={"username": name, "password": fab.password})
            assert answer.status_code == CREATED, answer.text
            made.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            clients[name] = made
        return clients[name]

    yield client
    for made in clients.values():
        made.close()


AsUser = Callable[[str], httpx.Client]


def trigger(client: httpx.Client, dag_id: str) -> int:
    return client.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None}).status_code


def test_what_was_set_up_as_json(fab: LocalAirflow) -> None:
    command = [sys.executable, "-m", "shopmill.cli.app", "airflow-setup", "--json"]
    done = subprocess.run(command, env=fab.environment(), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"pool": SOURCE_POOL, "slots": 4, "roles": [VIEWER, RUNNER]}


@pytest.mark.parametrize(
    ("name", "ours", "other"), [("vera", FORBIDDEN, FORBIDDEN), ("rune", OK, FORBIDDEN), ("admin", OK, OK)]
)
def test_who_may_trigger(as_user: AsUser, name: str, ours: int, other: int) -> None:
    assert (trigger(as_user(name), OURS), trigger(as_user(name), OTHER)) == (ours, other)


@pytest.mark.parametrize(("name", "other"), [("vera", FORBIDDEN), ("rune", FORBIDDEN), ("admin", OK)])
def test_who_may_read_a_dag_and_its_runs(as_user: AsUser, name: str, other: int) -> None:
    for path in ("", "/dagRuns", "/tasks"):
        assert as_user(name).get(f"/api/v2/dags/{OURS}{path}").status_code == OK
        assert as_user(name).get(f"/api/v2/dags/{OTHER}{path}").status_code == other
    listed = {dag["dag_id"] for dag in as_user(name).get("/api/v2/dags").json()["dags"]}
    assert OURS in listed
    assert (OTHER in listed) == (other == OK)


@pytest.mark.parametrize(("name", "pausing"), [("vera", FORBIDDEN), ("rune", OK), ("admin", OK)])
def test_who_may_pause(as_user: AsUser, name: str, pausing: int) -> None:
    assert as_user(name).patch(f"/api/v2/dags/{OURS}", json={"is_paused": True}).status_code == pausing


@pytest.mark.parametrize(("name", "answer"), [("vera", FORBIDDEN), ("rune", FORBIDDEN), ("admin", OK)])
def test_who_may_see_and_change_connections_and_pools(as_user: AsUser, name: str, answer: int) -> None:
    assert as_user(name).get("/api/v2/connections").status_code == answer
    pool = {"pool": "shopmill_source", "slots": 5, "description": "reads of the shop", "include_deferred": False}
    changed = as_user(name).patch("/api/v2/pools/shopmill_source", json=pool)
    assert changed.status_code == answer


def test_nobody_comes_in_without_a_password(fab: LocalAirflow) -> None:
    with httpx.Client(base_url=fab.url, trust_env=False) as client:
        assert client.get("/api/v2/dags").status_code == 401
        assert client.post("/auth/token", json={"username": "admin", "password": "wrong"}).status_code == 401


def test_the_pool_bounds_the_source_and_nothing_else(fab: LocalAirflow) -> None:
    tasks = fab.client.get(f"/api/v2/dags/{OURS}/tasks")["tasks"]
    assert {task["task_id"]: task["pool"] for task in tasks if task["pool"] != "default_pool"} == {
        "extract": "shopmill_source"
    }
    assert {task["priority_weight"] for task in tasks} == {1.0}


def test_one_setting_brings_all_dags_from_the_wheel(fab: LocalAirflow, installed: Path) -> None:
    found = {dag["dag_id"]: dag for dag in fab.client.get("/api/v2/dags", {"limit": 100})["dags"]}
    ours = {name for name, dag in found.items() if dag["bundle_name"] == "shopmill"}
    assert ours == {*datasets.names(), "reconcile", "verify"}
    assert {Path(found[name]["fileloc"]).parent for name in datasets.names()} == {installed / "shopmill" / "dags"}
    assert {found[name]["max_active_runs"] for name in ours} == {1}
    assert fab.client.get("/api/v2/importErrors")["import_errors"] == []


@pytest.mark.parametrize("service", ["dag-processor", "triggerer"])
def test_the_health_commands_of_the_compose_file_are_true(fab: LocalAirflow, service: str) -> None:
    [kind, command] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"][service]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    environment = {**fab.environment(), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    other = command.replace("--local", "--hostname elsewhere")
    assert subprocess.run(["/bin/sh", "-c", other], env=environment, capture_output=True, check=False).returncode != 0


def test_a_run_takes_its_secrets_from_the_backend_and_tells_none(
    fab: LocalAirflow, as_user: AsUser, connections: dict[str, str]
) -> None:
    fab.client.abandon_runs(OURS)  # those of the tests before, which wait
    as_user("rune").patch(f"/api/v2/dags/{OURS}", json={"is_paused": False})
    run_id = fab.client.trigger(OURS, {"as_of": "2020-09-23"})
    *_, [last] = fab.client.wait([(OURS, run_id)], timeout=240)
    assert last.state == "success", [fab.client.log_errors(last, task) for task in last.failed_tasks]
    assert Registry(connections["shopmill_registry"]).runs(OURS)[0]["status"] == "published"

    passwords = {str(psycopg.conninfo.conninfo_to_dict(dsn)["password"]) for dsn in connections.values()}
    logs = {path: path.read_text(errors="replace") for path in fab.logs.rglob("*.log")}
    assert any("task_id=extract" in str(path) for path in logs)
    assert [path for path, text in logs.items() if any(password in text for password in passwords)] == []
