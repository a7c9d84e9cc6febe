"""Who may do what, asked of a real api-server with users of the FAB auth manager."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from conftest import TRIVIAL_DAGS, AirflowShop
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.local.topology import FAB, Topology
from shopmill.airflow.setup import RUNNER, VIEWER

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

OURS, OTHER = "user_item_interactions", "two_tasks"
DAGS = Path(__file__).parents[2] / "dags"
USERS = {"admin": "Admin", "vera": VIEWER, "rune": RUNNER}
OK, CREATED, FORBIDDEN = 200, 201, 403


def user(name: str, role: str) -> tuple[str, ...]:
    person = ("--firstname", name, "--lastname", "Test", "--email", f"{name}@shop.example")
    return ("users", "create", "--username", name, "--role", role, *person)


@pytest.fixture(scope="module")
def fab(database: Callable[[], str], free_port: Callable[[], int], airflow_shop: AirflowShop) -> Iterator[LocalAirflow]:
    topology = Topology(
        settings={"CORE__AUTH_MANAGER": FAB, "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True"},  # nothing is to run here
        prepare=[user(name, role) for name, role in USERS.items()],
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dags_folder = folder / "dags"
        dags_folder.mkdir()
        for file in (DAGS / f"{OURS}.py", TRIVIAL_DAGS):
            (dags_folder / file.name).write_text(file.read_text())
        environment = airflow_shop.environment
        with LocalAirflow(folder / "home", dags_folder, database(), free_port(), environment, topology) as running:
            for dag_id in (OURS, OTHER):
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
