"""The catalogue in a real Airflow: closed to who may not see it, and usable in a real browser."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from reverse_proxy import reverse_proxy

from conftest import AirflowShop
from looking import NARROW, Look, looking
from ports import free_port
from shopmill import datasets
from shopmill.airflow.local import LocalAirflow, RunState
from shopmill.airflow.local.processes import end_all, spawn
from shopmill.declaration import Parameter
from shopmill.registry import Registry
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

DAG = "user_item_interactions"
DAGS = Path(__file__).parents[2] / "dags"
OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 401, 403, 404
PAGES = (
    "",
    "index.html",
    "runs.html",
    "quality.html",
    f"datasets/{DAG}/index.html",
    f"datasets/{DAG}/lineage.html",
    "assets/catalogue.css",
    "nothing.html",
    "docs",
    "openapi.json",
)


@pytest.fixture(scope="module")
def published(airflow: LocalAirflow, airflow_shop: AirflowShop) -> RunState:
    """A version that a real run has made of a shop of a few rows."""
    with psycopg.connect(airflow_shop.source_dsn) as connection:
        connection.execute(
            "insert into transactions select date '2020-09-20' + (i % 3), 'c' || i % 7, '000' || i % 2 + 1, 9.99, 1 "
            "from generate_series(1, 100) as i"
        )
    for source in DAGS.glob("*.py"):
        (airflow.dags_folder / source.name).write_text(source.read_text())
    run_id = airflow.client.trigger(DAG, {"as_of": "2020-09-25", "max_reject_share": 1}, timeout=180)
    *_, [last] = airflow.client.wait([(DAG, run_id)], timeout=400)
    assert last.state == "success"
    return last


def token_of(airflow: LocalAirflow, login: str) -> str:
    passwords = json.loads((airflow.home / "passwords.json").read_text())
    body = {"username": login, "password": passwords[login]}
    response = httpx.post(f"{airflow.url}/auth/token", json=body, trust_env=False)
    return str(response.json()["access_token"])


def asked(airflow: LocalAirflow, page: str, login: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token_of(airflow, login)}"} if login else {}
    return httpx.get(f"{airflow.url}/shopmill/{page}", headers=headers, trust_env=False, timeout=60)


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_shown_without_a_login(airflow: LocalAirflow, page: str) -> None:
    response = asked(airflow, page, None)
    assert response.status_code == UNAUTHORIZED
    assert "shopmill" not in response.text


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("assets")])
def test_nothing_is_shown_to_a_role_without_the_right(airflow: LocalAirflow, published: RunState, page: str) -> None:
    response = asked(airflow, page, "nora")
    assert response.status_code == FORBIDDEN
    for word in (*datasets.names(), published.run_id):
        assert word not in response.text


def test_a_viewer_sees_the_pages_and_can_change_nothing(airflow: LocalAirflow, published: RunState) -> None:
    response = asked(airflow, f"datasets/{DAG}/index.html", "vera")
    assert response.status_code == OK
    assert "2020-09-25" in response.text
    assert "script-src 'self'" in response.headers["content-security-policy"]
    headers = {"Authorization": f"Bearer {token_of(airflow, 'vera')}"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = httpx.request(method, f"{airflow.url}/shopmill/index.html", headers=headers, trust_env=False)
        assert answer.status_code == 405


def test_what_is_not_there_is_said(airflow: LocalAirflow, published: RunState) -> None:
    for page in ("nothing.html", "datasets/nothing/index.html", f"datasets/{DAG}/versions/2020-09-25.abc.html"):
        response = asked(airflow, page, "vera")
        assert (response.status_code, "Not to be shown" in response.text) == (NOT_FOUND, True)


@pytest.fixture
def look(airflow: LocalAirflow, browser: Any) -> Iterator[Look]:
    """A browser that is logged in."""
    with looking(browser) as found:
        found.page.set_default_timeout(120_000)  # on a machine that does other things too
        log_in(found, airflow)
        yield found


def log_in(look: Look, airflow: LocalAirflow) -> None:
    token = token_of(airflow, airflow.login)
    look.page.context.add_cookies([{"name": "_token", "value": token, "url": airflow.url}])


def test_the_catalogue_in_the_navigation_shows_what_the_manifest_has(
    look: Look, airflow: LocalAirflow, airflow_shop: AirflowShop, published: RunState
) -> None:
    look.open(f"{airflow.url}/plugin/shopmill")
    frame = look.page.frame_locator("iframe")
    row = frame.locator("table.datasets tr", has_text=DAG)
    row.wait_for(timeout=60_000)
    # Other tests of this Airflow may have published later as_ofs.
    current = Versions(Store(str(airflow_shop.store)), DAG, ZoneInfo("UTC")).current()
    assert current is not None
    assert f"{current.summary.rows:,}" in row.inner_text()
    assert Registry(airflow_shop.registry_dsn).runs(DAG, 1)[0]["status"] in row.inner_text()
    row.get_by_role("link", name=DAG).click()
    frame.locator("h1", has_text="User-item interactions").wait_for()
    assert current.version in frame.locator("table.versions").inner_text()
    assert [error for error in look.errors if "shopmill" in error] == []


def test_a_tab_on_the_dag_opens_its_dataset_and_leads_to_the_run(
    look: Look, airflow: LocalAirflow, published: RunState
) -> None:
    look.open(f"{airflow.url}/dags/{DAG}")
    look.page.get_by_role("link", name="Dataset").first.click(timeout=60_000)
    frame = look.page.frame_locator("iframe")
    frame.locator("h1", has_text="User-item interactions").wait_for(timeout=60_000)
    links = frame.locator("table.versions").get_by_role("link", name="run").all()
    [link] = [link for link in links if published.run_id in unquote(link.get_attribute("href") or "")]
    link.click()
    look.page.wait_for_url(f"**/dags/{DAG}/runs/**", timeout=60_000)
    assert published.run_id in look.page.evaluate("decodeURIComponent(location.href)")


def test_the_pages_follow_airflows_theme(browser: Any, airflow: LocalAirflow, published: RunState) -> None:
    with looking(browser, NARROW) as look:
        log_in(look, airflow)
        look.page.add_init_script("localStorage.setItem('theme', 'dark')")
        look.open(f"{airflow.url}/plugin/shopmill")
        look.page.frame_locator("iframe").locator("html[data-theme=dark] h1").wait_for(timeout=60_000)


def test_the_pages_fit_a_phone(browser: Any, airflow: LocalAirflow, published: RunState) -> None:
    with looking(browser, NARROW) as look:
        log_in(look, airflow)
        look.open(f"{airflow.url}/shopmill/index.html")
        assert not look.is_too_wide
        assert look.violations() == []
        assert look.errors == []


def test_runs_can_be_filtered(look: Look, airflow: LocalAirflow, published: RunState) -> None:
    look.open(f"{airflow.url}/shopmill/runs.html")
    rows = look.page.locator("#runs tbody tr:visible")
    assert rows.count() >= 1
    look.page.get_by_label("text").fill("no run has this in it")
    assert rows.count() == 0
    look.page.get_by_label("text").fill("2020-09-25")
    assert rows.count() >= 1
    assert look.errors == []


@pytest.fixture
def behind_a_proxy(airflow: LocalAirflow, tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a second API server of this Airflow behind a proxy's path, and what was asked for beside the path."""
    path, inner, outer = "/shop/airflow", free_port(), free_port()
    address = f"http://127.0.0.1:{outer}{path}"
    environment = {**airflow.environment(), "AIRFLOW__API__PORT": str(inner), "AIRFLOW__API__BASE_URL": address}
    command = [sys.executable, "-m", "airflow", "api-server"]
    server = spawn(command, environment, tmp_path, tmp_path / "api-server.log")
    with reverse_proxy(outer, path, f"http://127.0.0.1:{inner}") as outside:
        try:
            while not answers(f"{address}/api/v2/monitor/health"):
                assert server.poll() is None, (tmp_path / "api-server.log").read_text()[-2000:]
                time.sleep(0.5)
            yield address, outside
        finally:
            end_all(tmp_path, grace=5)


def answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False, timeout=60).is_success
    except httpx.TransportError:
        return False


def test_behind_the_path_of_a_proxy_everything_stays_below_it(
    look: Look, airflow: LocalAirflow, behind_a_proxy: tuple[str, list[str]], published: RunState
) -> None:
    address, outside = behind_a_proxy
    look.page.context.add_cookies([{"name": "_token", "value": token_of(airflow, airflow.login), "url": address}])
    look.open(f"{address}/plugin/shopmill")
    frame = look.page.frame_locator("iframe")
    frame.locator("table.datasets").get_by_role("link", name=DAG).first.click(timeout=60_000)
    frame.locator("h1", has_text="User-item interactions").wait_for(timeout=60_000)
    assert [error for error in look.errors if "shopmill" in error] == []

    look.open(f"{address}/dags/{DAG}")
    look.page.get_by_role("link", name="Dataset").first.click(timeout=60_000)
    frame.locator("h1", has_text="User-item interactions").wait_for(timeout=60_000)
    links = frame.locator("table.versions").get_by_role("link", name="run").all()
    [link] = [link for link in links if published.run_id in unquote(link.get_attribute("href") or "")]
    link.click()
    look.page.wait_for_url(f"{address}/dags/{DAG}/runs/**", timeout=60_000)
    assert [path for path in outside if "favicon" not in path] == []


@pytest.mark.parametrize("dag_id", datasets.names())
def test_the_form_of_each_dag_starts_a_run_untouched(
    look: Look, airflow: LocalAirflow, published: RunState, dag_id: str
) -> None:
    submit(form(look, airflow, dag_id))
    run = started(airflow, dag_id)
    assert {name: value for name, value in run["conf"].items() if value not in {None, ""}} == {
        "refresh": False,
        **{p.name: given(p, p.default) for p in datasets.load(dag_id).all_parameters if p.default != ""},
    }


@pytest.mark.parametrize("dag_id", datasets.names())
def test_the_form_of_each_dag_gives_the_run_an_as_of_and_every_parameter(
    look: Look, airflow: LocalAirflow, published: RunState, dag_id: str
) -> None:
    parameters = datasets.load(dag_id).all_parameters
    values = {p.name: other_value(p) for p in parameters}
    filled = form(look, airflow, dag_id)
    filled.locator("[name=element_as_of]").fill("2020-09-24")
    for parameter in parameters:
        fill(filled, parameter, values[parameter.name])
    submit(filled)
    conf = started(airflow, dag_id)["conf"]
    assert conf == {"as_of": "2020-09-24", "refresh": False, **values}
    datasets.load(dag_id).parse_parameters(values)


def test_the_form_starts_no_run_for_an_as_of_that_is_none(
    look: Look, airflow: LocalAirflow, published: RunState
) -> None:
    filled = form(look, airflow, DAG)
    filled.locator("[name=element_as_of]").fill("yesterday")
    filled.get_by_role("button", name="Trigger").click()
    look.page.get_by_text("as_of").last.wait_for(timeout=60_000)
    assert filled.is_visible()
    assert airflow.client.unfinished_runs(DAG) == []


def test_a_backfill_that_the_form_starts_publishes_its_day(
    look: Look, airflow: LocalAirflow, airflow_shop: AirflowShop, published: RunState
) -> None:
    """Schedules are off in this Airflow, as they are in the demo. The days are those whose run would begin between the two."""
    form(look, airflow, DAG)
    look.page.get_by_text("Backfill", exact=True).first.click()
    choose_day(look, "From", "2020/09/22")
    choose_day(look, "To", "2020/09/23")
    look.page.get_by_text("1 run will be triggered.").wait_for(timeout=60_000)
    button = look.page.get_by_role("button", name="Run Backfill")
    button.click()
    button.wait_for(state="hidden", timeout=60_000)
    [run_id] = airflow.client.unfinished_runs(DAG)
    *_, [last] = airflow.client.wait([(DAG, run_id)], timeout=600)
    assert last.state == "success"
    as_ofs = {made.as_of for made in Versions(Store(str(airflow_shop.store)), DAG, ZoneInfo("UTC")).all()}
    assert "2020-09-22" in as_ofs


def choose_day(look: Look, label: str, day: str) -> None:
    """Fills the field of a moment, which opens above the form."""
    look.page.get_by_role("group").filter(has_text=label).get_by_test_id("datetime-input").first.click()
    look.page.get_by_placeholder("YYYY/MM/DD").fill(day)
    look.page.get_by_placeholder("HH:mm").fill("00:00")
    look.page.get_by_text("Date Range").click()
    look.page.get_by_placeholder("YYYY/MM/DD").wait_for(state="hidden")


def form(look: Look, airflow: LocalAirflow, dag_id: str) -> Any:
    """The form that starts a run of a DAG, open."""
    airflow.client.wait_for_dag(dag_id, 120)
    airflow.client.abandon_runs(dag_id)
    look.open(f"{airflow.url}/dags/{dag_id}?trigger_mode=single")
    dialog = look.page.get_by_role("dialog")
    if not dialog.is_visible():
        look.page.get_by_role("button", name="Trigger").first.click(timeout=60_000)
    dialog.locator("[name=element_as_of]").wait_for(timeout=60_000)
    return dialog


def submit(dialog: Any) -> None:
    button = dialog.get_by_role("button", name="Trigger")
    assert button.is_enabled()
    button.click()
    dialog.wait_for(state="hidden", timeout=60_000)


def started(airflow: LocalAirflow, dag_id: str) -> dict[str, Any]:
    """The run that a form has just started; it does no work."""
    [run_id] = airflow.client.unfinished_runs(dag_id)
    found = airflow.client.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")
    airflow.client.abandon_runs(dag_id)
    return found


def given(parameter: Parameter, value: Any) -> Any:
    """A value as JSON has it."""
    return float(value) if parameter.type == "decimal" else value


TEXTS = {"content_columns": "prod_name", "frozen_thresholds": "2020-09-01", "languages": "en,de", "country": "DE"}


def other_value(parameter: Parameter) -> Any:
    """A value that the parameter takes, and not its default."""
    if parameter.type == "boolean":
        return not parameter.default
    if parameter.type == "text":
        others = [choice for choice in parameter.choices if choice != parameter.default]
        return TEXTS[parameter.name] if parameter.is_list or not others else others[0]
    lowest, highest = parameter.minimum, parameter.maximum
    assert lowest is not None
    other = lowest if parameter.default != lowest else highest if highest is not None else lowest + 1
    return float(other) if parameter.type == "decimal" else int(other)


def fill(dialog: Any, parameter: Parameter, value: Any) -> None:
    """Fills a field as a person does."""
    if parameter.type == "boolean":
        dialog.locator(f"label:has(input[name=element_{parameter.name}])").click()
    elif parameter.choices and not parameter.is_list:
        dialog.locator(f"#element_{parameter.name} input").first.fill(value)
        dialog.page.keyboard.press("Enter")
    else:
        dialog.locator(f"[name=element_{parameter.name}]").fill(str(value))
        dialog.page.keyboard.press("Tab")
