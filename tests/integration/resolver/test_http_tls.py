"""HTTP and TLS on one port, with clients as they are in the field and with impolite ones, on both event loops."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from resolver.listeners.client_certificate import ClientCertificate
from resolver.listeners.http_bodies import BodyLimits
from tests.integration.resolver.http_world import SMALL
from tests.integration.resolver.tls_world import (
    LOOPS,
    VERSIONS,
    TlsWorld,
    ask,
    make_pair,
    read_response,
    read_to_end,
    tls_world,
)

LIVE = b"HTTP/1.1 200 OK"
BIG = "/api/handles/88.118.8/%E5%A4%A7"
"""200 kB of JSON."""

LIMITS = replace(SMALL, per_address_max=40, bodies=BodyLimits(), body_seconds=5.0)


@pytest.fixture(scope="module", params=LOOPS)
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsWorld]:
    with tls_world(request.param, tmp_path_factory.mktemp("tls"), LIMITS) as world:
        yield world


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    return VERSIONS[request.param]


@pytest.fixture
def client(door: TlsWorld, version: ssl.TLSVersion) -> ssl.SSLContext:
    return door.client(version)


def until(statement: Callable[[], bool], seconds: float = 5.0) -> float:
    """Wait until `statement()` holds, and return how long that took."""
    start = time.monotonic()
    while not statement():
        assert time.monotonic() - start < seconds, "it did not come true in time"
        time.sleep(0.02)
    return time.monotonic() - start


def test_http_and_tls_are_told_apart_on_one_port(door: TlsWorld, client: ssl.SSLContext) -> None:
    with door.connect() as plain, door.connect_securely(client) as secure:
        for peer in (plain, secure, secure, plain):
            assert ask(peer).startswith(LIVE)
        assert ask(plain, BIG).partition(b"\r\n\r\n")[2] == ask(secure, BIG).partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("is_rsa", [True, False])
def test_a_certificate_that_nobody_signed_is_taken(
    door: TlsWorld, version: ssl.TLSVersion, tmp_path: Path, *, is_rsa: bool
) -> None:
    shown = make_pair(tmp_path, "client", "300:88.300.15907/管理员", is_rsa=is_rsa)
    with door.connect_securely(door.client(version, shown)) as peer:
        ask(peer, "/x", b"abc", "POST")
    request = door.recorder.requests[-1]
    assert (request.is_secure, request.client_certificate) == (
        True,
        ClientCertificate("300:88.300.15907/管理员", shown.public_key),
    )


def test_who_shows_no_certificate_is_served_too(door: TlsWorld, client: ssl.SSLContext) -> None:
    with door.connect_securely(client) as peer:
        ask(peer, "/x", b"abc", "POST")
    with door.connect() as plain:
        ask(plain, "/x", b"abc", "POST")
    facts = [(each.is_secure, each.client_certificate) for each in door.recorder.requests[-2:]]
    assert facts == [(True, None), (False, None)]


def test_a_resumed_session_still_knows_the_certificate(door: TlsWorld, version: ssl.TLSVersion, tmp_path: Path) -> None:
    shown = make_pair(tmp_path, "client", "301:88.300.15907/1")
    client = door.client(version, shown)
    with door.connect_securely(client) as peer:
        ask(peer)
        session = peer.session
    with door.connect_securely(client, session=session) as peer:
        ask(peer, "/x", b"abc", "POST")
        assert peer.session_reused
    assert door.recorder.requests[-1].client_certificate == ClientCertificate("301:88.300.15907/1", shown.public_key)


def test_who_does_not_hold_the_key_is_refused(door: TlsWorld, version: ssl.TLSVersion, tmp_path: Path) -> None:
    before = door.world.tally.discarded["no_tls"]
    shown = make_pair(tmp_path, "client", "300:88.300.15907/管理员")
    shown.key.write_bytes(forged_key(shown.key.read_bytes()))
    with (  # TLS 1.3 clients hear of it only after their side of the handshake has ended
        door.connect() as peer,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
        door.connect_securely(door.client(version, shown), peer) as secure,
    ):
        ask(secure, "/x", b"abc", "POST")
    until(lambda: door.world.tally.discarded["no_tls"] == before + 1)  # It is counted after the alert has left.


def forged_key(real: bytes) -> bytes:
    """Return a key with the public half of `real`, which every certificate shows, and another's private half."""
    key = load_pem_private_key(real, None)
    octets = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    own, other = (
        each.private_numbers().private_value.to_bytes(32, "big") for each in (key, ec.generate_private_key(key.curve))
    )
    body = base64.encodebytes(octets.replace(own, other))
    return b"-----BEGIN EC PRIVATE KEY-----\n" + body + b"-----END EC PRIVATE KEY-----\n"


@pytest.mark.parametrize("old", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_tls_is_refused(door: TlsWorld, old: ssl.TLSVersion) -> None:
    before = door.world.tally.discarded["no_tls"]
    context = door.client(ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.minimum_version = context.maximum_version = old
    with door.connect() as peer, pytest.raises((ssl.SSLError, ConnectionResetError)):
        door.connect_securely(context, peer)
    until(lambda: door.world.tally.discarded["no_tls"] == before + 1)  # It is counted after the alert has left.


@pytest.mark.parametrize("first", [b"\x00", b"\x15", b"\x17", b"\x80", b"\xff", "标".encode()])
def test_what_is_neither_is_refused(door: TlsWorld, first: bytes) -> None:
    with door.connect() as peer:
        peer.sendall(first + b"bc\r\n\r\n")
        assert read_to_end(peer).startswith(b"HTTP/1.0 400 ")


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
        b"\x16GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x03\xff\xff" + bytes(70_000),
    ],
)
def test_broken_tls_is_answered_with_an_alert_and_closed(door: TlsWorld, octets: bytes) -> None:
    with door.connect() as peer:
        peer.sendall(octets)
        answer = read_to_end(peer)
    assert answer[:1] in (b"\x15", b"")
    until(lambda: door.open == 0)


def test_a_handshake_that_stops_is_cut(door: TlsWorld) -> None:
    with door.connect() as peer:
        peer.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        start = time.monotonic()
        assert read_to_end(peer) == b""
        assert 0.4 < time.monotonic() - start < 1.4


def drip(peer: socket.socket, octets: bytes) -> float:
    """Send octet by octet until the peer has had enough, and return how many seconds that took."""
    start = time.monotonic()
    try:
        for octet in octets:
            peer.sendall(bytes((octet,)))
            time.sleep(0.05)
    except (ConnectionError, ssl.SSLError):
        return time.monotonic() - start
    pytest.fail("everything was taken")


def test_a_handshake_that_drips_is_cut(door: TlsWorld) -> None:
    with door.connect() as peer:
        assert 0.4 < drip(peer, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600)) < 1.8


@pytest.mark.parametrize("is_secure", [False, True])
def test_silence_is_cut_before_and_after_a_handshake(
    door: TlsWorld, client: ssl.SSLContext, *, is_secure: bool
) -> None:
    with door.connect_securely(client) if is_secure else door.connect() as silent:
        start = time.monotonic()
        assert read_to_end(silent) == b""
        assert 1.2 < time.monotonic() - start < 2.6


def test_octets_that_come_one_by_one_are_understood(door: TlsWorld, client: ssl.SSLContext) -> None:
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    engine = client.wrap_bio(coming, going, server_hostname="localhost")
    with door.connect() as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def drive(step: Callable[[], Any]) -> Any:
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    pass
                finally:
                    for octet in going.read():
                        peer.sendall(bytes((octet,)))
                coming.write(peer.recv(1))

        drive(engine.do_handshake)
        drive(lambda: engine.write(b"GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n"))
        received = b""
        while b"live" not in received:
            received += drive(lambda: engine.read(1))
    assert received.startswith(LIVE)


def test_a_drip_of_tiny_records_within_a_head_is_cut(door: TlsWorld, client: ssl.SSLContext) -> None:
    with door.connect_securely(client) as peer:
        assert 0.4 < drip(peer, b"GET /88.118.8/a HTTP/1.1\r\nHost: example.cn\r\n" * 4) < 1.8


def test_a_deaf_peer_is_cut(door: TlsWorld, client: ssl.SSLContext) -> None:
    until(lambda: door.open == 0)
    with door.connect_securely(client, door.connect(SO_RCVBUF=4_096)) as peer:
        peer.setblocking(False)
        wanted = f"GET {BIG} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 60
        peer.send(wanted)
        time.sleep(0.3)
        assert door.open == 1
        until(lambda: door.open == 0)


def test_a_slow_peer_that_reads_gets_everything(door: TlsWorld, client: ssl.SSLContext) -> None:
    wanted = f"GET {BIG} HTTP/1.1\r\nHost: x\r\n".encode()
    with door.connect_securely(client, door.connect(SO_RCVBUF=4_096)) as peer:
        peer.sendall((wanted + b"\r\n") * 20 + wanted + b"Connection: close\r\n\r\n")
        time.sleep(0.5)
        received = read_to_end(peer)
    assert received.count(b"HTTP/1.1 200 OK") == 21
    assert received.endswith(b"]}")


def test_the_end_is_announced(door: TlsWorld, client: ssl.SSLContext) -> None:
    plain = door.connect()
    with client.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as peer:
        peer.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_response(peer).startswith(LIVE)
        assert peer.recv(1) == b""


def test_a_client_that_leaves_with_or_without_farewell_is_forgotten(
    door: TlsWorld, client: ssl.SSLContext, capfd: pytest.CaptureFixture[str]
) -> None:
    until(lambda: door.open == 0)
    polite, rude, reset = (door.connect_securely(client) for _ in range(3))
    for peer in (polite, rude, reset):
        ask(peer)
    polite.unwrap().close()
    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    for peer in (rude, reset):
        peer.close()
    until(lambda: door.open == 0)
    assert capfd.readouterr() == ("", "")


def test_pipelined_requests_are_answered_in_order(door: TlsWorld, client: ssl.SSLContext) -> None:
    with door.connect_securely(client) as peer:
        peer.sendall(
            b"".join(b"GET /api/handles/88.118.8/none-%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(200))
            + b"GET /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        received = read_to_end(peer)
    places = [received.find(b'/none-%d"' % number) for number in range(200)]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("octets", [1, 65_537, 262_164])
def test_long_bodies_arrive_whole(door: TlsWorld, client: ssl.SSLContext, octets: int) -> None:
    with door.connect() as plain, door.connect_securely(client) as secure:
        for peer in (plain, secure):
            assert ask(peer, "/x", b"z" * octets, "POST").endswith(b"\r\n\r\n%d" % octets)
            assert door.recorder.requests[-1].body == b"z" * octets


def test_a_message_that_is_too_long_is_refused(door: TlsWorld, client: ssl.SSLContext) -> None:
    for peer in (door.connect(), door.connect_securely(client)):
        with peer:
            assert ask(peer, "/x", b"z" * 262_165, "POST").startswith(b"HTTP/1.1 413 ")
            assert read_to_end(peer) == b""


@pytest.mark.parametrize(("octets", "status"), [(2 * 2**20, 400), (2 * 2**20 + 1, 413), (10 * 2**20, 413)])
def test_a_record_may_be_longer_than_parameters(
    door: TlsWorld, client: ssl.SSLContext, octets: int, status: int
) -> None:
    """400: nothing but the letter z is no JSON; it was read to its end, though."""
    head = (
        "POST /api/handles/88.300.15907/rest-1 HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: application/json\r\nContent-Length: {octets}\r\n\r\n"
    )
    for peer in (door.connect(), door.connect_securely(client)):
        with peer:
            peer.sendall(head.encode() + b"z" * octets)
            assert read_response(peer).startswith(b"HTTP/1.1 %d " % status)


def test_long_bodies_share_a_bounded_room(tmp_path: Path) -> None:
    bodies = BodyLimits(all_octets_max=600_000)
    with tls_world("uvloop", tmp_path, replace(LIMITS, bodies=bodies)) as door:
        head = (
            b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-hdl-message\r\nContent-Length: 262164\r\n\r\n"
        )
        waiting = [door.connect() for _ in range(2)]
        for peer in waiting:
            peer.sendall(head)
        time.sleep(0.2)
        with door.connect() as surplus, door.connect() as short:
            surplus.sendall(head)
            assert read_response(surplus).startswith(b"HTTP/1.1 503 ")
            assert ask(short, "/x", b"abc", "POST").startswith(LIVE)
        for peer in waiting:
            peer.sendall(b"z" * 262_164)
            assert read_response(peer).startswith(LIVE)
            peer.close()
        with door.connect() as again:
            assert ask(again, "/x", b"z" * 262_164, "POST").startswith(LIVE)


def certificate_of(door: TlsWorld) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with door.connect() as peer, context.wrap_socket(peer) as secure:
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True)).encode()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_renewed_certificate_is_used_while_connections_stay_open(
    loop: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with tls_world(loop, tmp_path, replace(LIMITS, idle_seconds=30.0)) as door:
        old = door.own.certificate.read_bytes()
        held = door.connect_securely(door.client(ssl.TLSVersion.TLSv1_3))
        renewed = make_pair(tmp_path, "renewed")
        shutil.copyfile(renewed.certificate, door.own.certificate)  # The key does not belong to it yet.
        time.sleep(1.1)
        assert [certificate_of(door) for _ in range(3)] == [old] * 3
        renewed.key.replace(door.own.key)
        time.sleep(1.1)
        assert certificate_of(door) == renewed.certificate.read_bytes()
        door.own.key.unlink()
        time.sleep(1.1)
        assert certificate_of(door) == renewed.certificate.read_bytes()
        assert ask(held).startswith(LIVE)
        held.close()
    said = capfd.readouterr().out
    assert said.count("certificate_refused") == 2, said


def test_without_a_certificate_only_http_is_spoken(tmp_path: Path) -> None:
    with tls_world("uvloop", tmp_path, LIMITS) as door:
        door.own.key.unlink()
        with door.connect() as plain, door.connect() as secure:
            assert ask(plain).startswith(LIVE)
            secure.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
            assert read_to_end(secure).startswith(b"HTTP/1.0 400 ")


def test_answers_are_the_same_over_tls(door: TlsWorld, client: ssl.SSLContext) -> None:
    with door.connect_securely(client) as peer:
        record = json.loads(ask(peer, "/api/handles/88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5").partition(b"\r\n\r\n")[2])
    assert [value["data"]["value"] for value in record["values"]] == ["https://example.cn/产品?id=1", "离心泵"]
