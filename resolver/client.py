"""Asking a node: one question, or everything that the Handle protocol offers.

No answer in time leaves as TimeoutError, no connection as ConnectionError (both OSError), an answer that makes no
sense as ProtocolError. Everything a server says, "not found" included, is a Reply.

    async with connect(("127.0.0.1", 2641), identity=Identity(reference, key)) as node:
        reply = await node.create(record, overwrite=True)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from resolver.asking.datagrams import DatagramWire, EitherWire
from resolver.asking.identity import Identity
from resolver.asking.node import Node
from resolver.asking.reply import Address, Protocol, Reply
from resolver.asking.streams import StreamWire
from resolver.asking.tunnel import TunnelWire
from resolver.asking.web import resolve_over_http
from resolver.asking.wires import TIMEOUT_SECONDS_DEFAULT, Wire
from resolver.query import Query

__all__ = ("Address", "Identity", "Node", "Protocol", "Reply", "connect", "resolve")


@asynccontextmanager
async def connect(
    server: Address,
    *,
    identity: Identity | None = None,
    protocol: Protocol = "tcp",
    timeout_seconds: float = TIMEOUT_SECONDS_DEFAULT,
) -> AsyncIterator[Node]:
    """Give a node to ask; what is opened, when first needed, is closed afterwards.

    Args:
        server: host and port; for http, which tunnels messages, the port of its web interface.
        identity: who asks, and answers challenges.
        protocol: how; lists, logins and sessions go over TCP in any case but http.
        timeout_seconds: for each message of an answer.
    """
    stream = StreamWire(server)
    wires: dict[Protocol, Wire] = {
        "tcp": stream,
        "udp": DatagramWire(server),
        "auto": EitherWire(DatagramWire(server), stream),
        "http": TunnelWire(server),
    }
    node = Node(wires[protocol], wires["http"] if protocol == "http" else stream, identity, timeout_seconds)
    try:
        yield node
    finally:
        await node.close()


async def resolve(
    server: Address,
    query: Query,
    *,
    protocol: Protocol = "auto",
    timeout_seconds: float = TIMEOUT_SECONDS_DEFAULT,
) -> Reply:
    """Ask `server` and return what it says.

    Args:
        server: host and port; for http the port of its web interface, which is asked for JSON.
        query: what to ask.
        protocol: how.
        timeout_seconds: for everything together.

    Raises:
        TimeoutError: no answer came in time.
        OSError: the server cannot be reached, or closed the connection without an answer.
        ProtocolError: what came back over TCP or HTTP is no answer.
    """
    async with asyncio.timeout(timeout_seconds):
        if protocol == "http":
            return await resolve_over_http(server, query)
        async with connect(server, protocol=protocol, timeout_seconds=timeout_seconds) as node:
            return await node.resolve(query)
