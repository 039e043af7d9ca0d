"""Asking over one kept TCP connection, many questions at once; it is opened when it is needed, and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Final, cast

from handle_protocol.envelope import decode_envelope
from handle_protocol.errors import ProtocolError
from handle_protocol.exchange import Exchange
from handle_protocol.message import Message
from handle_protocol.octets import OctetReader
from handle_protocol.transmission import StreamCutter
from resolver.asking.reply import Address
from resolver.asking.wires import Part

OUTSTANDING_MAX: Final = 32
"""Requests of one connection that wait for their answers: half of what our own node accepts."""

UNREAD_MESSAGES_MAX: Final = 16
"""Messages of answers that nobody has taken yet, 4 MB at most; then the server waits."""

CONNECT_SECONDS: Final = 5.0
"""A connection that takes longer will serve nobody."""


class StreamWire:
    """A way to a server over TCP."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._connection: _Connection | None = None
        self._opening = asyncio.Lock()
        self._outstanding = asyncio.Semaphore(OUTSTANDING_MAX)

    async def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """See Wire. What one connection loses is not asked again: it may have been done."""
        async with self._outstanding:
            connection = await self._connect()
            waiting = connection.send(exchange)
            try:
                while not waiting.is_over:
                    yield Part(await connection.next_message(waiting), "tcp")
            finally:
                connection.forget(waiting)

    async def close(self) -> None:
        """See Wire."""
        if self._connection is not None:
            self._connection.abort()

    async def _connect(self) -> _Connection:
        async with self._opening:
            if self._connection is None or self._connection.is_lost:
                async with asyncio.timeout(CONNECT_SECONDS):
                    loop = asyncio.get_running_loop()
                    _, self._connection = await loop.create_connection(_Connection, *self._server)
            return self._connection


class _Waiting:
    """One exchange that waits for its answer, and what of that has come but was not taken yet."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.request_id = decode_envelope(OctetReader(exchange.request_octets)).request_id
        self.messages: asyncio.Queue[Message | Exception] = asyncio.Queue()
        """Bounded by pausing the connection."""

    @property
    def is_over(self) -> bool:
        """Whether the whole answer has come and was taken."""
        return self.exchange.is_answered and self.messages.empty()


class _Connection(asyncio.Protocol):
    """One connection: what comes is handed to the exchange whose request id it bears.

    Attributes:
        is_lost: nothing can be asked here any more.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self.is_lost = False
        self._cutter = StreamCutter()
        self._waiting: dict[int, _Waiting] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are transports by shape alone.

    def data_received(self, data: bytes) -> None:
        """Take octets of the stream."""
        try:
            for octets in self._cutter.feed(data):
                self._accept(octets)
        except ProtocolError as error:
            self._lose(error)
            self._transport.abort()
        if any(waiting.messages.qsize() >= UNREAD_MESSAGES_MAX for waiting in self._waiting.values()):
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that no answer will come."""
        self._lose(exc or ConnectionResetError("the server closed the connection unanswered"))

    def eof_received(self) -> None:
        """Close: who asks no more is not asked any more."""
        self.is_lost = True

    def send(self, exchange: Exchange) -> _Waiting:
        """Send a request; its answer is waited for from now on."""
        waiting = _Waiting(exchange)
        self._waiting[waiting.request_id] = waiting
        self._transport.write(exchange.request_octets)
        return waiting

    async def next_message(self, waiting: _Waiting) -> Message:
        """Return the next message of an answer, or raise what went wrong instead."""
        message = await waiting.messages.get()
        self._transport.resume_reading()
        if isinstance(message, Exception):
            raise message
        return message

    def forget(self, waiting: _Waiting) -> None:
        """Wait for an answer no longer."""
        del self._waiting[waiting.request_id]
        self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once."""
        self.is_lost = True
        self._transport.abort()

    def _accept(self, octets: bytes) -> None:
        waiting = self._waiting.get(decode_envelope(OctetReader(octets)).request_id)
        if waiting is None:  # Of a server that could not read us, the answer bears no id: it is for the oldest.
            waiting = next(iter(self._waiting.values()), None)
        if waiting is None or waiting.exchange.is_answered:
            return
        message = waiting.exchange.accept_message(octets, time.time())
        if message is not None:
            waiting.messages.put_nowait(message)

    def _lose(self, error: Exception) -> None:
        self.is_lost = True
        for waiting in self._waiting.values():
            if not waiting.exchange.is_answered:
                waiting.messages.put_nowait(error)
