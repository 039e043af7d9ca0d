"""What flows between the wire, TLS and the application, and who makes whom wait."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from resolver.listeners.tls import PLAIN_OCTETS_MAX, TlsTransport
from resolver.listeners.tls_certificate import make_context
from tests.integration.resolver.tls_world import make_pair


class Wire(asyncio.Transport):
    """A connection in memory: what is written to it waits to be taken."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 5)})
        self.written = bytearray()
        self.end = ""
        self.reads = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: bytes) -> None:
        self.written += data

    def is_reading(self) -> bool:
        return self.reads

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return bool(self.end)

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = "aborted"


class Application(asyncio.Protocol):
    """Notes what it hears, and may pause after each octet it gets."""

    def __init__(self) -> None:
        self.heard: list[bytes | str] = []
        self.pauses: TlsTransport | None = None

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)
        if self.pauses is not None:
            self.pauses.pause_reading()

    def eof_received(self) -> None:
        self.heard.append("end")

    def pause_writing(self) -> None:
        self.heard.append("wait")

    def resume_writing(self) -> None:
        self.heard.append("go on")


class Pair:
    """Both sides of a connection, after the handshake."""

    def __init__(self, folder: Path) -> None:
        own = make_pair(folder, "server")
        self.wire, self.application = Wire(), Application()
        self.failures = 0
        self.server = TlsTransport(
            self.wire,
            self.application,
            make_context(own.certificate.read_bytes(), own.key.read_bytes()),
            on_secured=lambda _: self.application.heard.append("secured"),
            on_failed=self.count_failure,
        )
        self._coming, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        trust = ssl.create_default_context(cafile=str(own.certificate))
        self.client = trust.wrap_bio(self._coming, self.going, server_hostname="localhost")
        for _ in range(3):
            with suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            self.exchange()

    def count_failure(self) -> None:
        self.failures += 1

    def exchange(self) -> None:
        """Carry what either side has ready to the other."""
        if self.going.pending:
            self.server.data_received(self.going.read())
        self._coming.write(bytes(self.wire.written))
        self.wire.written.clear()

    def send(self, *messages: bytes) -> None:
        """Let the client send a record for each message, all at once."""
        for message in messages:
            self.client.write(message)
        self.exchange()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_a_handshake_and_then_what_was_inside_is_handed_on(pair: Pair) -> None:
    pair.send("轴承".encode())
    pair.server.write("离心泵".encode())
    pair.exchange()
    assert pair.application.heard == ["secured", "轴承".encode()]
    assert pair.client.read().decode() == "离心泵"
    assert pair.server.get_extra_info("peername") == ("192.0.2.1", 5)


def test_many_tiny_records_are_handed_on_together(pair: Pair) -> None:
    pair.send(*[b"x"] * 1_000)
    assert pair.application.heard == ["secured", b"x" * 1_000]


def test_what_is_handed_on_at_once_is_bounded(pair: Pair) -> None:
    pair.send(*[b"x" * 16_384] * 9)
    octets = [len(each) for each in pair.application.heard[1:]]
    assert octets == [PLAIN_OCTETS_MAX, PLAIN_OCTETS_MAX, 16_384]


async def test_an_application_that_waits_gets_nothing_until_it_goes_on(pair: Pair) -> None:
    pair.application.pauses = pair.server
    pair.send(*[b"x" * 16_384] * 12)
    assert (len(pair.application.heard), pair.wire.reads, pair.server.is_reading()) == (2, False, False)
    pair.application.pauses = None
    pair.server.resume_reading()
    assert (len(pair.application.heard), pair.wire.reads) == (2, True)  # Not within the call.
    await asyncio.sleep(0)
    assert b"".join(pair.application.heard[1:]) == b"x" * 16_384 * 12


async def test_who_reads_nothing_is_not_read(pair: Pair) -> None:
    pair.server.pause_writing()
    assert not pair.wire.reads
    pair.server.pause_reading()
    pair.server.resume_writing()
    assert not pair.wire.reads
    pair.server.resume_reading()
    assert pair.wire.reads
    assert pair.application.heard == ["secured", "wait", "go on"]


def test_a_farewell_ends_the_connection_after_what_came_before_it(pair: Pair) -> None:
    pair.client.write("最后".encode())
    with suppress(ssl.SSLError):
        pair.client.unwrap()
    pair.exchange()
    assert pair.application.heard == ["secured", "最后".encode(), "end"]
    assert (pair.wire.end, pair.failures) == ("closed", 0)


def test_what_was_altered_on_its_way_ends_the_connection(pair: Pair) -> None:
    pair.client.write(b"abc")
    altered = bytearray(pair.going.read())
    altered[-1] ^= 1
    pair.server.data_received(bytes(altered))
    assert pair.application.heard == ["secured"]
    assert (pair.wire.end, pair.failures, pair.server.is_closing()) == ("closed", 1, True)


def test_after_the_end_nothing_more_is_written_or_heard(pair: Pair) -> None:
    pair.server.close()
    told = bytes(pair.wire.written)
    pair.server.write(b"abc")
    pair.server.close()
    pair.client.write(b"abc")
    pair.server.data_received(pair.going.read())
    assert (bytes(pair.wire.written), pair.application.heard) == (told, ["secured"])
    pair.server.abort()
    assert pair.wire.end == "aborted"
