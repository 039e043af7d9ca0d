"""Row 28: the time of a refusal does not tell whether there is such an identity: medians for somebody and for nobody
are within three times each other and 30 ms, in messages and in the REST API, whatever it costs to look at a proof."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from statistics import median

import pytest
import pytest_asyncio

from handle_protocol import octets
from handle_protocol.bodies.challenge import ChallengeAnswer, VerifyChallengeRequest, VerifyChallengeResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.value import ValueReference
from tests.conformance.rest_speaking import WebQuestion
from tests.reliability.claimant import (
    Wish,
    answer_to_challenge,
    ask_as,
    challenge_for,
    exchange,
    log_in,
    reading,
    stream,
)
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, PrivateKey, SecretKey, admin_value
from tests.reliability.scale import IS_LONG
from tests.reliability.web_client import ask_web
from tests.started_node import StartedNode

TIMES_LONGER_MAX, SECONDS_LONGER_MAX = 3.0, 0.030
SAMPLES = 51 if IS_LONG else 7
CODE_OCTETS = 20
COSTLY = octets.counted(b"s" * 16) + octets.u32s((100_000, 320)) + octets.counted(bytes(CODE_OCTETS))

OWNER, OTHER = Enterprise.of("88.118.28"), Enterprise.of("88.118.280")
HOME = OWNER.prefix.handle.spelling
KEYS = [SecretKey(ValueReference(index, HOME), f"口令-{index}".encode()) for index in range(310, 316)]

REAL, ANY = OWNER.secret.identity, ValueReference(0, HOME)
NOBODIES = {
    "no such index": ValueReference(999, HOME),
    "no such prefix below": ValueReference(301, f"{HOME}.404"),
    "no such handle": ValueReference(301, f"{OWNER.prefix}/没有"),
    "no key there": ValueReference(1, f"{OWNER.prefix}/水泵"),
    "any key of nobody": ValueReference(0, f"{OWNER.prefix}/没有"),
}
WISH = reading(OWNER.handle("水泵"), 6)

Way = Callable[[StartedNode, ValueReference, str], Awaitable[int]]
"""Presents a wrong proof of an identity from an address; returns what is said."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def settled(node: StartedNode) -> None:
    """An enterprise with several keys; its product names them and the nobodies administrators: all are looked at."""
    keys = [key.value() for key in KEYS]
    named = [admin_value(200 + number, each) for number, each in enumerate((ANY, *NOBODIES.values()))]
    await settle(node, OWNER, OWNER.description(*keys), OWNER.product("水泵", *named))


async def by_code(node: StartedNode, identity: ValueReference, source: str) -> int:
    async with stream(node, source) as mine:
        return (await ask_as(mine, WISH, SecretKey(identity, "猜的".encode()))).response_code


async def by_costly_code(node: StartedNode, identity: ValueReference, source: str) -> int:
    async with stream(node, source) as mine:
        challenge = await challenge_for(mine, WISH)
        answer = ChallengeAnswer("HS_SECKEY", identity, b"\x22" + COSTLY)
        return (await exchange(mine, answer_to_challenge(challenge, answer))).response_code


async def by_signature(node: StartedNode, identity: ValueReference, source: str) -> int:
    async with stream(node, source) as mine:
        return (await ask_as(mine, WISH, PrivateKey(identity, OTHER.signing.key))).response_code


async def by_login(node: StartedNode, identity: ValueReference, source: str) -> int:
    async with stream(node, source) as mine:
        return (await log_in(mine, SecretKey(identity, "猜的".encode()))).response_code


async def by_verification(node: StartedNode, identity: ValueReference, source: str) -> int:
    async with stream(node, source) as mine:
        asked = VerifyChallengeRequest(identity, b"n" * 16, b"d" * 32, b"\x22" + COSTLY)
        answer = await exchange(mine, Wish(OpCode.VERIFY_CHALLENGE, asked).message())
        if isinstance(answer.body, VerifyChallengeResponse):
            assert not answer.body.is_valid
        return 0


async def by_password(node: StartedNode, identity: ValueReference, source: str) -> int:
    question = WebQuestion("GET", f"/api/handles/{OWNER.prefix}/x?publicOnly=false")
    reply = await ask_web(node, question, SecretKey(identity, "猜的".encode()), source)
    assert reply.said is None
    return reply.status


REAL_FOR: dict[Way, ValueReference] = {by_signature: OWNER.signing.identity}
REFUSALS = {ResponseCode.AUTHENTICATION_FAILED, ResponseCode.AUTHENTICATION_ERROR}
"""The reference's codes for who is wrong and who is nobody: in messages, these tell."""

SAID: dict[Way, set[int]] = {
    by_code: REFUSALS,
    by_costly_code: REFUSALS,
    by_signature: REFUSALS,
    by_login: REFUSALS,
    by_verification: {0},
    by_password: {401},
}
WAYS = tuple(SAID)


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
async def test_the_time_of_a_refusal_does_not_tell_whether_there_is_such_an_identity(
    node: StartedNode, way: Way
) -> None:
    identities = {"somebody": REAL_FOR.get(way, REAL), **NOBODIES}
    seconds: dict[str, list[float]] = {name: [] for name in identities}
    said: set[int] = set()
    for number in range(SAMPLES):
        # Each from a network of its own: who is wrong ten times would not be listened to.
        source = f"127.{128 + WAYS.index(way)}.{number}.1"
        for name, identity in identities.items():
            began_at = time.monotonic()
            said.add(await way(node, identity, source))
            seconds[name].append(time.monotonic() - began_at)
    assert said <= SAID[way]
    assert_alike({name: median(each) for name, each in seconds.items()})


async def test_nor_how_many_keys_somebody_has(node: StartedNode) -> None:
    identities = {"one": REAL, "all of them": ANY, "nobody": NOBODIES["any key of nobody"]}
    seconds: dict[str, list[float]] = {name: [] for name in identities}
    for number in range(SAMPLES):
        for name, identity in identities.items():
            began_at = time.monotonic()
            await by_costly_code(node, identity, f"127.140.{number}.1")
            seconds[name].append(time.monotonic() - began_at)
    assert_alike({name: median(each) for name, each in seconds.items()})


async def test_a_refused_password_is_as_late_however_long_it_is(node: StartedNode) -> None:
    passwords = {
        "empty": b"",
        "short": b"a",
        "as long": b"x" * len(OWNER.secret.secret),
        "right but for its end": OWNER.secret.secret[:-1] + b"!",
    }
    seconds: dict[str, list[float]] = {name: [] for name in passwords}
    for number in range(SAMPLES):
        for name, password in passwords.items():
            began_at = time.monotonic()
            question = WebQuestion("GET", f"/api/handles/{OWNER.prefix}/x?publicOnly=false")
            reply = await ask_web(node, question, SecretKey(REAL, password), f"127.141.{number}.1")
            seconds[name].append(time.monotonic() - began_at)
            assert reply.status == 401
    assert_alike({name: median(each) for name, each in seconds.items()})


def assert_alike(medians: dict[str, float]) -> None:
    """Check that the longest is no more than three times the shortest and 30 ms."""
    assert max(medians.values()) <= TIMES_LONGER_MAX * min(medians.values()) + SECONDS_LONGER_MAX, medians
