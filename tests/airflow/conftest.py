"""One real Airflow for the whole test run, with real sinks for what it announces."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUDPServer
from threading import Thread
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from ports import free_port
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.local.topology import Topology

FOLDER = Path(__file__).parent
TRIVIAL_DAGS = FOLDER / "trivial_dags.py"
RUNNING = pytest.StashKey[LocalAirflow]()
RECIPIENT = "team@shop.example"


@dataclass
class SlackSink:
    """An HTTP server that takes what Slack would take, and refuses when told to."""

    port: int
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Mailbox:
    """An SMTP server's inbox."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        message: Message = BytesParser(policy=default).parsebytes(envelope.original_content or b"")
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"


@dataclass(frozen=True)
class AirflowShop:
    """What the DAGs of the test run's Airflow work on: two empty databases and an empty store."""

    source_dsn: str
    registry_dsn: str
    store: Path

    @property
    def events(self) -> Path:
        """The file that OpenLineage's events are appended to."""
        return self.store.with_name("events.ndjson")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SHOPMILL_SOURCE_DSN": self.source_dsn,
            "SHOPMILL_REGISTRY_DSN": self.registry_dsn,
            "SHOPMILL_STORE": str(self.store),
            "SHOPMILL_TIME_ZONE": "UTC",  # not that of a demo which ran in this folder and left its settings
            "SHOPMILL_SCHEDULES": "false",  # a test's runs are its own, whatever the hour
            "OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(self.events), "append": True}),
        }


@pytest.fixture(scope="session")
def slack_server() -> Iterator[SlackSink]:
    sink = SlackSink(free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.messages.append(json.loads(body))
            self.send_response(sink.status)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", sink.port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield sink
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@dataclass(frozen=True)
class Heard:
    """What a sink heard about one DAG: runs that other tests left behind in the Airflow they share may end meanwhile."""

    sink: Any
    about: str

    @property
    def messages(self) -> list[Any]:
        return [message for message in self.sink.messages if self.about in _headline(message)]


def _headline(message: Any) -> str:
    return str(message["subject"] if isinstance(message, EmailMessage) else message["text"].splitlines()[0])


def _about(request: pytest.FixtureRequest) -> str:
    marker = request.node.get_closest_marker("about")
    return str(marker.args[0]) if marker else ""


@pytest.fixture
def slack(slack_server: SlackSink, request: pytest.FixtureRequest) -> Heard:
    slack_server.messages.clear()
    slack_server.status = 200
    return Heard(slack_server, _about(request))


@pytest.fixture
def mailbox(mail_server: Mailbox, request: pytest.FixtureRequest) -> Heard:
    mail_server.messages.clear()
    return Heard(mail_server, _about(request))


@pytest.fixture(scope="session")
def sink_connections(slack_server: SlackSink, mail_server: Mailbox) -> dict[str, str]:
    """The Airflow connections, as environment variables, that lead to the two sinks."""
    options = {"from_email": "shopmill@shop.example", "to": RECIPIENT, "disable_ssl": True, "disable_tls": True}
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": mail_server.port, "extra": options}
    webhook = f"http://127.0.0.1:{slack_server.port}/services/T0/B0/webhook-secret"
    return {
        "AIRFLOW_CONN_SHOPMILL_SMTP": json.dumps(smtp),
        "AIRFLOW_CONN_SHOPMILL_SLACK": json.dumps({"conn_type": "slackwebhook", "password": webhook}),
    }


@dataclass
class Gauges:
    """What Airflow's tasks sent over StatsD: the last value by name with its labels."""

    port: int
    values: dict[str, float] = field(default_factory=dict)

    def take(self, packet: str) -> None:
        for line in packet.splitlines():
            name, _, sent = line.partition(":")
            value, kind = sent.split("|")[:2]
            if kind == "g":
                self.values[name] = float(value)


@pytest.fixture(scope="session")
def gauges() -> Iterator[Gauges]:
    found = Gauges(free_port())

    class Packets(BaseRequestHandler):
        def handle(self) -> None:
            found.take(self.request[0].decode())

    server = ThreadingUDPServer(("127.0.0.1", found.port), Packets)
    Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def airflow_shop(database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> AirflowShop:
    """The shop of the session's Airflow: empty tables, and the articles that tests sell."""
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute((files("shopmill.shops") / "schema.sql").read_text().encode())
        connection.execute(
            "insert into articles (article_id, prod_name) values "
            "('0001', 'red dress'), ('0002', 'bolt'), ('0070', 'hat'), ('0071', 'scarf')"
        )
    return AirflowShop(dsn, database(), tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def airflow(
    request: pytest.FixtureRequest,
    database: Callable[[], str],
    airflow_shop: AirflowShop,
    sink_connections: dict[str, str],
    gauges: Gauges,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalAirflow]:
    """A healthy Airflow. A test copies its DAG files into `airflow.dags_folder`; they are found within seconds."""
    dags_folder = tmp_path_factory.mktemp("dags")
    (dags_folder / TRIVIAL_DAGS.name).write_text(TRIVIAL_DAGS.read_text())
    environment = {**airflow_shop.environment, **sink_connections}
    home = tmp_path_factory.mktemp("airflow")
    statsd = {"ON": "True", "HOST": "127.0.0.1", "PORT": str(gauges.port), "INFLUXDB_ENABLED": "True"}
    settings = {f"METRICS__STATSD_{name}": value for name, value in statsd.items()}
    topology = Topology(settings={**settings, "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,vera:viewer,nora:"})
    with LocalAirflow(home, dags_folder, database(), free_port(), environment, topology) as running:
        request.session.stash[RUNNING] = running
        yield running


@pytest.hookimpl(trylast=True)  # after the fixtures of the last test
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Ends the Airflow that these tests share after the last of them: idle it takes a seventh of a processor."""
    if nextitem and FOLDER not in nextitem.path.parents and RUNNING in item.session.stash:
        item.session.stash[RUNNING].stop()
