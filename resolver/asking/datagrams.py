"""Asking over UDP, and over TCP where that has no whole answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from handle_protocol.exchange import Exchange, Try
from handle_protocol.limits import PARTIAL_WAIT_SECONDS
from handle_protocol.message import Message
from resolver.asking.reply import Address
from resolver.asking.wires import Part, Wire


class DatagramWire:
    """A way to a server over UDP; each exchange has a socket of its own, so that its port is hard to guess."""

    def __init__(self, server: Address) -> None:
        self._server = server

    async def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """See Wire. Raises TimeoutError when all tries are silent, or the answer comes in part only."""
        answer = await _ask(self._server, exchange)
        if answer is None or not exchange.is_answered:
            raise TimeoutError(f"no answer from {self._server[0]} port {self._server[1]} over UDP")
        yield Part(answer, "udp")

    async def close(self) -> None:
        """See Wire."""


class EitherWire:
    """A way to a server over UDP, then TCP."""

    def __init__(self, datagrams: DatagramWire, stream: Wire) -> None:
        self._datagrams = datagrams
        self._stream = stream

    async def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """See Wire."""
        try:
            parts = [part async for part in self._datagrams.ask(exchange)]
        except OSError:  # Silence is one too.
            parts = []
        for part in parts:
            yield part
        if not parts:
            async for part in self._stream.ask(exchange):
                yield part

    async def close(self) -> None:
        """See Wire."""
        await self._stream.close()


class _DatagramReceiver(asyncio.DatagramProtocol):
    """Hands datagrams to an exchange until one completes the answer.

    Attributes:
        answer: the answer, or the socket's failure.
        beginning: done once an answer has begun that may be cut.
    """

    def __init__(self, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        self._exchange = exchange
        self.answer: asyncio.Future[Message] = loop.create_future()
        self.beginning: asyncio.Future[None] = loop.create_future()

    def datagram_received(self, data: bytes, _address: Address) -> None:
        """Take a datagram. The socket is connected: it comes from the address that was asked."""
        if self.answer.done():
            return
        message = self._exchange.accept_datagram(data, time.time())
        if message is not None:
            self.answer.set_result(message)
        elif self._exchange.is_partial and not self.beginning.done():
            self.beginning.set_result(None)

    def error_received(self, exc: Exception) -> None:
        """Take the network's word that nobody listens there."""
        if not self.answer.done():
            self.answer.set_exception(exc)

    async def wait(self, seconds: float) -> Message | None:
        """Return the answer, or None when it does not come within `seconds`, or not whole."""
        news: set[asyncio.Future[Message] | asyncio.Future[None]] = {self.answer, self.beginning}
        await asyncio.wait(news, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self.beginning.done() and not self.answer.done():
            await asyncio.wait({self.answer}, timeout=PARTIAL_WAIT_SECONDS)
        return self.answer.result() if self.answer.done() else None


async def _ask(server: Address, exchange: Exchange) -> Message | None:
    loop = asyncio.get_running_loop()
    transport, receiver = await loop.create_datagram_endpoint(lambda: _DatagramReceiver(exchange), remote_addr=server)
    try:
        while (this_try := exchange.next_try()) is not None:
            answer = await _try_once(transport, receiver, this_try)
            if answer is not None:
                return answer
        return None
    finally:
        receiver.answer.cancel()
        transport.abort()


async def _try_once(transport: asyncio.DatagramTransport, receiver: _DatagramReceiver, this_try: Try) -> Message | None:
    for datagram in this_try.datagrams:
        transport.sendto(datagram)
    return await receiver.wait(this_try.wait_seconds)
