"""Row 26: names are listed for those who may list them and for nobody else, nothing can be dumped, and what strangers
and forgers are told is the same, as soon, of what is there and of what is not."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from urllib.parse import quote

import pytest
import pytest_asyncio

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.bodies.raw import RawBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import OP_FLAGS_USUAL, Message, encode_message
from handle_protocol.security.session_keys import SessionAlgorithm, make_session_key
from handle_protocol.value import ValueReference
from tests.builders import text_value
from tests.conformance.rest_speaking import WebQuestion, WebReply
from tests.reliability.claimant import (
    Wish,
    addition,
    ask_as,
    creation,
    deletion,
    exchange,
    listing,
    log_in,
    removal,
    stream,
    streams,
)
from tests.reliability.conftest import settle
from tests.reliability.enterprises import EVERYTHING, Enterprise, SecretKey, admin_value
from tests.reliability.session_client import ClientSession, open_session
from tests.reliability.web_client import ask_web
from tests.started_node import StartedNode

LIST_HANDLES = 0x800
TIMES_LONGER_MAX, SECONDS_LONGER_MAX = 3.0, 0.030
SAMPLES = 25

OWNER, BELOW, STRANGER = (Enterprise.of(name) for name in ("88.118.26", "88.118.26.1", "88.118.260"))
HOME = OWNER.prefix.handle.spelling
LISTER = SecretKey(ValueReference(400, HOME), "可列出".encode())
CLERK = SecretKey(ValueReference(401, HOME), "不可列出".encode())
FORGER = replace(LISTER, secret="猜的".encode())

NAMES = ("水泵", "阀门", "电机")
THERE, ABSENT = OWNER.handle("水泵"), OWNER.handle("没有")

CALLERS: Mapping[str, SecretKey | None] = {
    "nobody": None,
    "a stranger": STRANGER.secret,
    "the owner of a prefix below": BELOW.secret,
    "an administrator without the right": CLERK,
    "a forger": FORGER,
}
"""Who may not list."""

NETWORKS = {who: f"127.26.{number}.1" for number, who in enumerate((*CALLERS, "a lister"))}

CODES = {
    "nobody": ResponseCode.AUTHENTICATION_NEEDED,
    "a stranger": ResponseCode.INVALID_ADMIN,
    "the owner of a prefix below": ResponseCode.INVALID_ADMIN,
    "an administrator without the right": ResponseCode.INSUFFICIENT_PERMISSIONS,
    "a forger": ResponseCode.AUTHENTICATION_FAILED,
}
STATUSES = {
    "nobody": 401,
    "a stranger": 403,
    "the owner of a prefix below": 403,
    "an administrator without the right": 403,
    "a forger": 401,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def settled(node: StartedNode) -> None:
    """Three enterprises; the first has three products, and names two clerks beside its owner."""
    rights = (
        admin_value(110, LISTER.identity, LIST_HANDLES),
        admin_value(111, CLERK.identity, EVERYTHING & ~LIST_HANDLES),
    )
    await settle(
        node,
        OWNER,
        OWNER.description(*rights, LISTER.value(), CLERK.value()),
        *(OWNER.product(name) for name in NAMES),
    )
    await settle(node, BELOW)
    await settle(node, STRANGER)


async def ask(node: StartedNode, wish: Wish, key: SecretKey | None, source: str) -> Message:
    """Ask on a connection of its own; nobody leaves the challenge unanswered."""
    async with stream(node, source) as connection:
        if key is None:
            return await exchange(connection, wish.message())
        return await ask_as(connection, wish, key)


def told(reply: WebReply) -> bytes:
    """Return what is said over HTTP."""
    return str((reply.said, dict(reply.headers))).encode()


def named_in(octets: bytes) -> list[str]:
    """Return which of the owner's names somebody got to know."""
    return [name for name in NAMES if name.encode() in octets or quote(name).encode() in octets]


@pytest.mark.parametrize("who", CALLERS)
async def test_handles_are_not_listed_for(node: StartedNode, who: str) -> None:
    answer = await ask(node, listing(OWNER.prefix), CALLERS[who], NETWORKS[who])
    assert (answer.response_code, named_in(encode_message(answer))) == (CODES[who], [])
    for query in (f"?prefix={OWNER.prefix}", f"?prefix={quote(HOME, safe='')}&page=0&pageSize=1"):
        reply = await ask_web(node, WebQuestion("GET", f"/api/handles{query}"), CALLERS[who], NETWORKS[who])
        assert (reply.status, named_in(told(reply))) == (STATUSES[who], [])


async def test_handles_are_listed_for_whoever_has_the_right_and_just_those_of_the_prefix(node: StartedNode) -> None:
    answer = await ask(node, listing(OWNER.prefix), LISTER, NETWORKS["a lister"])
    assert answer.response_code == ResponseCode.SUCCESS
    assert {handle.spelling for handle in answer.body.handles} == {f"{OWNER.prefix}/{name}" for name in NAMES}
    reply = await ask_web(node, WebQuestion("GET", f"/api/handles?prefix={OWNER.prefix}"), LISTER, NETWORKS["a lister"])
    assert set((reply.said or {})["handles"]) == {f"{OWNER.prefix}/{name}" for name in NAMES}
    others = await ask(node, listing(BELOW.prefix), LISTER, NETWORKS["a lister"])
    assert others.response_code == ResponseCode.INVALID_ADMIN
    not_by_number = listing(Prefix("88.118.2"))
    assert (await ask(node, not_by_number, LISTER, NETWORKS["a lister"])).response_code == (
        ResponseCode.SERVER_NOT_RESPONSIBLE
    )


@pytest.mark.parametrize("who", [each for each in CALLERS if each != "a forger"])
async def test_prefixes_are_neither_listed_nor_placed_for(node: StartedNode, who: str) -> None:
    code = ResponseCode.AUTHENTICATION_NEEDED if who == "nobody" else ResponseCode.INVALID_ADMIN
    status = 401 if who == "nobody" else 403
    wanted = Wish(OpCode.LIST_HOMED_PREFIXES, HandleRequest(Handle("/")))
    answer = await ask(node, wanted, CALLERS[who], NETWORKS[who])
    assert (answer.response_code, str(STRANGER.prefix).encode() in encode_message(answer)) == (code, False)
    for method, target in (
        ("GET", "/api/prefixes"),
        ("GET", f"/api/prefixes/{OWNER.prefix}"),
        ("GET", "/api/prefixes?prefix=99.9999"),
        ("DELETE", f"/api/prefixes/{STRANGER.prefix}"),
        ("POST", "/api/prefixes/88.118.26.2"),
    ):
        reply = await ask_web(node, WebQuestion(method, target), CALLERS[who], NETWORKS[who])
        assert (method, target, reply.status) == (method, target, status)
        assert b"88.118.8" not in told(reply)


@pytest.mark.parametrize("op_code", [106, 606, 1000, 1001, 1002, 1003, 1004])
async def test_nothing_is_dumped_for_anybody(node: StartedNode, op_code: int) -> None:
    wish = Wish(op_code, RawBody(encode_message(listing(OWNER.prefix).message())[44:]))
    async with streams(node, 2, "127.26.20.1") as (owners, strangers):
        assert (await log_in(owners, OWNER.secret)).response_code == ResponseCode.SUCCESS
        for each in (owners, strangers):
            answer = await exchange(each, wish.message())
            assert answer.response_code == ResponseCode.OPERATION_NOT_SUPPORTED
            assert named_in(encode_message(answer)) == []


def changes(handle: Handle) -> dict[str, Wish]:
    """Return what somebody without any right may try with a handle."""
    return {
        "delete": deletion(handle),
        "add": addition(handle, text_value(9, "备注", "陌生人")),
        "add what is there": addition(handle, text_value(1, "URL", "https://example.cn/陌生")),
        "add over it": addition(
            handle, text_value(1, "URL", "https://example.cn/陌生"), op_flags=OP_FLAGS_USUAL | OpFlag.OVERWRITE
        ),
        "remove": removal(handle, 1),
        "remove what is not there": removal(handle, 77),
        "remove both": removal(handle, 6, 77),
        "create over it": creation(
            handle, text_value(1, "URL", "https://example.cn/陌生"), op_flags=OP_FLAGS_USUAL | OpFlag.OVERWRITE
        ),
    }


PROVERS = {
    "nobody": (None, ResponseCode.AUTHENTICATION_NEEDED),
    "a stranger": (STRANGER.secret, ResponseCode.INVALID_ADMIN),
    "a forger": (replace(OWNER.secret, secret=b"wrong"), ResponseCode.AUTHENTICATION_FAILED),
}


@pytest.mark.parametrize("who", PROVERS)
@pytest.mark.parametrize("change", changes(THERE))
async def test_a_change_without_right_is_refused_the_same_whether_or_not_the_handle_is_there(
    node: StartedNode, change: str, who: str
) -> None:
    key, code = PROVERS[who]
    source = f"127.26.{30 + list(changes(THERE)).index(change)}.1"
    answers = [await ask(node, changes(handle)[change], key, source) for handle in (THERE, ABSENT)]
    assert [answer.response_code for answer in answers] == [code, code]


@pytest.mark.parametrize("who", PROVERS)
async def test_so_it_is_over_rest(node: StartedNode, who: str) -> None:
    key, status = PROVERS[who][0], 403 if who == "a stranger" else 401
    value = json.dumps([{"index": 1, "type": "URL", "data": "https://example.cn/陌生"}]).encode()
    for number, (method, query, content) in enumerate(
        (
            ("DELETE", "", None),
            ("DELETE", "?index=1", None),
            ("DELETE", "?index=77", None),
            ("PUT", "", value),
            ("PUT", "?index=1", value),
            ("PUT", "?index=various&overwrite=false", value),
        )
    ):
        targets = [f"/api/handles/{quote(handle.spelling)}{query}" for handle in (THERE, ABSENT)]
        there, absent = [
            await ask_web(node, WebQuestion(method, target, content), key, f"127.26.{50 + number}.1")
            for target in targets
        ]
        assert (there.status, absent.status, there.code) == (status, status, absent.code)


async def test_a_creation_tells_what_a_question_tells_everybody_and_no_more(node: StartedNode) -> None:
    """It says 101 before it asks who it is, as the reference does; so does a resolution say 100."""
    for who, (key, code) in PROVERS.items():
        codes = [
            (await ask(node, creation(handle, text_value(1, "URL", "x")), key, "127.26.60.1")).response_code
            for handle in (THERE, ABSENT)
        ]
        assert (who, codes) == (who, [ResponseCode.HANDLE_ALREADY_EXISTS, code])


async def test_a_code_of_a_session_that_is_wrong_tells_nothing(node: StartedNode) -> None:
    wishes = [wish for handle in (THERE, ABSENT) for wish in (*changes(handle).values(), creation(handle))]
    async with stream(node, "127.26.61.1") as connection:
        session = await open_session(connection)
        forged = ClientSession(session.id, make_session_key(SessionAlgorithm.AES))
        codes = [(await exchange(connection, forged.message(wish))).response_code for wish in wishes]
    assert codes == [ResponseCode.INVALID_SESSION_KEY] * len(wishes)


@pytest.mark.parametrize("who", ["a stranger", "a forger"])
async def test_a_refusal_takes_as_long_whether_or_not_the_handle_is_there(node: StartedNode, who: str) -> None:
    key, code = PROVERS[who]
    seconds: dict[Handle, list[float]] = {THERE: [], ABSENT: []}
    for number in range(SAMPLES):
        # Each from a network of its own: who is wrong ten times would not be listened to.
        async with stream(node, f"127.126.{number}.1") as connection:
            for handle, taken in seconds.items():
                began_at = time.monotonic()
                answer = await ask_as(connection, deletion(handle), key)
                taken.append(time.monotonic() - began_at)
                assert answer.response_code == code
    shorter, longer = sorted(map(median, seconds.values()))
    assert longer <= TIMES_LONGER_MAX * shorter + SECONDS_LONGER_MAX
