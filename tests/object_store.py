"""A real S3 server on this machine: moto's."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server; it ends with the block."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication
    from moto.server import ThreadedMotoServer

    answer, writing = DomainDispatcherApplication.__call__, Lock()

    def in_turn(app: Any, environ: Any, start_response: Any) -> Any:
        """A write after the other: moto looks at If-Match and then writes, where S3 does both at once."""
        with nullcontext() if environ["REQUEST_METHOD"] in {"GET", "HEAD"} else writing:
            return answer(app, environ, start_response)

    DomainDispatcherApplication.__call__ = in_turn
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
        DomainDispatcherApplication.__call__ = answer


def way_to(endpoint: str) -> dict[str, str]:
    """The environment in which a store finds the server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        "AWS_REGION": "us-east-1",
    }


def new_bucket(endpoint: str, name: str) -> str:
    """The address of an empty store in a bucket of its own."""
    import requests

    requests.put(f"{endpoint}/{name}", timeout=10).raise_for_status()
    return f"s3://{name}/shop/data"
