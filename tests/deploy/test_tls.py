"""TLS to PostgreSQL with verify-full against a self-made CA, as docs/access.md says, through both of our drivers.

The embedded server is built without TLS, so it stands behind a proxy that ends TLS, as poolers do.
"""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shopmill.errors import ShopmillError, SourceUnavailableError
from shopmill.registry import Registry
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import open_source
from shopmill.source.mapping import load_mapping

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
SERVED_NAME = "localhost"


class Authority:
    """A certificate authority of one's own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = _certificate(self._name, self._name, self._key, is_authority=True).sign(self._key, hashes.SHA256())
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(own.public_bytes(Encoding.PEM))

    def server_context(self, host: str) -> ssl.SSLContext:
        """What a server needs to prove that it is `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(_name(host), self._name, key, is_authority=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        file = self._folder / f"{host}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, is_authority: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )


async def _serve(context: ssl.SSLContext, target: int, started: "asyncio.Future[int]", ended: asyncio.Event) -> None:
    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readexactly(8) != SSL_REQUEST:
                return writer.close()  # nobody comes in without TLS
            writer.write(b"S")
            await writer.start_tls(context)
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()  # a client that did not like the certificate

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    started.set_result(server.sockets[0].getsockname()[1])
    await ended.wait()
    server.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "shop-ca")


@pytest.fixture(scope="module")
def tls_port(authority: Authority, shop_dsn: str) -> Iterator[int]:
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    started = loop.create_future()
    target = psycopg.conninfo.conninfo_to_dict(shop_dsn)["port"]
    served = _serve(authority.server_context(SERVED_NAME), int(str(target)), started, ended)
    thread = Thread(target=loop.run_until_complete, args=[served], daemon=True)
    thread.start()
    while not started.done():
        assert thread.is_alive()
    yield started.result()
    loop.call_soon_threadsafe(ended.set)
    thread.join(timeout=10)


def verified(dsn: str, host: str, port: int, authority: Path) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    address = f"postgresql://{parts['user']}:{parts['password']}@{host}:{port}/{parts['dbname']}"
    return f"{address}?sslmode=verify-full&sslrootcert={authority}"


def read_source(dsn: str) -> None:
    settings = Settings(_env_file=None, source_dsn=dsn)
    with open_source(settings, load_mapping(settings)) as source:
        source.selection(TABLES["transactions"])


def test_the_right_authority_is_trusted(shop_dsn: str, registry_dsn: str, authority: Authority, tls_port: int) -> None:
    read_source(verified(shop_dsn, SERVED_NAME, tls_port, authority.file))
    Registry(verified(registry_dsn, SERVED_NAME, tls_port, authority.file)).migrate()


@pytest.mark.parametrize(
    ("host", "trusted", "reason"),
    [
        (SERVED_NAME, "other-ca", "certificate verify failed"),
        ("127.0.0.1", "shop-ca", 'does not match host name "127.0.0.1"'),
    ],
)
def test_another_authority_or_host_is_refused(
    shop_dsn: str,
    registry_dsn: str,
    authority: Authority,
    tls_port: int,
    tmp_path: Path,
    host: str,
    trusted: str,
    reason: str,
) -> None:
    file = authority.file if trusted == "shop-ca" else Authority(tmp_path, trusted).file
    with pytest.raises(ShopmillError) as of_registry:
        Registry(verified(registry_dsn, host, tls_port, file)).migrate()
    with pytest.raises(SourceUnavailableError) as of_source:
        read_source(verified(shop_dsn, host, tls_port, file))
    assert reason in str(of_registry.value)
    assert reason in str(of_source.value)


def test_a_server_without_tls_is_refused(shop_dsn: str, registry_dsn: str, authority: Authority) -> None:
    port = int(str(psycopg.conninfo.conninfo_to_dict(shop_dsn)["port"]))
    reason = "server does not support SSL, but SSL was required"
    with pytest.raises(ShopmillError, match=reason):
        Registry(verified(registry_dsn, SERVED_NAME, port, authority.file)).migrate()
    with pytest.raises(SourceUnavailableError, match=reason):
        read_source(verified(shop_dsn, SERVED_NAME, port, authority.file))
