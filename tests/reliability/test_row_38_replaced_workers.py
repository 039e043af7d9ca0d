"""Row 38 for administration: what a worker keeps that took over from another is found through all others."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from tests.builders import text_value
from tests.conformance.rest_speaking import Web, ask_by_challenge, web_question
from tests.conformance.speaking import Prover
from tests.reliability.claimant import ask_as, creation, log_in, reading, streams
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise
from tests.reliability.fleet import CLIENTS
from tests.reliability.session_client import open_session
from tests.started_node import LOOPBACK, StartedNode, until

REPLACED_SECONDS = 30.0


def kill_one(node: StartedNode) -> None:
    os.kill(node.workers[0], signal.SIGKILL)


def reload(node: StartedNode) -> None:
    node.process.send_signal(signal.SIGHUP)


async def replace(node: StartedNode, harm: Callable[[StartedNode], None], count: int) -> None:
    """Let that many workers be replaced."""
    before = set(node.workers)
    harm(node)
    await until(lambda: node.is_ready() and len(set(node.workers) - before) == count, REPLACED_SECONDS)
    await until(lambda: len(node.workers) == node.workers_count, REPLACED_SECONDS)


@pytest.mark.timeout(150)
async def test_everybody_administers_through_every_worker_that_replaced_another(fragile: StartedNode) -> None:
    enterprise = await settle(fragile, Enterprise.of("88.118.39"))
    for round_number, (harm, count) in enumerate(((kill_one, 1), (reload, 2), (kill_one, 1), (reload, 2))):
        await replace(fragile, harm, count)
        assert await outcomes_everywhere(fragile, enterprise, round_number) == {ResponseCode.SUCCESS}


async def outcomes_everywhere(node: StartedNode, enterprise: Enterprise, round_number: int) -> set[int]:
    """Create, read in a session and log in through each of so many connections that they reach every worker."""
    codes = set()
    async with streams(node, CLIENTS) as connections:
        session = await open_session(connections[0])
        for number, connection in enumerate(connections):
            handle = enterprise.handle(f"{round_number}-{number}")
            made = await ask_as(connection, creation(handle, text_value(1, "URL", "https://例.cn")), enterprise.secret)
            read = await session.ask_as(connection, reading(enterprise.handle("水泵"), 6), enterprise.secret)
            logged_in = await log_in(connection, enterprise.signing)
            codes |= {made.response_code, read.response_code, logged_in.response_code}
    web = Web((LOOPBACK, node.http_port))
    read = web_question(ResolutionRequest(enterprise.handle("水泵"), (6,)), OpCode.RESOLUTION, 0)
    prover = Prover(enterprise.secret.identity, enterprise.secret.secret)
    for _ in range(CLIENTS // 2):  # Each of the two requests has a connection, and thus a worker, of its own.
        challenge = await asyncio.to_thread(web.ask, read)
        codes.add((await asyncio.to_thread(ask_by_challenge, web, read, prover, challenge)).code)
    return codes
