"""A Kubernetes API of one namespace over real HTTP: a pod is a process on this machine that runs the container's command.

Just what the operator and the trigger of Airflow's provider ask for. An image is what its command really runs; one that
is not there cannot be pulled. `on_start` may do to a pod's process what nodes do to pods.
"""

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

PODS = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/pods(?:/(?P<name>[^/]+))?(?P<log>/log)?")


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Pod:
    """A pod's document, as the API gives it, and the process that is its container."""

    document: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None
    output: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    def status(self, phase: str, container: Mapping[str, Any] | None = None, **more: str) -> None:
        statuses = [{"name": "base", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": container}]
        scheduled = [{"type": "PodScheduled", "status": "True"}]
        told = {"containerStatuses": statuses} if container else {}
        self.document["status"] = {"phase": phase, "conditions": scheduled, **told, **more}

    def evict(self) -> None:
        """What a kubelet does to a pod when its node runs short: the container is killed, nobody starts it again."""
        assert self.process
        self.status("Failed", None, reason="Evicted", message="The node was low on resource: memory.")
        self.process.kill()


class KubernetesApi:
    """Started with the block, stopped at its end, processes included."""

    def __init__(self, images: Mapping[str, Sequence[str]], environment: Mapping[str, str]):
        self.images, self.environment = images, environment
        self.created: list[Pod] = []
        self.pods: dict[str, Pod] = {}
        self.on_start: Callable[[Pod], None] = lambda _pod: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"api": self}))

    @property
    def kube_config(self) -> dict[str, Any]:
        cluster = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{self.server.server_port}"}}
        context = {"name": "here", "context": {"cluster": "here", "user": "tester", "namespace": "encoding"}}
        user = {"name": "tester", "user": {"token": "a-token-of-the-tests"}}
        return {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "here"}

    def __enter__(self) -> "KubernetesApi":
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        for pod in self.created:
            if pod.process:
                pod.process.kill()

    def create(self, document: dict[str, Any]) -> dict[str, Any]:
        document["metadata"] |= {"creationTimestamp": now(), "uid": str(len(self.created))}
        pod = Pod(document)
        self.created.append(pod)
        self.pods[pod.name] = pod
        container = document["spec"]["containers"][0]
        if container["image"] in self.images:
            pod.status("Pending")
            Thread(target=self._run, args=(pod, container), daemon=True).start()
        else:
            message = f'failed to resolve image "{container["image"]}": not found'
            pod.status("Pending", {"waiting": {"reason": "ErrImagePull", "message": message}})
        return document

    def _run(self, pod: Pod, container: Mapping[str, Any]) -> None:
        environment = {**self.environment, **{given["name"]: given["value"] for given in container["env"]}}
        assert container["command"] == ["shopmill"]
        command = [*self.images[container["image"]], *container["args"]]
        pod.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started = {"startedAt": now()}
        pod.status("Running", {"running": started})
        Thread(target=self.on_start, args=(pod,), daemon=True).start()
        assert pod.process.stdout
        for line in pod.process.stdout:
            pod.output.append(now().encode() + b" " + line)
        code = pod.process.wait()
        if "reason" not in pod.document["status"]:  # an evicted pod stays evicted
            reason = "Completed" if code == 0 else "Error"
            ended = {"exitCode": code % 256, "reason": reason, **started, "finishedAt": now()}
            pod.status("Succeeded" if code == 0 else "Failed", {"terminated": ended})

    def matching(self, selector: str) -> list[dict[str, Any]]:
        terms = re.findall(r"(!?)([^,=!]+)(!?=)?([^,]*)", selector)
        return [pod.document for pod in self.pods.values() if all(_fits(pod, term) for term in terms)]


class Handler(BaseHTTPRequestHandler):
    """Requests about pods; nothing else is there, events included."""

    api: KubernetesApi

    def do_POST(self) -> None:
        self._answer(201, self.api.create(self._body()))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        found = PODS.fullmatch(url.path)
        if found and found["log"]:
            self._log(found["name"])
        elif found and found["name"]:
            self._with_pod(found["name"], lambda pod: pod.document)
        else:
            items = self.api.matching(query.get("labelSelector", "")) if found else []
            self._answer(200, {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})

    def do_PATCH(self) -> None:
        labels = self._body()["metadata"]["labels"]
        self._with_pod(self._name(), lambda pod: pod.document["metadata"]["labels"].update(labels) or pod.document)

    def do_DELETE(self) -> None:
        self._with_pod(self._name(), lambda pod: self.api.pods.pop(pod.name).document)

    def _name(self) -> str:
        found = PODS.fullmatch(urlsplit(self.path).path)
        assert found, self.path
        return found["name"]

    def _with_pod(self, name: str, answer: Callable[[Pod], dict[str, Any]]) -> None:
        if pod := self.api.pods.get(name):
            self._answer(200, answer(pod))
        else:
            self._answer(404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})

    def _log(self, name: str) -> None:
        pod = self.api.pods[name]
        if pod.process:
            pod.process.wait()
        self._send(200, "text/plain", b"".join(pod.output))

    def _body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return found

    def _answer(self, status: int, document: Mapping[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(document).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _fits(pod: Pod, term: tuple[str, str, str, str]) -> bool:
    absent, key, operator, value = term
    found = pod.document["metadata"].get("labels", {}).get(key)
    return found is None if absent else found == value if operator == "=" else found != value
