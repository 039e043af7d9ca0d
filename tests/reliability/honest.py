"""Honest clients: what they ask while something bad happens, and how well they are served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, cycle

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from resolver.client import Protocol, Reply, resolve
from resolver.query import Query
from tests.builders import text_value
from tests.started_node import StartedNode

PATIENCE_SECONDS = 5.0
"""How long a client waits; over UDP it asks three times meanwhile."""

PAUSE_SECONDS = 0.005


def product(number: int, name: str = "锂电冲击扳手") -> HandleRecord:
    """Return a record of the register."""
    handle = Handle(f"88.118.8/冲击扳手-{number:03d}")
    return HandleRecord.of(
        handle, (text_value(1, "URL", f"https://tools.example.cn/{number}"), text_value(2000, "名称", name))
    )


RECORDS = tuple(map(product, range(200)))


def is_same(one: HandleRecord, other: HandleRecord) -> bool:
    """Tell whether two records say the same, stamps apart."""
    return [(value.index, value.value_type, value.data) for value in one.values] == [
        (value.index, value.value_type, value.data) for value in other.values
    ]


async def ask(
    node: StartedNode, handle: Handle, protocol: Protocol = "udp", seconds: float = PATIENCE_SECONDS, **query: bool
) -> Reply:
    """Ask a node for a handle."""
    server = ("127.0.0.1", node.http_port) if protocol == "http" else node.address
    return await resolve(server, Query(handle, **query), protocol=protocol, timeout_seconds=seconds)


@dataclass
class Traffic:
    """What honest clients met.

    Attributes:
        seconds: how long each right answer took.
        failures: what the others got instead, and over which protocol.
    """

    seconds: list[float] = field(default_factory=list)
    failures: list[tuple[Protocol, str]] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """How many questions came to an end."""
        return len(self.seconds) + len(self.failures)

    @property
    def share(self) -> float:
        """Which part of them was answered rightly."""
        return len(self.seconds) / self.asked

    def percentile(self, part: float) -> float:
        """Return how long the slowest of that part of the right answers took."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)]

    def __str__(self) -> str:
        """Say it for the report of a failed test."""
        return f"{self.asked} asked, {self.share:.2%} right, p99 {self.percentile(0.99):.3f} s, {self.failures[:5]}"


@asynccontextmanager
async def honest_traffic(node: StartedNode, *protocols: Protocol, clients: int = 4) -> AsyncIterator[Traffic]:
    """Let clients ask for known records, one question after the other, until the block is left."""
    traffic = Traffic()
    is_over = asyncio.Event()
    numbers = count()

    async def client(protocol: Protocol) -> None:
        while not is_over.is_set():
            record = RECORDS[next(numbers) % len(RECORDS)]
            began_at = time.monotonic()
            try:
                reply = await ask(node, record.handle, protocol)
            except (OSError, ProtocolError) as error:
                traffic.failures.append((protocol, repr(error)))
            else:
                if reply.response_code == ResponseCode.SUCCESS and is_same(reply.record, record):
                    traffic.seconds.append(time.monotonic() - began_at)
                else:
                    traffic.failures.append((protocol, f"{reply.response_code} {reply.record}"))
            await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        for protocol, _ in zip(cycle(protocols or ("udp", "tcp", "http")), range(clients), strict=False):
            tasks.create_task(client(protocol))
        try:
            yield traffic
        finally:
            is_over.set()
