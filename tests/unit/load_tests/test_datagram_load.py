"""The closed loop keeps its number of questions under way and tells what was lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from load_tests.datagram_load import DatagramLoad

SILENT = "不答".encode()
OVER = b""


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """A server that repeats whatever it is told, but for one word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield server.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(OVER, server.getsockname())
        thread.join()


def serve(server: socket.socket) -> None:
    while (received := server.recvfrom(512))[0] != OVER:
        if received[0] != SILENT:
            server.sendto(*received)


def test_everything_is_asked_and_answered_once(address) -> None:
    asked = [f"问题 {number}".encode() for number in range(1_000)]
    generator = DatagramLoad(address, sockets=3, outstanding=48)
    load = generator.run(asked)
    generator.close()
    assert sorted(load.answers) == sorted(asked)
    assert (load.asked, load.lost) == (1_000, 0)


def test_what_is_not_answered_is_lost_and_the_others_go_on(address) -> None:
    asked = [*[b"1"] * 20, SILENT, *[b"2"] * 20]
    generator = DatagramLoad(address, sockets=1, outstanding=8)
    load = generator.run(asked)
    generator.close()
    assert len(load.answers) == 40
    assert (load.asked, load.lost) == (41, 1)


def test_it_ends_when_the_time_is_over(address) -> None:
    generator = DatagramLoad(address, sockets=1, outstanding=4)
    load = generator.run(iter(lambda: b"1", None), seconds=0.05)
    generator.close()
    assert 0.05 <= load.seconds < 1.0
    assert len(load.answers) == load.asked > 0
