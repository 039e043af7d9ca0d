"""A closed loop over TCP: each connection has some questions under way; when all are answered, the next ones go."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import Final

from load_tests.figures import Load

ANSWER_SECONDS: Final = 2.0
"""An answer that has not come by then is lost, and its connection with it."""

RECEIVE_OCTETS: Final = 262_144

Address = tuple[str, int]
Cut = Callable[[bytes, int], int]
"""Where the answer ends that begins at an offset; -1 while it is not complete."""

Prepare = Callable[[socket.socket], None]


class StreamLoad:
    """Some connections to one server."""

    def __init__(
        self, address: Address, cut: Cut, *, connections: int, depth: int, prepare: Prepare = lambda _: None
    ) -> None:
        """Open the connections, each for `depth` questions at a time, and let each be prepared, such as logged in."""
        self._lanes = [_Lane(address, cut, depth, prepare) for _ in range(connections)]

    def run(self, requests: Iterable[bytes], seconds: float = float("inf")) -> Load:
        """Ask until the time or the questions are over, then wait for the last answers."""
        remaining = iter(requests)
        load = Load()
        began_at = perf_counter()
        while perf_counter() - began_at < seconds:
            turns = [lane.turn(remaining, load) for lane in self._lanes]
            if not any(turns):
                break
        for lane in self._lanes:
            lane.turn(iter(()), load)
        load.seconds = perf_counter() - began_at
        return load


class _Lane:
    def __init__(self, address: Address, cut: Cut, depth: int, prepare: Prepare) -> None:
        self._socket = socket.create_connection(address, ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        prepare(self._socket)
        self._cut = cut
        self._depth = depth
        self._under_way = 0

    def turn(self, requests: Iterator[bytes], load: Load) -> bool:
        """Wait for the answers that are due and ask as many questions again; False when there is nothing left to do."""
        self._receive(load)
        batch = list(islice(requests, self._depth))
        if batch:
            self._socket.sendall(b"".join(batch))
        self._under_way = len(batch)
        load.asked += len(batch)
        return bool(batch)

    def _receive(self, load: Load) -> None:
        pending, start = b"", 0
        while self._under_way:
            try:
                received = self._socket.recv(RECEIVE_OCTETS)
            except TimeoutError:
                received = b""
            if not received:
                raise ConnectionError(f"{self._under_way} answers did not come")
            pending, start = pending[start:] + received, 0
            while self._under_way and (end := self._cut(pending, start)) >= 0:
                load.answers.append(pending[start:end])
                self._under_way -= 1
                start = end
