"""Clients that send octets as they are, over UDP and TCP, and what comes back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from handle_protocol.message import Message, decode_message
from handle_protocol.transmission import StreamCutter

DATAGRAM_READ_OCTETS = 65_535


class Datagrams:
    """A UDP socket that speaks to one address."""

    def __init__(self, server: tuple[str, int], source: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((source, 0))
        self.socket.connect(server)

    def send(self, datagram: bytes) -> None:
        """Send one datagram; a full buffer of our own is waited for."""
        while True:
            try:
                self.socket.send(datagram)
            except BlockingIOError:
                continue
            return

    async def receive(self, seconds: float = 5.0) -> bytes:
        """Return the next datagram."""
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, DATAGRAM_READ_OCTETS), seconds)

    async def collect(self, quiet_seconds: float) -> list[bytes]:
        """Return what comes until nothing has come for some seconds."""
        received = []
        while True:
            try:
                received.append(await self.receive(quiet_seconds))
            except TimeoutError:
                return received


class Stream:
    """A TCP connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._cutter = StreamCutter()
        self._messages: list[bytes] = []

    async def send(self, octets: bytes) -> None:
        """Send all octets."""
        await asyncio.get_running_loop().sock_sendall(self.socket, octets)

    async def receive(self, seconds: float = 10.0) -> Message:
        """Return the next message. Raises EOFError when the server has closed."""
        while not self._messages:
            octets = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 262_144), seconds)
            if not octets:
                raise EOFError
            self._messages += self._cutter.feed(octets)
        return decode_message(self._messages.pop(0))

    async def is_closed_within(self, seconds: float) -> bool:
        """Tell whether the server closes or cuts the connection in time; what comes before that is passed over."""
        try:
            async with asyncio.timeout(seconds):
                while await asyncio.get_running_loop().sock_recv(self.socket, 262_144):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True


@contextmanager
def datagrams(server: tuple[str, int], source: str = "127.0.0.1") -> Iterator[Datagrams]:
    """Open a UDP socket."""
    client = Datagrams(server, source)
    try:
        yield client
    finally:
        client.socket.close()


async def connect(server: tuple[str, int], source: str = "127.0.0.1", receive_octets: int = 0) -> Stream:
    """Open a TCP connection.

    Args:
        server: where to.
        source: the address it comes from.
        receive_octets: how much the kernel keeps unread for us; 0 = as usual.
    """
    connection = socket.socket()
    connection.setblocking(False)
    if receive_octets:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_octets)
    connection.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(connection, server)
    return Stream(connection)
