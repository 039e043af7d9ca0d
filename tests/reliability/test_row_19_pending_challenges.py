"""Row 19: 30,000 challenges that nobody answers cost the node 64 MB at most, however long the requests are; meanwhile
and afterwards an owner still authenticates. No challenge waits longer than a minute, and open sessions are bounded."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.message import Message, decode_message, encode_message
from node.settings import CHALLENGE_SECONDS_MAX, Settings, description
from tests.builders import text_value
from tests.reliability.claimant import (
    answer_to_challenge,
    ask_as,
    challenge_for,
    creation,
    exchange,
    exchange_datagrams,
    reading,
    stream,
    streams,
)
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise
from tests.reliability.octets_client import Datagrams, datagrams
from tests.reliability.process_facts import MEBIBYTE, Facts
from tests.reliability.scale import IS_LONG
from tests.reliability.session_client import ClientSession, open_session
from tests.started_node import StartedNode, until

UNANSWERED = 30_000
UNANSWERED_AGAIN = UNANSWERED if IS_LONG else 3_000
ATTACKERS_BY_DATAGRAM = 20
ATTACKERS_BY_STREAM = 10
"""Each in a network of its own."""

AT_ONCE = 50
LOST_SECONDS = 0.5
METRICS_SECONDS = 5.0

GROWTH_OCTETS_MAX = 64 * MEBIBYTE
GROWTH_AGAIN_OCTETS_MAX = 8 * MEBIBYTE
ASKED_MIN = 20
TRIES = 3

LONG_VALUE_CHARACTERS = 66_000
LONG_UNANSWERED = 3_000 if IS_LONG else 500
"""Requests of 200 kB: many times what all tables together may hold, and on each connection fifty at once."""

OWNER = "127.0.19.1"
NETWORKS_OF_SESSIONS = 4
SESSIONS_EACH = 30
SMALL = {"IDNODE_CHALLENGE_SECONDS": "1", "IDNODE_SESSIONS_MAX": "20", "IDNODE_CHALLENGES_MAX": "50"}
ids = count(1)


def usual(enterprise: Enterprise) -> bytes:
    """Return a request that is challenged, in one datagram."""
    return encode_message(
        creation(enterprise.handle("无人应答"), text_value(1, "URL", "https://example.cn/")).message()
    )


def long(enterprise: Enterprise) -> bytes:
    """Return a request that is challenged, nearly as long as one may be."""
    value = text_value(1, "说明", "长" * LONG_VALUE_CHARACTERS)
    return encode_message(creation(enterprise.handle("无人应答"), value).message())


def numbered(request: bytes) -> bytes:
    """Return the same request with an id of its own."""
    return request[:8] + next(ids).to_bytes(4, "big") + request[12:]


async def flood_by_datagram(node: StartedNode, source: str, request: bytes, unanswered: int) -> None:
    """Have challenges issued, and answer none."""
    challenged = 0
    with datagrams(node.address, source) as client:
        while challenged < unanswered:
            for _ in range(AT_ONCE):
                client.send(numbered(request))
            challenged += await count_challenges(client, AT_ONCE)


async def count_challenges(client: Datagrams, expected: int) -> int:
    """Return how many of the challenges came; datagrams may get lost."""
    for received in range(expected):
        try:
            answer = decode_message(await client.receive(LOST_SECONDS))
        except TimeoutError:
            return received
        assert answer.response_code == ResponseCode.AUTHENTICATION_NEEDED, answer
    return expected


async def flood_by_stream(node: StartedNode, source: str, request: bytes, unanswered: int, at_once: int) -> None:
    """Have challenges issued, and answer none."""
    async with stream(node, source) as mine:
        for _ in range(0, unanswered, at_once):
            await mine.send(b"".join(numbered(request) for _ in range(at_once)))
            for _ in range(at_once):
                answer = await mine.receive(30)
                assert answer.response_code == ResponseCode.AUTHENTICATION_NEEDED, answer


async def flood(node: StartedNode, request: bytes, unanswered: int) -> None:
    """Leave challenges unanswered, over UDP and TCP."""
    each = unanswered // (ATTACKERS_BY_DATAGRAM + ATTACKERS_BY_STREAM)
    async with asyncio.TaskGroup() as tasks:
        for number in range(ATTACKERS_BY_DATAGRAM):
            tasks.create_task(flood_by_datagram(node, f"127.19.{number}.1", request, each))
        for number in range(ATTACKERS_BY_STREAM):
            tasks.create_task(flood_by_stream(node, f"127.19.{100 + number}.1", request, each, AT_ONCE))


async def flood_with_long_requests(node: StartedNode, request: bytes) -> None:
    """Leave challenges of long requests unanswered, which come over TCP alone."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(ATTACKERS_BY_STREAM):
            each = LONG_UNANSWERED // ATTACKERS_BY_STREAM
            tasks.create_task(flood_by_stream(node, f"127.19.{100 + number}.1", request, each, AT_ONCE))


async def exchange_with_patience(client: Datagrams, message: Message) -> Message:
    """Return the answer to a message that is sent again while none comes, as clients do."""
    for _ in range(TRIES - 1):
        try:
            return await exchange_datagrams(client, message, 1.0)
        except TimeoutError:
            continue
    return await exchange_datagrams(client, message)


async def read_over_udp(node: StartedNode, enterprise: Enterprise) -> int:
    """Read what only its owner may read, and return the response code."""
    with datagrams(node.address, OWNER) as client:
        challenge = await exchange_with_patience(client, reading(enterprise.handle("水泵"), 6).message())
        answer = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
        return (await exchange_with_patience(client, answer)).response_code


async def read_over_tcp(node: StartedNode, enterprise: Enterprise) -> int:
    """Do the same on a connection of its own."""
    async with stream(node, OWNER) as mine:
        return (await ask_as(mine, reading(enterprise.handle("水泵"), 6), enterprise.secret)).response_code


@asynccontextmanager
async def owner_at_work(node: StartedNode, enterprise: Enterprise) -> AsyncIterator[Counter[int]]:
    """Let an owner prove who it is, one time after the other, until the block is left; count the response codes."""
    codes: Counter[int] = Counter()
    is_over = asyncio.Event()

    async def work() -> None:
        while not is_over.is_set():
            codes[await read_over_tcp(node, enterprise)] += 1
            codes[await read_over_udp(node, enterprise)] += 1

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work())
        try:
            yield codes
        finally:
            is_over.set()


async def test_what_nobody_answers_costs_bounded_memory_and_an_owner_nothing(
    node: StartedNode, enterprise: Enterprise
) -> None:
    before = await facts_of_a_node_at_work(node, enterprise)
    async with owner_at_work(node, enterprise) as codes:
        await flood(node, usual(enterprise), UNANSWERED)
        grown_octets = before.grown_octets()
        await flood(node, usual(enterprise), UNANSWERED_AGAIN)
        grown_again_octets = before.grown_octets()
        await until(lambda: codes.total() >= ASKED_MIN, 60)
    assert grown_octets <= GROWTH_OCTETS_MAX
    assert grown_again_octets <= grown_octets + GROWTH_AGAIN_OCTETS_MAX
    assert codes == {ResponseCode.SUCCESS: codes.total()}
    assert await read_over_tcp(node, enterprise) == await read_over_udp(node, enterprise) == ResponseCode.SUCCESS
    assert node.workers == before.workers


async def test_long_requests_that_are_challenged_cost_no_more(node: StartedNode, enterprise: Enterprise) -> None:
    before = await facts_of_a_node_at_work(node, enterprise)
    async with owner_at_work(node, enterprise) as codes:
        await flood_with_long_requests(node, long(enterprise))
        grown_octets = before.grown_octets()
        await until(lambda: codes.total() >= ASKED_MIN, 60)
    assert grown_octets <= GROWTH_OCTETS_MAX
    assert codes == {ResponseCode.SUCCESS: codes.total()}
    assert node.workers == before.workers


async def facts_of_a_node_at_work(node: StartedNode, enterprise: Enterprise) -> Facts:
    """Look at the workers after they have done a little of what they will do."""
    async with owner_at_work(node, enterprise) as codes:
        await until(lambda: codes.total() >= ASKED_MIN, 60)
    return Facts.of(node)


async def test_a_challenge_of_a_patient_owner_outlives_a_flood_from_one_network(
    node: StartedNode, enterprise: Enterprise
) -> None:
    async with stream(node, OWNER) as mine:
        challenge = await challenge_for(mine, reading(enterprise.handle("水泵"), 6))
        answer = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, 11):
                attack = flood_by_stream(node, f"127.19.200.{number}", long(enterprise), 20, 1)
                tasks.create_task(attack)
        assert (await exchange(mine, answer)).response_code == ResponseCode.SUCCESS


def test_no_challenge_waits_longer_than_a_minute() -> None:
    assert Settings().challenge_seconds <= CHALLENGE_SECONDS_MAX == 60
    assert description("challenge_seconds").kind.read("60") == 60
    with pytest.raises(ValueError, match=r"^$"):
        description("challenge_seconds").kind.read("60.001")


@pytest_asyncio.fixture(scope="module")
async def small(server_data_dir: Path) -> AsyncIterator[StartedNode]:
    """A node that keeps little, and not for long."""
    with StartedNode.run(server_data_dir / "small", SMALL) as node:
        yield node
        assert "Traceback" not in node.printed()


@pytest_asyncio.fixture(scope="module")
async def tenant(small: StartedNode) -> Enterprise:
    return await settle(small, Enterprise.of("88.118.19"))


async def test_a_challenge_that_is_answered_too_late_is_gone(small: StartedNode, tenant: Enterprise) -> None:
    async with stream(small, OWNER) as mine:
        challenge = await challenge_for(mine, reading(tenant.handle("水泵"), 6))
        answer = answer_to_challenge(challenge, tenant.secret.answer(challenge))
        await asyncio.sleep(1.2)
        assert (await exchange(mine, answer)).response_code == ResponseCode.AUTHENTICATION_TIMEOUT
        assert (await ask_as(mine, reading(tenant.handle("水泵"), 6), tenant.secret)).response_code == 1


async def test_sessions_that_are_set_up_and_left_are_bounded_and_displace_one_another(
    small: StartedNode, tenant: Enterprise
) -> None:
    async with stream(small, OWNER) as mine:
        session = await open_session(mine)
        for number in range(NETWORKS_OF_SESSIONS):
            async with streams(small, SESSIONS_EACH, f"127.19.{number}.1") as attacking:
                left = [await open_session(each) for each in attacking]
        await until(lambda: small.metric("idnode_session_records") == 40, METRICS_SECONDS)
        assert await code_in_session(small, left[0], "127.19.3.1", tenant) == ResponseCode.SESSION_TIMEOUT
        read = await session.ask_as(mine, reading(tenant.handle("水泵"), 6), tenant.secret)
        assert read.response_code == ResponseCode.SUCCESS


async def code_in_session(node: StartedNode, session: ClientSession, source: str, enterprise: Enterprise) -> int:
    """Return what a session of an attacker is still good for."""
    async with stream(node, source) as again:
        return (await exchange(again, session.message(reading(enterprise.handle("水泵"))))).response_code
