"""An HTTP door that speaks TLS too, on an event loop of its own, for blocking clients as they are in the field."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from resolver.listeners.http_connection import HttpLimits
from resolver.listeners.http_messages import WebRequest, WebResponse
from resolver.listeners.http_tunnel import MESSAGE_TYPE
from resolver.listeners.tls_certificate import ServerCertificate
from tests.integration.resolver.http_world import World

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
VERSIONS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}
SECONDS = 10.0


@dataclass(frozen=True)
class KeyPair:
    """A self-signed certificate and its key, in files."""

    certificate: Path
    key: Path
    public_key: bytes


def make_pair(folder: Path, name: str, user_id: str = "", *, is_rsa: bool = False) -> KeyPair:
    """Make a certificate whose subject is `user_id`, as pyhandle's users make theirs, or `name`."""
    key = rsa.generate_private_key(65_537, 2_048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
    attribute = (x509.NameOID.USER_ID, user_id) if user_id else (x509.NameOID.COMMON_NAME, name)
    subject = x509.Name([x509.NameAttribute(*attribute)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1) if user_id else now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    pair = KeyPair(
        folder / f"{name}.pem",
        folder / f"{name}-key.pem",
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
    pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pair


class Recorder:
    """Notes every tunnelled request, and answers how long its body is."""

    def __init__(self) -> None:
        self.requests: list[WebRequest] = []

    async def serve(self, request: WebRequest) -> WebResponse:
        self.requests.append(request)
        return WebResponse(200, b"%d" % len(request.body))


class TlsWorld:
    """A door, and clients for it."""

    def __init__(self, world: World, own: KeyPair, recorder: Recorder) -> None:
        self.world = world
        self.own = own
        self.recorder = recorder
        self.port = world.port

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self.world.door.server.admission.open)

    def connect(self, **options: int) -> socket.socket:
        peer = socket.socket()
        for name, octets in options.items():
            peer.setsockopt(socket.SOL_SOCKET, getattr(socket, name), octets)
        peer.settimeout(SECONDS)
        peer.connect(("127.0.0.1", self.port))
        return peer

    def connect_securely(
        self,
        context: ssl.SSLContext,
        peer: socket.socket | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        return context.wrap_socket(peer or self.connect(), server_hostname="localhost", session=session)

    def client(self, version: ssl.TLSVersion, shown: KeyPair | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.own.certificate))
        context.minimum_version = context.maximum_version = version
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        return context


def ask(peer: socket.socket, target: str = "/healthz/live", body: bytes = b"", method: str = "GET") -> bytes:
    """Ask, and return the whole response; the connection stays open."""
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n"
    if body:
        head += f"Content-Type: {MESSAGE_TYPE}\r\nContent-Length: {len(body)}\r\n"
    peer.sendall(head.encode() + b"\r\n" + body)
    return read_response(peer)


def read_response(peer: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        octets = peer.recv(65_536)
        if not octets:
            return received
        received += octets
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        octets = peer.recv(65_536)
        assert octets, "the response was cut"
        body += octets
    return head + b"\r\n\r\n" + body


def read_to_end(peer: socket.socket) -> bytes:
    received = bytearray()
    try:
        while octets := peer.recv(65_536):
            received += octets
    except ConnectionResetError:
        pass
    return bytes(received)


@contextmanager
def tls_world(loop: str, folder: Path, limits: HttpLimits) -> Iterator[TlsWorld]:
    """Serve from a thread until the end of the context."""
    own = make_pair(folder, "server", is_rsa=True)
    recorder = Recorder()
    began: list[tuple[World, asyncio.AbstractEventLoop, asyncio.Event]] = []
    has_begun = threading.Event()

    async def serve() -> None:
        certificate = ServerCertificate(own.certificate, own.key)
        world = World(limits, certificate=certificate, tunnel=recorder)
        await world.door.open()
        is_over = asyncio.Event()
        began.append((world, asyncio.get_running_loop(), is_over))
        has_begun.set()
        await is_over.wait()
        await world.door.close(1.0)

    def run() -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert has_begun.wait(SECONDS)
    world, running, is_over = began[0]
    try:
        yield TlsWorld(world, own, recorder)
    finally:
        running.call_soon_threadsafe(is_over.set)
        thread.join(SECONDS)
        assert not thread.is_alive()
