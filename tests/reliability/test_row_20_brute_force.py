"""Row 20: after ten wrong proofs in a minute for one key, its network is answered 406 after a second, whichever worker
or door it tries, and 429 in the REST API; the owner is served everywhere else, and every ten leave a line."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from handle_protocol.bodies.challenge import VerifyChallengeRequest, VerifyChallengeResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.handle import Handle
from handle_protocol.message import Message, encode_message
from handle_protocol.security.secret_proofs import make_secret_proof
from handle_protocol.value import ValueReference
from tests.conformance.rest_speaking import web_question
from tests.reliability.claimant import (
    Wish,
    answer_to_challenge,
    ask_as,
    challenge_for,
    exchange,
    exchange_datagrams,
    log_in,
    reading,
    stream,
    streams,
)
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, SecretKey, admin_value
from tests.reliability.fleet import CLIENTS
from tests.reliability.octets_client import datagrams
from tests.reliability.scale import IS_LONG
from tests.reliability.session_client import open_session
from tests.reliability.web_client import ask_web
from tests.started_node import StartedNode, until

FAILURES_MAX = 10
DELAY_SECONDS = 1.0
REFUSED_SECONDS = 60.0
HEARD_SECONDS = 5.0
AT_ONCE = 96
WORKERS = 2
TRIES = 8
"""At each door: with two doors, all of them reach one worker of two once in thirty thousand runs."""

RIGHT, WRONG, REFUSED = ResponseCode.SUCCESS, ResponseCode.AUTHENTICATION_FAILED, ResponseCode.AUTHENTICATION_ERROR
PREFIX = "88.118.20"
HOLDER = f"0.NA/{PREFIX}"
PRODUCT = Handle(f"{PREFIX}/水泵")
SECRET = reading(PRODUCT, 6)
NONCE, DIGEST = b"n" * 16, b"d" * 32


async def over_tcp(node: StartedNode, source: str, key: SecretKey) -> int:
    async with stream(node, source) as mine:
        return (await ask_as(mine, SECRET, key)).response_code


async def over_udp(node: StartedNode, source: str, key: SecretKey) -> int:
    with datagrams(node.address, source) as client:
        challenge = await exchange_datagrams(client, SECRET.message())
        return (await exchange_datagrams(client, answer_to_challenge(challenge, key.answer(challenge)))).response_code


async def by_login(node: StartedNode, source: str, key: SecretKey) -> int:
    async with stream(node, source) as mine:
        return (await log_in(mine, key)).response_code


async def in_session(node: StartedNode, source: str, key: SecretKey) -> int:
    async with stream(node, source) as mine:
        session = await open_session(mine)
        return (await session.ask_as(mine, SECRET, key)).response_code


async def by_password(node: StartedNode, source: str, key: SecretKey) -> int:
    asked = web_question(SECRET.body, SECRET.op_code, SECRET.op_flags)
    assert asked is not None
    reply = await ask_web(node, asked, key, source)
    if reply.status == 429:
        assert reply.headers["Retry-After"] == "60"
    return {200: RIGHT, 401: WRONG, 429: REFUSED}[reply.status]


def verification(key: SecretKey) -> Message:
    """Return the question of another service whether a proof of ours is right (operation 201)."""
    proof = make_secret_proof(key.secret, NONCE, DIGEST, VERSION_OURS)
    asked = Wish(OpCode.VERIFY_CHALLENGE, VerifyChallengeRequest(key.identity, NONCE, DIGEST, proof)).message()
    return replace(asked, version=VERSION_OURS)  # Which a proof is read by.


def verdict_in(answer: Message) -> int:
    """Return a verdict as if it were a response code."""
    if isinstance(answer.body, VerifyChallengeResponse):
        return RIGHT if answer.body.is_valid else WRONG
    return answer.response_code


async def by_verification(node: StartedNode, source: str, key: SecretKey) -> int:
    async with stream(node, source) as mine:
        return verdict_in(await exchange(mine, verification(key)))


async def by_verification_over_udp(node: StartedNode, source: str, key: SecretKey) -> int:
    with datagrams(node.address, source) as client:
        return verdict_in(await exchange_datagrams(client, verification(key)))


Door = Callable[[StartedNode, str, SecretKey], Awaitable[int]]


@dataclass(frozen=True)
class Way:
    """A way to guess, each at a key and from networks of its own.

    Attributes:
        closes: the doors that are closed to its network then; all others stay open.
    """

    place: int
    guess: Door
    closes: tuple[Door, ...]

    @property
    def key(self) -> SecretKey:
        return key_at(310 + self.place)

    @property
    def network(self) -> str:
        return f"127.20.{self.place}"


PROOFS = (over_tcp, over_udp, by_login, in_session, by_password)
VERIFICATIONS = (by_verification, by_verification_over_udp)
DOORS = (*PROOFS, *VERIFICATIONS)
WAYS = {
    door.__name__: Way(place, door, family)
    for place, (door, family) in enumerate((door, family) for family in (PROOFS, VERIFICATIONS) for door in family)
}


def key_at(index: int) -> SecretKey:
    """Return one of the keys of the enterprise."""
    return SecretKey(ValueReference(index, HOLDER), f"口令-{index}".encode())


def wrong(key: SecretKey) -> SecretKey:
    """Return a guess at a key."""
    return replace(key, secret=key.secret + "！".encode())


OTHER_KEY = key_at(329)
BURST_KEY = key_at(330)
LONG_KEY = key_at(331)


@pytest_asyncio.fixture(scope="module")
async def guessed_at(node: StartedNode) -> StartedNode:
    """The attacked node, with an enterprise that has a key for each way to guess."""
    keys = (*(way.key for way in WAYS.values()), OTHER_KEY, BURST_KEY, LONG_KEY)
    named = [admin_value(100 + key.identity.index, key.identity) for key in keys]
    enterprise = Enterprise.of(PREFIX)
    records = (enterprise.description(*(key.value() for key in keys), *named), enterprise.product("水泵", *named))
    await settle(node, enterprise, *records)
    return node


@pytest.mark.parametrize("name", WAYS)
async def test_the_network_of_one_who_guesses_is_refused_and_the_owner_elsewhere_is_not(
    guessed_at: StartedNode, name: str
) -> None:
    way = WAYS[name]
    guesses = [await way.guess(guessed_at, f"{way.network}.{number}", wrong(way.key)) for number in range(1, 11)]
    assert guesses == [WRONG] * FAILURES_MAX
    neighbour, elsewhere = f"{way.network}.200", f"127.21.{way.place}.1"
    await assert_refused_by_every_worker(guessed_at, way, neighbour)
    open_there = [door for door in DOORS if door not in way.closes]
    assert await codes_of(guessed_at, DOORS, elsewhere, way.key) == {RIGHT}
    assert await codes_of(guessed_at, open_there, neighbour, way.key) == {RIGHT}
    assert await over_tcp(guessed_at, neighbour, OTHER_KEY) == RIGHT


async def codes_of(node: StartedNode, doors: Sequence[Door], source: str, key: SecretKey) -> set[int]:
    """Present a key at several doors at once, and return what came of it."""
    return set(await asyncio.gather(*(door(node, source, key) for door in doors)))


async def assert_refused_by_every_worker(node: StartedNode, way: Way, source: str) -> None:
    """Let the right key be presented by many at once, each on a socket of its own: all must wait and be refused."""
    began_at = time.monotonic()
    assert await codes_of(node, way.closes * TRIES, source, way.key) == {REFUSED}
    assert time.monotonic() - began_at >= DELAY_SECONDS


async def test_each_ten_failures_leave_a_line(guessed_at: StartedNode) -> None:
    for way in WAYS.values():
        await until(lambda way=way: lines_about(guessed_at, way.key), HEARD_SECONDS)
        for line in lines_about(guessed_at, way.key):
            assert line["failures"] % FAILURES_MAX == 0
            assert line["network"].removeprefix("verify ") == way.network
    printed = guessed_at.printed()
    assert not [way.key.secret for way in WAYS.values() if way.key.secret.decode() in printed]


def lines_about(node: StartedNode, key: SecretKey) -> list[dict[str, object]]:
    """Return the lines of the log about failures at a key."""
    lines = [json.loads(line) for line in node.printed().splitlines() if '"authentication_failed"' in line]
    return [line for line in lines if line["key"] == f"{key.identity.index}:{HOLDER}"]


async def test_of_guesses_that_come_at_once_no_more_are_judged_than_may_fail(guessed_at: StartedNode) -> None:
    async with streams(guessed_at, CLIENTS, "127.20.30.1") as many:
        asked = [(each, await challenge_for(each, SECRET)) for each in many for _ in range(AT_ONCE // CLIENTS)]
        guesses = [answer_to_challenge(challenge, wrong(BURST_KEY).answer(challenge)) for _, challenge in asked]
        for (each, _), guess in zip(asked, guesses, strict=True):
            await each.send(encode_message(guess))
        codes = Counter([(await each.receive(30)).response_code for each, _ in asked])
    assert set(codes) <= {WRONG, REFUSED, ResponseCode.SERVER_TOO_BUSY}
    assert codes[WRONG] <= FAILURES_MAX * WORKERS
    assert await over_tcp(guessed_at, "127.20.31.1", BURST_KEY) == RIGHT


@pytest.mark.skipif(not IS_LONG, reason="takes more than a minute")
async def test_a_minute_later_the_owner_may_try_from_there_again(guessed_at: StartedNode) -> None:
    for _ in range(FAILURES_MAX):
        await over_tcp(guessed_at, "127.20.32.1", wrong(LONG_KEY))
    assert await over_tcp(guessed_at, "127.20.32.1", LONG_KEY) == REFUSED
    await asyncio.sleep(REFUSED_SECONDS + 1)
    assert await over_tcp(guessed_at, "127.20.32.1", LONG_KEY) == RIGHT
