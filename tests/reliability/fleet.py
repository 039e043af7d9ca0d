"""Clients that together reach every worker: the kernel gives each of their sockets to one worker for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from handle_protocol.message import Message
from tests.builders import question
from tests.reliability.octets_client import Stream, connect
from tests.started_node import StartedNode

CLIENTS = 24
"""That all of them belong to one of two workers happens once in eight million runs."""


class Fleet:
    """Open TCP connections, at least one to each worker."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = streams

    async def ask(self, spelling: str, **fields: object) -> list[Message]:
        """Ask through all of them at once."""
        octets = question(spelling, **fields)
        return await asyncio.gather(*(_ask(stream, octets) for stream in self._streams))

    async def wait_until(self, spelling: str, is_right: Callable[[Message], bool], seconds: float) -> None:
        """Ask until every answer is right."""
        async with asyncio.timeout(seconds):
            while not all(map(is_right, await self.ask(spelling))):
                pass


async def _ask(stream: Stream, octets: bytes) -> Message:
    await stream.send(octets)
    return await stream.receive()


@asynccontextmanager
async def fleet(node: StartedNode) -> AsyncIterator[Fleet]:
    """Open the connections."""
    streams = [await connect(node.address) for _ in range(CLIENTS)]
    try:
        yield Fleet(streams)
    finally:
        for stream in streams:
            stream.socket.close()
