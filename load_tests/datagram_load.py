"""A closed loop over UDP: a fixed number of questions is always under way, each answer lets the next one go.

Blocking sockets and no event loop: the generator must cost less than what it measures.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import Final

from handle_protocol.limits import DATAGRAM_OCTETS_MAX
from load_tests.figures import Load

ANSWER_SECONDS: Final = 1
"""An answer that has not come by then is lost."""

BURST: Final = 16
"""Answers taken from a socket before as many questions follow: the server is never left without work."""

Address = tuple[str, int]


class DatagramLoad:
    """Some sockets that ask one server.

    Attributes:
        outstanding: how many questions are under way in all.
    """

    def __init__(self, address: Address, *, sockets: int = 4, outstanding: int = 192) -> None:
        """Open the sockets; `outstanding` is shared out among them."""
        self.outstanding = outstanding
        self._lanes = [_Lane(address, outstanding // sockets) for _ in range(sockets)]

    def run(self, datagrams: Iterable[bytes], seconds: float = float("inf")) -> Load:
        """Ask until the time or the questions are over, then wait for the last answers."""
        remaining = iter(datagrams)
        load = Load()
        began_at = perf_counter()
        while perf_counter() - began_at < seconds:
            turns = [lane.turn(remaining, load) for lane in self._lanes]
            if not any(turns):
                break
        for lane in self._lanes:
            lane.finish(load)
        load.seconds = perf_counter() - began_at
        return load

    def close(self) -> None:
        """Close the sockets."""
        for lane in self._lanes:
            lane.close()


class _Lane:
    def __init__(self, address: Address, width: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(address)
        # The kernel waits, in one call; settimeout() would poll first.
        wait = ANSWER_SECONDS.to_bytes(8, sys.byteorder) + bytes(8)  # struct timeval: seconds, microseconds
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        self._width = width
        self._under_way = 0

    def turn(self, datagrams: Iterator[bytes], load: Load) -> bool:
        """Take a burst of answers and ask as many questions; False when there is nothing left to do."""
        self._receive(min(BURST, self._under_way), load)
        send = self._socket.send
        asked = 0
        for datagram in islice(datagrams, self._width - self._under_way):
            send(datagram)
            asked += 1
        self._under_way += asked
        load.asked += asked
        return self._under_way > 0

    def finish(self, load: Load) -> None:
        self._receive(self._under_way, load)

    def close(self) -> None:
        self._socket.close()

    def _receive(self, count: int, load: Load) -> None:
        receive, keep = self._socket.recv, load.answers.append
        for _ in range(count):
            try:
                answer = receive(DATAGRAM_OCTETS_MAX + 1)
            except BlockingIOError:
                self._under_way = 0  # Given up; one that comes later counts as an answer all the same.
                return
            keep(answer)
            self._under_way -= 1
