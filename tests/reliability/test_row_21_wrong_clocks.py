"""Row 21: workers whose clocks are ten minutes fast and slow, and are set back an hour, revive no session, challenge or
signature, let no value live longer, and agree on what a cache may show to within its time to live.

By whose clock a signature ends, a worker cannot know: it is the worker's own, and goes on when that is set back."""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.limits import EXPIRATION_SECONDS
from handle_protocol.message import Message
from handle_protocol.record import HandleRecord
from handle_protocol.security.record_trust import Claims, sign_record
from handle_protocol.value import HandleValue, Ttl, TtlKind
from registry.database import Database
from tests.builders import text_value
from tests.reliability.claimant import answer_to_challenge, challenge_for, exchange, reading, streams
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise
from tests.reliability.fleet import CLIENTS, Fleet, fleet
from tests.reliability.session_client import open_session
from tests.reliability.wrong_clocks import WrongClocks
from tests.started_node import ROOT, StartedNode

FAST, SLOW, HOUR = 600.0, -600.0, 3_600.0
SET_BACK = (FAST - HOUR, SLOW - HOUR)
SET_FORWARD = (FAST + HOUR, SLOW + HOUR)
FIVE_MINUTES_APART = (FAST, FAST - 300.0)

SECONDS = 2
"""How long challenges wait, sessions stay idle and values live here."""

LATE_SECONDS = SECONDS + 0.5
SLACK_SECONDS = 1.0

SIGNED = Handle("88.118.21/签名")
TRUSTED_QUERY = OpFlag.PUBLIC_ONLY | OpFlag.TRUSTED_QUERY


@pytest.fixture(scope="module")
def clocks(server_data_dir: Path) -> WrongClocks:
    return WrongClocks.make(server_data_dir / "python")


@pytest.fixture(autouse=True)
def usual_clocks(clocks: WrongClocks) -> None:
    clocks.set(FAST, SLOW)


@pytest.fixture(scope="module")
def enterprise() -> Enterprise:
    return Enterprise.of("88.118.21")


@pytest_asyncio.fixture(scope="module")
async def node(server_data_dir: Path, clocks: WrongClocks, enterprise: Enterprise) -> AsyncIterator[StartedNode]:
    """A node of two workers whose clocks are wrong, and that trusts an enterprise."""
    clocks.set(FAST, SLOW)
    anchor = clocks.folder / "anchor"
    anchor.write_bytes(enterprise.signing.key.public_data())
    settings = {
        "IDNODE_CHALLENGE_SECONDS": str(SECONDS),
        "IDNODE_SESSION_SECONDS_MAX": str(SECONDS),
        "IDNODE_TRUST_ANCHORS": f"{enterprise.signing.identity}={anchor}",
    }
    with StartedNode.run(server_data_dir / "clocks", settings, python=clocks.python) as node:
        await settle(node, enterprise)
        yield node
        assert "Traceback" not in node.printed()


@pytest_asyncio.fixture
async def register(node: StartedNode) -> AsyncIterator[Database]:
    async with Database.open(node.database_url) as database:
        yield database


@pytest_asyncio.fixture
async def clients(node: StartedNode) -> AsyncIterator[Fleet]:
    async with fleet(node) as clients:
        yield clients


async def put_unnoticed(register: Database, record: HandleRecord) -> None:
    """Store a record as no program of ours does: no worker hears of it."""
    key, values = record.handle.key(), record.value_list
    async with register.transaction() as transaction:
        await transaction.execute("delete from record where key = $1", key)
        await transaction.execute("insert into record (key, value_list) values ($1, $2)", key, values)


def named(spelling: str, name: str, ttl: Ttl) -> HandleRecord:
    return HandleRecord.of(Handle(spelling), (replace(text_value(1, "名称", name), ttl=ttl),))


def names_in(answers: list[Message]) -> list[str]:
    return [answer.body.values[0].data.decode() for answer in answers]


async def test_the_clocks_are_wrong(clients: Fleet) -> None:
    answers = await clients.ask("88.118.21/水泵")
    offsets = {answer.header.expires_at - EXPIRATION_SECONDS - time.time() for answer in answers}
    assert {round(offset, -1) for offset in offsets} == {FAST, SLOW}


async def test_an_owner_is_served_by_workers_that_disagree_about_the_time(
    node: StartedNode, enterprise: Enterprise
) -> None:
    secret = reading(enterprise.handle("水泵"), 6)
    async with streams(node, CLIENTS) as mine:
        for one, other in pairwise(mine):
            challenge = await challenge_for(one, secret)
            answer = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
            assert (await exchange(other, answer)).response_code == ResponseCode.SUCCESS
            session = await open_session(one)
            assert (await session.ask_as(other, secret, enterprise.secret)).response_code == ResponseCode.SUCCESS


@pytest.mark.parametrize(
    ("late_seconds", "offsets", "code"),
    [
        (LATE_SECONDS, SET_BACK, ResponseCode.AUTHENTICATION_TIMEOUT),
        (0.0, SET_FORWARD, ResponseCode.SUCCESS),
        (0.0, SET_BACK, ResponseCode.SUCCESS),
    ],
)
async def test_a_challenge_waits_as_long_as_it_does_whatever_the_clock_says(
    node: StartedNode,
    clocks: WrongClocks,
    enterprise: Enterprise,
    late_seconds: float,
    offsets: tuple[float, float],
    code: int,
) -> None:
    async with streams(node, CLIENTS) as mine:
        challenges = [await challenge_for(each, reading(enterprise.handle("水泵"), 6)) for each in mine]
        await asyncio.sleep(late_seconds)
        clocks.set(*offsets)
        answers = [answer_to_challenge(each, enterprise.signing.answer(each)) for each in challenges]
        codes = {(await exchange(*each)).response_code for each in zip(mine, answers, strict=True)}
    assert codes == {code}


@pytest.mark.parametrize(
    ("late_seconds", "offsets", "code"),
    [
        (LATE_SECONDS, SET_BACK, ResponseCode.SESSION_TIMEOUT),
        (0.0, SET_FORWARD, ResponseCode.SUCCESS),
        (0.0, SET_BACK, ResponseCode.SUCCESS),
    ],
)
async def test_a_session_lives_as_long_as_it_does_whatever_the_clock_says(
    node: StartedNode,
    clocks: WrongClocks,
    enterprise: Enterprise,
    late_seconds: float,
    offsets: tuple[float, float],
    code: int,
) -> None:
    secret = reading(enterprise.handle("水泵"), 6)
    async with streams(node, CLIENTS // 2) as mine:
        sessions = [await open_session(each) for each in mine]
        for session, each in zip(sessions, mine, strict=True):
            await session.ask_as(each, secret, enterprise.secret)
        await asyncio.sleep(late_seconds)
        clocks.set(*offsets)
        asked = [(each, session.message(secret)) for session, each in zip(sessions, mine, strict=True)]
        codes = {(await exchange(*each)).response_code for each in asked}
    assert codes == {code}


@pytest.mark.parametrize("offsets", [FIVE_MINUTES_APART, SET_BACK])
async def test_caches_agree_on_what_they_may_show_to_within_its_time_to_live(
    clients: Fleet, register: Database, clocks: WrongClocks, offsets: tuple[float, float]
) -> None:
    spelling, ttl = f"88.118.21/缓存{offsets[0]:.0f}", Ttl(SECONDS)
    await put_unnoticed(register, named(spelling, "旧", ttl))
    assert set(names_in(await clients.ask(spelling))) == {"旧"}
    clocks.set(*offsets)
    await put_unnoticed(register, named(spelling, "新", ttl))
    began_at = time.monotonic()
    shown = [names_in(await clients.ask(spelling))]
    while set(shown[-1]) != {"新"}:
        assert time.monotonic() - began_at < SECONDS + SLACK_SECONDS
        answers = await clients.ask(spelling)
        assert {answer.body.values[0].ttl for answer in answers} == {ttl}
        shown.append(names_in(answers))
    assert set(shown[0]) == {"旧"}, "it was shown from caches"


async def test_a_value_that_lived_until_a_moment_lives_no_longer_when_the_clock_is_set_back(
    clients: Fleet, register: Database, clocks: WrongClocks
) -> None:
    spelling = "88.118.21/到期"
    ttl = Ttl(int(time.time() + SLOW) + SECONDS, TtlKind.ABSOLUTE)
    await put_unnoticed(register, named(spelling, "旧", ttl))
    assert set(names_in(await clients.ask(spelling))) == {"旧"}
    await asyncio.sleep(LATE_SECONDS)
    clocks.set(*SET_BACK)
    answers = await clients.ask(spelling)
    assert {answer.body.values[0].ttl for answer in answers} == {ttl}
    await put_unnoticed(register, named(spelling, "新", ttl))
    assert set(names_in(await clients.ask(spelling))) == {"新"}


async def test_a_signature_that_has_ended_is_not_valid_again_when_the_clock_is_set_back(
    clients: Fleet, register: Database, clocks: WrongClocks, enterprise: Enterprise
) -> None:
    slow_now = int(time.time() + SLOW)
    values = (text_value(1, "URL", "https://example.cn/签名"),)
    claims = Claims(enterprise.signing.identity, str(SIGNED), slow_now - 86_400, slow_now + SECONDS, slow_now)
    signature = HandleValue(400, "HS_SIGNATURE", sign_record(values, enterprise.signing.key, claims).encode())
    await put_unnoticed(register, HandleRecord.of(SIGNED, (*values, signature)))
    valid, ended = ResponseCode.SUCCESS, ResponseCode.CREDENTIAL_NOT_VERIFIED
    assert await codes_of(clients) == {valid, ended}, "the fast worker thinks that it has ended"
    await asyncio.sleep(LATE_SECONDS)
    assert await codes_of(clients) == {ended}
    for offsets in (SET_BACK, (SLOW, SLOW), (0.0, 0.0)):
        clocks.set(*offsets)
        assert await codes_of(clients) - {ended} == set()


async def codes_of(clients: Fleet) -> set[int]:
    """Return what every worker thinks of the signature."""
    answers = await clients.ask(str(SIGNED), op_flags=TRUSTED_QUERY)
    return {answer.response_code for answer in answers}


ASKS_THE_WORLD = {
    "resolver/unix_clock.py": "what everything in a worker asks that must know the world's time",
    "resolver/asking/datagrams.py": "a client: until when an answer says to be believed",
    "resolver/asking/node.py": "a client: until when its request says to be believed",
    "resolver/asking/streams.py": "a client, as datagrams",
    "resolver/asking/tunnel.py": "a client, as datagrams",
    "registry/records.py": "stamps of values that a command imports",
    "node/certificates.py": "from when to when a certificate that is made is valid",
    "node/cli/register_changes.py": "stamps of values that a command changes",
    "node/cli/sign_command.py": "from when to when a signature is valid",
    "node/cli/verify_command.py": "whether a signature is valid",
    "node/input/reading_child.py": "stamps of values that are imported",
}
"""Every file that asks the machine what time it is. No timer does: they count in time.monotonic or the loop's time."""

WORLD_TIMES = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def asked_in(file: Path) -> Iterator[str]:
    """Yield every mention of the world's time in a file, and every import that could hide one."""
    for each in ast.walk(ast.parse(file.read_text())):
        if isinstance(each, ast.Attribute) and ast.unparse(each).removeprefix("datetime.datetime.") in WORLD_TIMES:
            yield ast.unparse(each)
        if isinstance(each, ast.ImportFrom) and each.module == "time":
            yield ast.unparse(each)


def test_nothing_else_asks_the_machine_what_time_it_is() -> None:
    packages = ("handle_protocol", "registry", "resolver", "admin", "node")
    files = (file for package in packages for file in (ROOT / package).rglob("*.py"))
    assert {str(file.relative_to(ROOT)) for file in files if any(asked_in(file))} == set(ASKS_THE_WORLD)
