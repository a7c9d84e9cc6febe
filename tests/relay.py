"""A way to a server that can be shut, or fall silent while it stays open."""

import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psycopg


class Relay:
    """Passes bytes on between clients and the server of an address, for those who take `address` instead.

    An address is a connection string of PostgreSQL, or one that begins with http://.
    """

    def __init__(self, address: str):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._silent, self._open = threading.Event(), [self._listening]
        port = self._listening.getsockname()[1]
        if address.startswith("http://"):
            asked = urlsplit(address)
            self._server, self.address = (str(asked.hostname), asked.port or 80), f"http://127.0.0.1:{port}"
        else:
            parts = psycopg.conninfo.conninfo_to_dict(address)
            self._server = (str(parts["host"]), int(str(parts["port"])))
            self.address = psycopg.conninfo.make_conninfo(address, host="127.0.0.1", port=port)
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        """Breaks what is open, and lets nobody in."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def fall_silent(self) -> None:
        """Lets everybody in, and passes nothing on."""
        self._silent.set()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                while self._silent.is_set():
                    time.sleep(0.05)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
