"""Row 25: nothing confidential reaches anybody who has not proved who they are, through no door and in no state of the
caches: before anybody read it, after its owner did, and after it changed; what nobody may read, its owner cannot."""

from __future__ import annotations

import asyncio
import base64
import http.client
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from urllib.parse import quote

import pytest_asyncio

from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import OP_FLAGS_USUAL, Message, decode_message, encode_message
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, Permissions
from tests.builders import text_value
from tests.conformance.rest_speaking import WebQuestion
from tests.conformance.speaking import Tunnel, Udp, Way, connected, request_of
from tests.reliability.claimant import Wish, ask_as, exchange, log_in, modification, reading, stream
from tests.reliability.conftest import settle
from tests.reliability.enterprises import CONFIDENTIAL, Enterprise
from tests.reliability.fleet import CLIENTS
from tests.reliability.octets_client import Stream, connect
from tests.reliability.web_client import ask_web
from tests.started_node import LOOPBACK, StartedNode

OWNER = Enterprise.of("88.118.25")
SOURCE = "127.25.0.1"
QUESTIONS_MIN = 290
WEB_READERS = 6
ROUNDS = 20

MARKER = "jimi25"
"""Stands in whatever is confidential, and nowhere else."""

PRODUCT, HIDDEN, ALIAS, BURIED, COMPUTED, ABSENT = (
    OWNER.handle(name) for name in ("水泵", "图纸", "别名", "深藏", "水泵@压力", "没有")
)
HANDLES = (PRODUCT, HIDDEN, ALIAS, BURIED, COMPUTED, ABSENT, OWNER.prefix.handle)
READ_BY_OWNER = (PRODUCT, HIDDEN, ALIAS, OWNER.prefix.handle)

TEMPLATE = '<namespace><template delimiter="@"><foreach><value/></foreach></template></namespace>'
SECRET_TEMPLATE = (
    f'<namespace><template delimiter="@"><value index="1" type="X" data="{MARKER}"/></template></namespace>'
)
SECRET_PLACES = f'<locations><location href="https://{MARKER}.example.cn/" weight="1"/></locations>'

CONFIDENTIAL_VALUES = (
    text_value(6, "出厂价", f"{MARKER} 128.00 元", permissions=CONFIDENTIAL),
    text_value(7, "URL", f"https://{MARKER}.example.cn/内部", permissions=CONFIDENTIAL),
    text_value(8, "URL.CN", f"https://{MARKER}.example.cn/", permissions=CONFIDENTIAL),
    text_value(9, "EMAIL", f"{MARKER}@example.cn", permissions=CONFIDENTIAL),
    text_value(10, "HS_ALIAS", f"{OWNER.prefix}/{MARKER}", permissions=CONFIDENTIAL),
    text_value(11, "10320/loc", SECRET_PLACES, permissions=CONFIDENTIAL),
    text_value(12, "HS_NAMESPACE", SECRET_TEMPLATE, permissions=CONFIDENTIAL),
    text_value(13, "HS_SECKEY", MARKER, permissions=CONFIDENTIAL),
    text_value(14, "HS_SIGNATURE", f"{MARKER}.{MARKER}.{MARKER}", permissions=CONFIDENTIAL),
    HandleValue(15, "图片", b"\xff\xfe" + MARKER.encode(), permissions=CONFIDENTIAL),
)
CHANGED = text_value(6, "出厂价", f"{MARKER} 256.00 元", permissions=CONFIDENTIAL)
BURIED_VALUES = tuple(
    text_value(index, "底价", f"{MARKER} {index}", permissions=permissions)
    for index, permissions in ((21, Permissions.ADMIN_WRITE), (22, 0))
)

SELECTIONS: Sequence[Mapping[str, tuple[int | str, ...]]] = (
    {},
    {"indexes": (6,)},
    {"indexes": tuple(value.index for value in (*CONFIDENTIAL_VALUES, *BURIED_VALUES))},
    {"types": ("URL.",)},
    {"types": ("HS_SECKEY", "出厂价", "底价")},
    {"types": ("HS_ALIAS", "10320/loc", "HS_NAMESPACE")},
)
FLAGS = (OP_FLAGS_USUAL, 0, OpFlag.AUTHORITATIVE | OpFlag.CERTIFY)

API_QUERIES = (
    *("", "?auth", "?publicOnly=false", "?publicOnly=false&auth&cert", "?pretty&callback=f"),
    *("?index=6&index=7&index=15", "?type=URL.", "?type=HS_SECKEY&publicOnly=0", "?type=%E5%87%BA%E5%8E%82%E4%BB%B7"),
)
PAGE_QUERIES = (
    *("", "?noredirect", "?noredirect&auth&type=EMAIL", "?action=showurls", "?action=metadata"),
    *("?index=7", "?type=10320/loc", "?ignore_aliases", "?locatt=weight:1", "?urlappend=/x&redirectionHeaders"),
)
LISTS = (
    *("/api/handles?prefix=88.118.25", "/api/prefixes", "/api/prefixes/88.118.25", "/api/site"),
    *("/api/verifications/13:88.118.25%2F%E6%B0%B4%E6%B3%B5", f"/resolve?text={quote(PRODUCT.spelling)}"),
)


@dataclass(frozen=True)
class Heard:
    """What somebody got to know: a code or status, and all octets that came."""

    code: int
    octets: bytes


Ask = Callable[[StartedNode], Heard]


def ask_message(node: StartedNode, door: str, wish: Wish) -> Heard:
    """Ask through a door of the protocol."""
    message = request_of(wish.body, wish.op_code, int(wish.op_flags))
    if door == "tcp":
        with connected(node.address) as way:
            return _heard(way, message)
    if door == "udp":
        udp = Udp(node.address)
        with udp.socket:
            return _heard(udp, message)
    return _heard(Tunnel((LOOPBACK, node.http_port)), message)


def _heard(way: Way, message: Message) -> Heard:
    answers = way.ask_octets(encode_message(message))
    return Heard(decode_message(answers[0]).response_code, b"".join(answers))


def ask_page(node: StartedNode, target: str, accept: str = "text/html") -> Heard:
    """Ask for a page, without following where it leads."""
    connection = http.client.HTTPConnection(LOOPBACK, node.http_port, timeout=20)
    try:
        connection.request("GET", target, headers={"Accept": accept})
        response = connection.getresponse()
        return Heard(response.status, str(response.headers).encode() + response.read())
    finally:
        connection.close()


def questions() -> Iterator[tuple[str, Ask]]:
    """Yield what anybody may ask, by name."""
    for handle, selection, flags, door in product(HANDLES, SELECTIONS, FLAGS, ("udp", "tcp", "tunnel")):
        wish = Wish(OpCode.RESOLUTION, ResolutionRequest(handle, **selection), int(flags))
        yield f"{door} {handle} {selection} {int(flags):x}", partial(ask_message, door=door, wish=wish)
    escaped = [quote(handle.spelling) for handle in HANDLES]
    targets = [
        *(f"/api/handles/{name}{query}" for name, query in product(escaped, API_QUERIES)),
        *(f"/{name}{query}" for name, query in product(escaped, PAGE_QUERIES)),
        *(f"/resolve/{name}" for name in escaped),
        *LISTS,
    ]
    for target, accept in product(targets, ("text/html", "application/json")):
        yield f"{target} {accept}", partial(ask_page, target=target, accept=accept)


QUESTIONS = dict(questions())
ANSWERS = {1, 100, 200, 401, 402} | {200, 301, 302, 400, 403, 404}
"""How these questions end, in the protocol and in HTTP: all of them are understood."""

LEAKS = (
    MARKER.encode(),
    *(base64.b64encode(value.data).rstrip(b"=") for value in (*CONFIDENTIAL_VALUES, CHANGED, *BURIED_VALUES)),
)


def leaks_in(octets: bytes) -> list[bytes]:
    """Return what is confidential in something that anybody got."""
    return [leak for leak in LEAKS if leak in octets]


def hear_everything(node: StartedNode) -> dict[str, int]:
    """Ask everything; return how it ended, and fail where something is told that is confidential."""
    heard = {name: ask(node) for name, ask in QUESTIONS.items()}
    assert {name: leaks for name, each in heard.items() if (leaks := leaks_in(each.octets))} == {}
    return {name: each.code for name, each in heard.items()}


@pytest_asyncio.fixture(loop_scope="session")
async def readers(node: StartedNode) -> AsyncIterator[list[Stream]]:
    """The owner on connections to every worker, logged in; nobody has read anything yet."""
    hidden = tuple(
        replace(value, permissions=CONFIDENTIAL) for value in OWNER.product_values("图纸") if value.index > 1
    )
    own = [value for value in OWNER.product_values("水泵") if value.index >= 100]
    alias = text_value(2, "HS_ALIAS", PRODUCT.spelling)
    await settle(
        node,
        OWNER,
        OWNER.description(text_value(20, "HS_NAMESPACE", TEMPLATE), *CONFIDENTIAL_VALUES),
        HandleRecord.of(PRODUCT, (text_value(1, "URL", "https://example.cn/水泵"), *CONFIDENTIAL_VALUES, *own)),
        HandleRecord.of(HIDDEN, (*CONFIDENTIAL_VALUES, *(value for value in hidden if value.index >= 100))),
        HandleRecord.of(ALIAS, (alias, *CONFIDENTIAL_VALUES, *own)),
        HandleRecord.of(BURIED, (text_value(1, "URL", "https://example.cn/"), *BURIED_VALUES, *own)),
    )
    async with AsyncExitStack() as stack:
        connections = [await connect(node.address, SOURCE) for _ in range(CLIENTS)]
        for each in connections:
            stack.callback(each.socket.close)
            assert (await log_in(each, OWNER.secret)).response_code == ResponseCode.SUCCESS
        yield connections


def address_of(handle: Handle) -> str:
    """Return where a record is found in the REST API."""
    return f"/api/handles/{quote(handle.spelling)}"


async def read_everything(node: StartedNode, readers: Sequence[Stream]) -> None:
    """Let the owner read what is confidential, through every worker, and over REST."""
    for handle, each in product(READ_BY_OWNER, readers):
        answer = await exchange(each, reading(handle).message())
        assert MARKER.encode() in answer.body.value_list
    for handle, _ in product(READ_BY_OWNER, range(WEB_READERS)):
        reply = await ask_web(node, WebQuestion("GET", address_of(handle)), OWNER.secret, SOURCE)
        assert (reply.status, MARKER in str(reply.said)) == (200, True)


async def test_nobody_else_gets_to_know_what_is_confidential(node: StartedNode, readers: list[Stream]) -> None:
    assert len(QUESTIONS) >= QUESTIONS_MIN
    cold = await asyncio.to_thread(hear_everything, node)
    assert set(cold.values()) == ANSWERS
    await read_everything(node, readers)
    warm = await asyncio.to_thread(hear_everything, node)
    changed = await exchange(readers[0], modification(PRODUCT, CHANGED).message())
    assert changed.response_code == ResponseCode.SUCCESS
    await read_everything(node, readers)
    assert cold == warm == await asyncio.to_thread(hear_everything, node)


async def test_owner_and_strangers_at_the_same_moment_get_what_is_theirs(
    node: StartedNode, readers: list[Stream]
) -> None:
    """What was remembered is dropped each time; one look at the register then serves owner and strangers."""
    asked = (reading(PRODUCT), Wish(OpCode.RESOLUTION, ResolutionRequest(PRODUCT)))
    async with AsyncExitStack() as stack:
        strangers = [await connect(node.address, "127.25.1.1") for _ in range(CLIENTS)]
        for each in strangers:
            stack.callback(each.socket.close)
        for number in range(ROUNDS):
            changed = modification(PRODUCT, (CHANGED, CONFIDENTIAL_VALUES[0])[number % 2])
            assert (await exchange(readers[0], changed.message())).response_code == ResponseCode.SUCCESS
            owners = [exchange(each, asked[0].message()) for each in readers]
            others = [exchange(each, asked[place % 2].message()) for place, each in enumerate(strangers)]
            answers = await asyncio.gather(*owners, *others)
            told = [leaks_in(encode_message(answer)) != [] for answer in answers]
            assert told == [True] * len(owners) + [False] * len(others)


async def test_the_owner_reads_no_value_that_administrators_may_not_read(
    node: StartedNode, readers: list[Stream]
) -> None:
    for value in BURIED_VALUES:
        wish = reading(BURIED, value.index)
        async with stream(node, SOURCE) as fresh:
            answers = [await exchange(each, wish.message()) for each in readers]
            answers.append(await ask_as(fresh, wish, OWNER.signing))
        assert {answer.response_code for answer in answers} == {ResponseCode.INSUFFICIENT_PERMISSIONS}
        asked = WebQuestion("GET", f"{address_of(BURIED)}?index={value.index}")
        reply = await ask_web(node, asked, OWNER.secret, SOURCE)
        assert (reply.status, leaks_in(str(reply.said).encode())) == (403, [])
    whole = await exchange(readers[0], reading(BURIED).message())
    assert whole.response_code == ResponseCode.INSUFFICIENT_PERMISSIONS
    public = await exchange(readers[0], reading(BURIED, 1).message())
    assert public.response_code == ResponseCode.SUCCESS


def test_what_is_to_be_found_would_be_found() -> None:
    shown = b'"data":{"format":"base64","value":"' + base64.b64encode(CONFIDENTIAL_VALUES[-1].data) + b'"}'
    assert leaks_in(shown)
    assert leaks_in(encode_message(request_of(ResolutionRequest(Handle(f"88.118.25/{MARKER}")), OpCode.RESOLUTION)))
    assert not leaks_in(b"https://example.cn/")
