"""A small reverse proxy, as a company has in front of Airflow: it serves one path of its own and forwards what is below it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
NOT_FOUND, BAD_GATEWAY = 404, 502


@contextmanager
def reverse_proxy(port: int, path: str, target: str) -> Iterator[list[str]]:
    """Forwards what is below `path` to `target`, the path included. Yields what was asked for outside of it."""
    outside: list[str] = []
    client = httpx.Client(base_url=target, trust_env=False, timeout=120)

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith(f"{path}/"):
                outside.append(self.path)
                self.send_error(NOT_FOUND)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            try:
                answer = client.request(self.command, self.path, headers=headers, content=body)
            except httpx.TransportError:
                self.send_error(BAD_GATEWAY)
                return
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815 (as the class asks for)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield outside
    finally:
        server.shutdown()
        server.server_close()
        client.close()
