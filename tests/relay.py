"""A way to a PostgreSQL server that can be shut, or fall silent while it stays open."""

import socket
import threading
import time
from contextlib import suppress

import psycopg


class Relay:
    """Passes bytes on between clients and the server of a connection string, for those who take `dsn` instead."""

    def __init__(self, dsn: str):
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
        self._server = (str(parts["host"]), int(str(parts["port"])))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._silent, self._open = threading.Event(), [self._listening]
        self.dsn = psycopg.conninfo.make_conninfo(dsn, host="127.0.0.1", port=self._listening.getsockname()[1])
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
