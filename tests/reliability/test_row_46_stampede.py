"""Row 46: when many ask for one name that nobody remembers, each worker asks Postgres once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack

import asyncpg
import pytest_asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.message import Message, decode_message
from tests.builders import question
from tests.reliability.octets_client import Datagrams, datagrams
from tests.started_node import StartedNode

ASKERS = 500
ANSWERED_SECONDS_MAX = 2.0
"""For the last of all askers, in one round of three."""

WAIT_SECONDS = 3.0
NAME = "88.118.8/人人都问-{}"


@pytest_asyncio.fixture
async def statements(node: StartedNode) -> AsyncIterator[asyncpg.Connection]:
    """Postgres writes every statement into its log, with the keys it asks for."""
    connection = await asyncpg.connect(node.database_url, timeout=10)
    for change in ("SET log_statement = 'all'", "SET log_parameter_max_length = -1"):
        await connection.execute(f"ALTER SYSTEM {change}")
    await connection.execute("SELECT pg_reload_conf()")
    yield connection
    await connection.execute("ALTER SYSTEM RESET ALL")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


async def test_five_hundred_askers_cost_one_query_for_each_worker(
    node: StartedNode, statements: asyncpg.Connection
) -> None:
    await log_holds(node, statements, "logging has begun")
    slowest = []
    for round_number in range(3):
        name = NAME.format(round_number)
        slowest.append(await stampede(node, name))
        log = await log_holds(node, statements, f"round {round_number} is over")
        # Each query for records logs its parameters in one line, as the hexadecimal form of bytea.
        assert 1 <= log.count(name.encode().hex()) <= len(node.workers)
    assert min(slowest) <= ANSWERED_SECONDS_MAX


async def log_holds(node: StartedNode, statements: asyncpg.Connection, words: str) -> str:
    """Say something until it stands in the log, and return the log: what happened before stands there too."""
    log = node.data_dir / "log" / "postgres.log"
    async with asyncio.timeout(20):
        while words not in log.read_text(errors="replace"):
            await statements.execute(f"SELECT '{words}'")
            await asyncio.sleep(0.05)
    return log.read_text(errors="replace")


async def stampede(node: StartedNode, name: str) -> float:
    """Let everybody ask at once; return after how many seconds the last one had the answer."""
    with ExitStack() as held:
        clients = [held.enter_context(datagrams(node.address)) for _ in range(ASKERS)]
        began_at = time.monotonic()
        octets = [question(name, request_id) for request_id in range(ASKERS)]
        for client, request in zip(clients, octets, strict=True):
            client.send(request)
        answers = await asyncio.gather(*map(answer_to, clients, octets))
        seconds = time.monotonic() - began_at
    for request_id, answer in enumerate(answers):
        assert answer.request_id == request_id
        assert answer.response_code == ResponseCode.HANDLE_NOT_FOUND
    return seconds


async def answer_to(client: Datagrams, request: bytes) -> Message:
    """Return the answer to a question that was sent; ask again as every client does, since a datagram may be lost."""
    try:
        return decode_message(await client.receive(WAIT_SECONDS))
    except TimeoutError:
        client.send(request)
        return decode_message(await client.receive(WAIT_SECONDS))
