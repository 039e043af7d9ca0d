"""Row 32: JSON is read at most 32 deep, with numbers of at most 20 digits, every name once in an object, UTF-8
alone and up to 2,048 values; whatever else comes is refused, and nobody else notices."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.conformance.rest_speaking import WebQuestion, WebReply
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, SecretKey
from tests.reliability.honest import honest_traffic
from tests.reliability.process_facts import MEBIBYTE, Facts
from tests.reliability.scale import IS_LONG
from tests.reliability.web_client import ask_web
from tests.started_node import StartedNode

DEPTH_MAX, DIGITS_MAX, VALUES_MAX = 32, 20, 2_048
RECORD_OCTETS_MAX, PARAMETERS_OCTETS_MAX = 2 * MEBIBYTE, 65_536
GROWTH_OCTETS_MAX = 64 * MEBIBYTE
SECONDS_MAX = 0.5
SHARE_MIN = 0.99
ATTACK_SECONDS = 30.0 if IS_LONG else 3.0

OWNER = Enterprise.of("88.118.32")
PRODUCT = OWNER.handle("水泵")
TARGET = f"/api/handles/{quote(PRODUCT.spelling)}"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def settled(node: StartedNode) -> None:
    """An enterprise with a product."""
    await settle(node, OWNER)


def value(index: int = 7, name: str = '"x"', **members: str) -> bytes:
    """Return one value, with members as they are written."""
    more = "".join(f',"{member}":{written}' for member, written in members.items())
    return f'{{"index":{index},"type":"备注","data":{name}{more}}}'.encode()


def nested(depth: int, inner: bytes = b"1") -> bytes:
    """Return lists in each other."""
    return b"[" * depth + inner + b"]" * depth


BODIES = {
    "too deep": b'[{"index":7,"type":"a","data":"x","more":%s}]' % nested(DEPTH_MAX - 1),
    "much too deep": nested(RECORD_OCTETS_MAX // 2 - 1),
    "without end": b"[" * RECORD_OCTETS_MAX,
    "objects without end": b'{"a":' * (RECORD_OCTETS_MAX // 5),
    "a long number": b"[%s]" % value(ttl="1" * (DIGITS_MAX + 1)),
    "a number of a million digits": b"[%s]" % value(ttl="1" * 1_000_000),
    "a long fraction": b"[%s]" % value(ttl="1." + "1" * DIGITS_MAX),
    "a long exponent": b"[%s]" % value(ttl="1e" + "1" * DIGITS_MAX),
    "NaN": b"[%s]" % value(ttl="NaN"),
    "infinity": b"[%s]" % value(ttl="-Infinity"),
    "a name twice": b'[{"index":7,"index":8,"type":"a","data":"x"}]',
    "a name twice, once in escapes": b'[{"index":7,"type":"a","data":"x","\\u0074ype":"b"}]',
    "a name twice within": b'[{"index":7,"type":"a","data":{"format":"string","value":"x","value":"y"}}]',
    "no UTF-8": b"[%s]" % value().replace(b"x", b"\xff"),
    "Latin-1": '[{"index":7,"type":"é","data":"x"}]'.encode("latin-1"),
    "overlong UTF-8": b"[%s]" % value().replace(b"x", b"\xc0\x80"),
    "half a character in UTF-8": b"[%s]" % value().replace(b"x", b"\xed\xa0\x80"),
    "GB 18030": '[{"index":7,"type":"名称","data":"泵"}]'.encode("gb18030"),
    "UTF-16": '[{"index":7,"type":"a","data":"x"}]'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf[%s]" % value(),
    "100,000 values, short as they can be": b"[" + b"{}," * 99_999 + b"{}]",
    "many texts": b"[" + b'"",' * 600_000 + b'""]',
    "many escapes": b'["' + b"\\n" * 1_000_000 + b'"]',
    "a text without end": b'["' + b"\\" * 2_000_000,
    "quotes alone": b'"' * RECORD_OCTETS_MAX,
    "a comment": b"[/* */%s]" % value(),
    "a comma too many": b"[%s,]" % value(),
    "more behind": b"[%s] x" % value(),
    "single quotes": b"[{'index':7}]",
    "a control character": b"[%s]" % value().replace(b"x", b"\x01"),
    "half a character in the handle": b'{"handle":"\\ud800","values":[%s]}' % value(),
    "another handle": b'{"handle":"88.118.32/\xe9\x98\x80\xe9\x97\xa8","values":[%s]}' % value(),
    "nothing": b"",
    "a text": b'"x"',
}
"""What is no JSON of ours: 4."""

VALUES = {
    "one value too many": b"[" + b",".join(value(index) for index in range(1, VALUES_MAX + 2)) + b"]",
    "50,000 numbers": b"[" + b"1," * 49_999 + b"1]",
    "half a character in an escape": b"[%s]" % value(name='"\\ud800"'),
    "half a character in a type": b'[{"index":7,"type":"\\udfff","data":"x"}]',
    "a large number": b"[%s]" % value(ttl="9" * DIGITS_MAX),
    "no whole number": b"[%s]" % value(ttl="1e999"),
    "a negative index": b"[%s]" % value(index=-1),
    "a truth value for an index": b'[{"index":true,"type":"a","data":"x"}]',
    "a list of references that is too long": b"[%s]" % value(references="[" + "{}," * 3_000 + "{}]"),
    "a long text": b"[%s]" % value(name=f'"{"x" * 262_145}"'),
}
"""What is JSON, and no values: 202."""

REFUSED = {**dict.fromkeys(BODIES, (400, 4)), **dict.fromkeys(VALUES, (400, 202))}


@pytest.mark.parametrize("query", ["", "?index=various", "?index=7"])
@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_and_changes_nothing(node: StartedNode, name: str, query: str) -> None:
    before = await shown(node)
    reply = await put(node, query, {**BODIES, **VALUES}[name])
    assert (reply.status, reply.code) == REFUSED[name]
    assert await shown(node) == before


async def test_100_000_whole_values_are_more_than_a_body_may_be(node: StartedNode) -> None:
    reply = await put(node, "", b"[" + b",".join(value(index) for index in range(100_000)) + b"]")
    assert reply.status == 413


async def test_what_is_just_not_too_much_is_stored(node: StartedNode) -> None:
    deep = b'{"index":7,"type":"\xe5\xa4\x87\xe6\xb3\xa8","data":"\\ud83d\\ude00","more":%s}' % nested(DEPTH_MAX - 2)
    many = [value(index) for index in range(1_000, 1_000 + VALUES_MAX - 60)]
    reply = await put(node, "?index=various", b"[" + b",".join([deep, *many]) + b"]")
    assert (reply.status, reply.code) == (201, 1)
    stored = {each["index"]: each["data"]["value"] for each in (await shown(node))["values"]}
    assert (stored[7], len(stored)) == ("😀", 1 + len(many) + 3)


QUESTIONS = {
    "too deep": b'{"index":[%s]}' % nested(DEPTH_MAX),
    "deeper than parameters are": b'{"index":[[1]]}',
    "without end": b'{"a":' * (PARAMETERS_OCTETS_MAX // 5),
    "a long number": b'{"index":%s}' % (b"1" * (DIGITS_MAX + 1)),
    "a name twice": b'{"index":1,"index":6}',
    "a name twice, once in escapes": b'{"index":1,"\\u0069ndex":6}',
    "no UTF-8": b'{"type":"\xff"}',
    "half a character": b'{"type":"\\ud800"}',
    "half a character in a name": b'{"\\udfff":1}',
    "NaN": b'{"index":NaN}',
    "too many": b'{"index":[%s1]}' % (b"1," * VALUES_MAX),
    "a list": b"[]",
    "half": b'{"index"',
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_questions_are_read_as_strictly(node: StartedNode, name: str) -> None:
    reply = await ask_web(node, WebQuestion("POST", TARGET, QUESTIONS[name]))
    assert (reply.status, reply.code) == (400, 4)
    for target in ("/api/sessions/this", "/api/verifications/301:0.NA%2F88.118.32"):
        method = "PUT" if target.endswith("this") else "POST"
        reply = await ask_web(node, WebQuestion(method, target, QUESTIONS[name]))
        assert 400 <= reply.status < 500


BOMBS = (
    b"[" * RECORD_OCTETS_MAX,
    b'"' * RECORD_OCTETS_MAX,
    b'["' + b"\\n" * 1_000_000 + b'"]',
    b"[" + b"{}," * 49_000 + b"{}]",
    b"[" + b"1," * 99_000 + b"1]",
    b"[" + b"1," * 599_000 + b"1]",
    b"{" + b",".join(b'"%d":1' % number for number in range(150_000)) + b"}",
)


async def test_nobody_else_notices(node: StartedNode) -> None:
    """Strangers are not listened to for so long, and whoever was proved to be somebody is refused soon."""
    ends = asyncio.Event()
    facts = Facts.of(node)
    thrown = 0

    async def throw(key: SecretKey | None, status: int) -> None:
        nonlocal thrown
        while not ends.is_set():
            for bomb in BOMBS:
                reply = await ask_web(node, WebQuestion("PUT", TARGET, bomb), key)
                assert reply.status == status
                thrown += 1

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(throw(None, 401))
        tasks.create_task(throw(OWNER.secret, 400))
        async with honest_traffic(node) as traffic:
            await asyncio.sleep(ATTACK_SECONDS)
        ends.set()
    assert thrown >= 2 * len(BOMBS)
    assert traffic.share >= SHARE_MIN, traffic
    assert traffic.percentile(0.99) <= SECONDS_MAX, traffic
    assert facts.grown_octets() <= GROWTH_OCTETS_MAX


async def put(node: StartedNode, query: str, content: bytes) -> WebReply:
    return await ask_web(node, WebQuestion("PUT", f"{TARGET}{query}", content), OWNER.secret)


async def shown(node: StartedNode) -> dict[str, object]:
    """Return what everybody sees of the record, as the register has it."""
    reply = await ask_web(node, WebQuestion("GET", f"{TARGET}?auth"))
    return dict(reply.said)
