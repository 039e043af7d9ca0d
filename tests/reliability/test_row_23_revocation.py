"""Row 23: a revoked grant and a rotated key are worth nothing on any worker within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.predefined.vlist import AdministratorGroup, encode_group
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, ValueReference
from tests.reliability.claimant import (
    Wish,
    answer_to_challenge,
    ask_as,
    challenge_for,
    exchange,
    listing,
    log_in,
    modification,
    reading,
    removal,
    stream,
    streams,
)
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, SecretKey, admin_value
from tests.reliability.fleet import CLIENTS
from tests.reliability.octets_client import Stream
from tests.reliability.session_client import ClientSession, open_session
from tests.started_node import StartedNode

SOURCE = "127.23.2.1"
STOPPED_SECONDS_MAX = 1.0
SECRET = 6
"""The index of a product's confidential value."""

OWNER = Enterprise.of("88.118.231")


@dataclass(frozen=True)
class Grant:
    """Something that somebody may do because of one value, and what takes it away."""

    use: Wish
    revocation: Wish


DELEGATE = SecretKey(ValueReference(391, OWNER.prefix.handle.spelling), "受托人".encode())
GROUP = ValueReference(200, OWNER.prefix.handle.spelling)
BY_RECORD, BY_GROUP = OWNER.handle("授权-记录"), OWNER.handle("授权-组")

REVOCATIONS = {
    "of a record": Grant(reading(BY_RECORD, SECRET), removal(BY_RECORD, 99)),
    "through a group": Grant(
        reading(BY_GROUP, SECRET),
        modification(OWNER.prefix.handle, HandleValue(200, "HS_VLIST", encode_group(AdministratorGroup(())))),
    ),
    "of the prefix": Grant(listing(OWNER.prefix), removal(OWNER.prefix.handle, 99)),
}


async def settle_delegate(node: StartedNode) -> None:
    """Give DELEGATE every right, by a record, a group and the prefix."""
    group = HandleValue(200, "HS_VLIST", encode_group(AdministratorGroup((DELEGATE.identity,))))
    rights = (admin_value(99, DELEGATE.identity), group, DELEGATE.value())
    await settle(
        node,
        OWNER,
        OWNER.description(*rights),
        HandleRecord.of(BY_RECORD, OWNER.product_values("授权", (admin_value(99, DELEGATE.identity),))),
        HandleRecord.of(BY_GROUP, OWNER.product_values("授权", (admin_value(99, GROUP),))),
    )


async def seconds_until(answers: AsyncIterator[set[int]], wanted: set[int]) -> float:
    """Look at round after round until all answers are as wanted; return how long that took."""
    began_at = time.monotonic()
    async with asyncio.timeout(STOPPED_SECONDS_MAX + 10):
        async for codes in answers:
            if codes == wanted:
                break
    return time.monotonic() - began_at


async def rounds(connections: Sequence[Stream], wish: Wish) -> AsyncIterator[set[int]]:
    """Ask through all connections at once, again and again."""
    while True:
        answers = await asyncio.gather(*(exchange(each, wish.message()) for each in connections))
        yield {answer.response_code for answer in answers}


@pytest.mark.parametrize("name", REVOCATIONS)
async def test_a_revoked_grant_stops_on_every_worker_within_a_second(node: StartedNode, name: str) -> None:
    grant = REVOCATIONS[name]
    await settle_delegate(node)
    async with streams(node, CLIENTS, SOURCE) as connections, stream(node, SOURCE) as owners:
        for each in connections:
            assert (await log_in(each, DELEGATE)).response_code == ResponseCode.SUCCESS
        assert await anext(rounds(connections, grant.use)) == {ResponseCode.SUCCESS}
        revoked = await ask_as(owners, grant.revocation, OWNER.secret)
        assert revoked.response_code == ResponseCode.SUCCESS
        refused = {ResponseCode.INVALID_ADMIN}
        assert await seconds_until(rounds(connections, grant.use), refused) <= STOPPED_SECONDS_MAX
        for _ in range(5):
            assert await anext(rounds(connections, grant.use)) == refused


async def test_a_rotated_key_stops_on_every_worker_within_a_second(node: StartedNode) -> None:
    """Logins and sessions that it opened end with it, and it opens no others; the new key does."""
    await settle_delegate(node)
    use, rotated = reading(BY_RECORD, SECRET), replace(DELEGATE, secret="受托人-新".encode())
    async with (
        streams(node, CLIENTS, SOURCE) as logged_in,
        streams(node, CLIENTS, "127.23.1.1") as in_sessions,
        stream(node, SOURCE) as owners,
    ):
        for each in logged_in:
            assert (await log_in(each, DELEGATE)).response_code == ResponseCode.SUCCESS
        sessions = [await open_session(each) for each in in_sessions]
        for each, session in zip(in_sessions, sessions, strict=True):
            assert (await session.ask_as(each, use, DELEGATE)).response_code == ResponseCode.SUCCESS
        done = await ask_as(owners, modification(OWNER.prefix.handle, rotated.value()), OWNER.secret)
        assert done.response_code == ResponseCode.SUCCESS
        rotated_at = time.monotonic()
        refused = {ResponseCode.AUTHENTICATION_ERROR}
        await seconds_until(rounds(logged_in, use), refused)
        await seconds_until(session_rounds(in_sessions, sessions, use), refused)
        assert time.monotonic() - rotated_at <= STOPPED_SECONDS_MAX
    await assert_only_the_new_key_is_good(node, use, rotated)


async def session_rounds(
    connections: Sequence[Stream], sessions: Sequence[ClientSession], wish: Wish
) -> AsyncIterator[set[int]]:
    """Ask in all sessions at once, again and again."""
    while True:
        asked = (exchange(each, session.message(wish)) for each, session in zip(connections, sessions, strict=True))
        yield {answer.response_code for answer in await asyncio.gather(*asked)}


async def assert_only_the_new_key_is_good(node: StartedNode, use: Wish, rotated: SecretKey) -> None:
    for number in range(CLIENTS):
        # Each from a network of its own: who is wrong ten times would not be listened to.
        async with stream(node, f"127.123.{number}.1") as connection:
            challenge = await challenge_for(connection, use)
            old = await exchange(connection, answer_to_challenge(challenge, DELEGATE.answer(challenge)))
            assert old.response_code == ResponseCode.AUTHENTICATION_FAILED
            assert (await ask_as(connection, use, rotated)).response_code == ResponseCode.SUCCESS
