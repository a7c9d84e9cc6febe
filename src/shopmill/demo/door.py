"""One address that opens the demo's catalogue, logged in: no password to copy.

A page of this process, on loopback and behind a secret path, gives the browser the session cookie that Airflow's own
login would give, and sends it on. Cookies do not know ports, so Airflow sees it.
"""

import secrets
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COOKIE = "_token"


class Door:
    """Listens until it is closed. `token` gives a fresh session token each time somebody comes in."""

    def __init__(self, target: str, token: Callable[[], str]):
        secret = secrets.token_urlsafe(12)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not secrets.compare_digest(self.path, f"/{secret}"):
                    self.send_error(404)
                    return
                self.send_response(302)
                self.send_header("Set-Cookie", f"{COOKIE}={token()}; Path=/; HttpOnly; SameSite=Lax")
                self.send_header("Location", target)
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing: the path is a secret."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/{secret}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
