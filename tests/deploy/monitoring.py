"""A real Prometheus and a real Alertmanager with the files of deploy/, and stand-ins for the two ends: exporter and people.

Only addresses and times are changed: seconds instead of days.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUDPServer
from threading import Thread
from typing import Any

import requests
import yaml

from ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
EMIT = """
import json, sys
from airflow.sdk.observability.metrics import stats_utils
from airflow.sdk.observability.stats import Stats
from shopmill.airflow import metrics

Stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)  # as Airflow does for each task
for line in sys.stdin:
    told = json.loads(line)
    metrics.send(told["dataset"], told["name"], told["value"], **told["labels"])
"""


@dataclass
class Exporter:
    """What statsd_exporter does with gauges: UDP in, names by the mapping file, Prometheus' text out."""

    udp_port: int
    port: int
    gauges: dict[str, str] = field(default_factory=dict)
    is_down: bool = False

    def take(self, packet: str) -> None:
        for line in packet.splitlines():
            stat, _, value = line.partition(":")
            amount, kind = value.split("|")[:2]
            if kind == "g":
                name, *tags = stat.split(",")
                labels = ",".join('{}="{}"'.format(*tag.split("=", 1)) for tag in sorted(tags))
                self.gauges[f"{_mapped(name)}{{{labels}}}"] = amount

    @contextmanager
    def listening(self) -> Iterator[None]:
        exporter = self

        class Packets(BaseRequestHandler):
            def handle(self) -> None:
                exporter.take(self.request[0].decode())

        with _served(ThreadingUDPServer(("127.0.0.1", self.udp_port), Packets)):
            yield

    @contextmanager
    def scrapable(self) -> Iterator[None]:
        exporter = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{series} {value}\n" for series, value in sorted(exporter.gauges.items()))
                self.send_response(503 if exporter.is_down else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        with _served(ThreadingHTTPServer(("127.0.0.1", self.port), Page)):
            yield


def _mapped(name: str) -> str:
    for mapping in yaml.safe_load((DEPLOY / "prometheus/statsd-mapping.yml").read_text())["mappings"]:
        if fnmatch(name, mapping["match"]) and name.count(".") == mapping["match"].count("."):
            pattern = re.escape(mapping["match"]).replace(r"\*", "([^.]*)")
            return re.sub(pattern, mapping["name"].replace("$", "\\"), name)
    return name.replace(".", "_")


@dataclass
class Sink:
    """Takes what Alertmanager would post to people: (receiver, alert, dataset, status) in order of arrival."""

    port: int
    told: list[tuple[str, str, str, str]] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[None]:
        sink = self

        class Posts(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in posted["alerts"]:
                    labels = alert["labels"]
                    sink.told.append(
                        (posted["receiver"], labels["alertname"], labels.get("dataset", ""), alert["status"])
                    )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        with _served(ThreadingHTTPServer(("127.0.0.1", self.port), Posts)):
            yield


@dataclass
class Monitoring:
    """The running whole."""

    exporter: Exporter
    sink: Sink
    prometheus: str
    emitter: "subprocess.Popen[str]"

    def emit(self, dataset: str, name: str, value: float, **labels: str) -> None:
        """Sends a gauge as a task does."""
        assert self.emitter.stdin is not None
        told = {"dataset": dataset, "name": name, "value": value, "labels": labels}
        self.emitter.stdin.write(json.dumps(told) + "\n")
        self.emitter.stdin.flush()

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.prometheus}/api/v1/query", {"query": expression}, timeout=10).json()
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


@contextmanager
def monitoring(folder: Path) -> Iterator[Monitoring]:
    exporter, sink = Exporter(free_port(), free_port()), Sink(free_port())
    prometheus, alertmanager = free_port(), free_port()
    _configure(folder, exporter, sink, alertmanager)
    alerting = {
        "config.file": f"{folder}/alertmanager.yml",
        "storage.path": f"{folder}/alerts",
        "web.listen-address": f"127.0.0.1:{alertmanager}",
        "cluster.listen-address": "",
    }
    scraping = {
        "config.file": f"{folder}/prometheus.yml",
        "storage.tsdb.path": f"{folder}/series",
        "web.listen-address": f"127.0.0.1:{prometheus}",
        "rules.alert.resend-delay": "1s",
        "log.level": "warn",
    }
    with (
        exporter.listening(),
        exporter.scrapable(),
        sink.listening(),
        _process(["prometheus-alertmanager", *(f"--{name}={value}" for name, value in alerting.items())]),
        _process(["prometheus", *(f"--{name}={value}" for name, value in scraping.items())]),
        _process([sys.executable, "-c", EMIT], _airflow(folder, exporter)) as emitter,
    ):
        address = f"http://127.0.0.1:{prometheus}"
        wait_until(lambda: _answers(f"{address}/-/ready") and _answers(f"http://127.0.0.1:{alertmanager}/-/ready"))
        yield Monitoring(exporter, sink, address, emitter)


def wait_until(is_so: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "not within the time given"
        time.sleep(0.2)


def _airflow(folder: Path, exporter: Exporter) -> dict[str, str]:
    settings = {"ON": "True", "HOST": "127.0.0.1", "PORT": str(exporter.udp_port), "INFLUXDB_ENABLED": "True"}
    return {"AIRFLOW_HOME": str(folder), **{f"AIRFLOW__METRICS__STATSD_{name}": v for name, v in settings.items()}}


def _configure(folder: Path, exporter: Exporter, sink: Sink, alertmanager: int) -> None:
    rules = (DEPLOY / "prometheus/rules.yml").read_text().replace("[7d]", "[2m]")
    # A scrape that is slow to come on a busy machine is not yet silence.
    rules = re.sub(r"for: \d+m", "for: 0s", rules).replace("== 1)\n        for: 0s", "== 1)\n        for: 10s")
    (folder / "rules.yml").write_text(rules)
    scraping = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    scraping["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "500ms"}
    scraping["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{exporter.port}"]}]
    scraping["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{alertmanager}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(scraping))
    routing = yaml.safe_load((DEPLOY / "prometheus/alertmanager.yml").read_text())
    routing["global"] = {}
    routing["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    hook = {"url": f"http://127.0.0.1:{sink.port}/", "send_resolved": True}
    routing["receivers"] = [{"name": each["name"], "webhook_configs": [hook]} for each in routing["receivers"]]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(routing))


@contextmanager
def _served(server: Any) -> Iterator[None]:
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _process(command: list[str], environment: dict[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdin=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
