"""Row 31: what a proxy might read in another way than we do is answered with 400 and the end of the connection, never
with a second answer; heads, fields, URLs and bodies have limits; and whatever comes, no answer is a failure of ours."""

from __future__ import annotations

import asyncio
import socket
from itertools import product

import pytest

from handle_protocol.limits import ENVELOPE_OCTETS, MESSAGE_OCTETS_MAX
from tests.reliability.web_octets import Heard, exchange_octets
from tests.started_node import LOOPBACK, StartedNode

URL_OCTETS_MAX, FIELD_OCTETS_MAX, HEAD_OCTETS_MAX, FIELDS_MAX = 8_192, 8_192, 16_384, 100
PARAMETERS_OCTETS_MAX, RECORD_OCTETS_MAX = 65_536, 2 * 2**20
KEPT_SECONDS = 0.5
"""How long it is waited for a second answer on a connection that stays open."""

LINE = b"GET /healthz/live HTTP/1.1\r\n"
HEAD = LINE + b"Host: x\r\n"
SMUGGLED = b"GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n"
"""Comes after what is refused; one who read that otherwise would answer it."""


def with_line(line: bytes) -> bytes:
    return line + b"\r\nHost: x\r\n\r\n" + SMUGGLED


def with_field(field: bytes) -> bytes:
    return HEAD + field + b"\r\n\r\n" + SMUGGLED


def with_body(*fields: bytes, content: bytes = b"") -> bytes:
    return (
        b"POST / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"%s\r\n" % each for each in fields) + b"\r\n" + content + SMUGGLED
    )


def in_chunks(content: bytes) -> bytes:
    return with_body(b"Transfer-Encoding: chunked", content=content)


LENGTHS = {
    "length and chunks": with_body(b"Content-Length: 3", b"Transfer-Encoding: chunked", content=b"0\r\n\r\n"),
    "chunks and length": with_body(b"Transfer-Encoding: chunked", b"Content-Length: 3", content=b"0\r\n\r\n"),
    "two lengths": with_body(b"Content-Length: 0", b"Content-Length: 5"),
    "two lengths alike": with_body(b"Content-Length: 0", b"Content-Length: 0"),
    "two lengths in one field": with_body(b"Content-Length: 0, 0"),
    "a length with plus": with_body(b"Content-Length: +0"),
    "a length below zero": with_body(b"Content-Length: -1"),
    "a hexadecimal length": with_body(b"Content-Length: 0x0"),
    "no length": with_body(b"Content-Length: "),
    "a length with a blank in it": with_body(b"Content-Length: 0 0"),
    "a length with a low line": with_body(b"Content-Length: 1_0"),
    "a length with a fraction": with_body(b"Content-Length: 0.0"),
    "a full-width length": with_body("Content-Length: ０".encode()),
    "a length beyond 64 bits": with_body(b"Content-Length: 99999999999999999999999"),
}

CODINGS = {
    "identity": with_body(b"Transfer-Encoding: identity"),
    "xchunked": with_body(b"Transfer-Encoding: xchunked", content=b"0\r\n\r\n"),
    "chunked, then identity": with_body(b"Transfer-Encoding: chunked, identity", content=b"0\r\n\r\n"),
    "chunked twice": with_body(b"Transfer-Encoding: chunked, chunked", content=b"0\r\n\r\n"),
    "chunked in two fields": with_body(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", content=b"0\r\n\r\n"
    ),
    "a vertical tab": with_body(b"Transfer-Encoding: \x0bchunked", content=b"0\r\n\r\n"),
    "quotes": with_body(b'Transfer-Encoding: "chunked"', content=b"0\r\n\r\n"),
    "a NUL behind": with_body(b"Transfer-Encoding: chunked\0", content=b"0\r\n\r\n"),
    "a blank before the colon": with_body(b"Transfer-Encoding : chunked", content=b"0\r\n\r\n"),
    "chunks in HTTP 1.0": b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
}

CHUNKS = {
    "no number": in_chunks(b"zz\r\nab\r\n0\r\n\r\n"),
    "below zero": in_chunks(b"-1\r\nab\r\n0\r\n\r\n"),
    "0x": in_chunks(b"0x2\r\nab\r\n0\r\n\r\n"),
    "no size": in_chunks(b"\r\nab\r\n0\r\n\r\n"),
    "beyond 64 bits": in_chunks(b"10000000000000002\r\nab\r\n0\r\n\r\n"),
    "longer than it says": in_chunks(b"2\r\nabcdef\r\n0\r\n\r\n"),
    "no end": in_chunks(b"2\r\nab0\r\n\r\n"),
    "LF alone behind the size": in_chunks(b"2\nab\r\n0\r\n\r\n"),
    "LF alone behind the data": in_chunks(b"2\r\nab\n0\r\n\r\n"),
    "LF alone at the end": in_chunks(b"0\r\n\n"),
    "LF in an extension": in_chunks(b"2;a\nb\r\nab\r\n0\r\n\r\n"),
    "a blank behind the size": in_chunks(b"2 \r\nab\r\n0\r\n\r\n"),
    "a trailer without colon": in_chunks(b"0\r\nX y\r\n\r\n"),
    "a length as a trailer": in_chunks(b"0\r\nContent-Length: 10\r\n\r\n"),
    "a coding as a trailer": in_chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
}

FIELDS = {
    "folded": with_field(b"X: a\r\n b"),
    "folded with a tab": with_field(b"X: a\r\n\tb"),
    "folded at once": LINE + b" Host: x\r\n\r\n" + SMUGGLED,
    "LF alone": LINE.replace(b"\r", b"") + b"Host: x\n\n" + SMUGGLED,
    "LF alone between fields": with_field(b"X: a\nY: b"),
    "LF alone at the end": HEAD + b"X: a\r\n\n" + SMUGGLED,
    "CR alone": with_field(b"X: a\rY: b"),
    "CR twice": with_field(b"X: a\r"),
    "NUL": with_field(b"X: a\0b"),
    "NUL in a name": with_field(b"X\0: b"),
    "a control character": with_field(b"X: a\x01b"),
    "a blank in a name": with_field(b"X Y: b"),
    "a blank before the colon": with_field(b"X : b"),
    "no name": with_field(b": b"),
    "no colon": with_field(b"X"),
    "a bracket in a name": with_field(b"X(: b"),
    "a Chinese name": with_field("名: b".encode()),
    "two hosts": with_field(b"Host: y"),
    "no host": LINE + b"\r\n" + SMUGGLED,
    "a blank in the host": LINE + b"Host: x y\r\n\r\n" + SMUGGLED,
    "a path in the host": LINE + b"Host: x/y\r\n\r\n" + SMUGGLED,
    "a user in the host": LINE + b"Host: u@x\r\n\r\n" + SMUGGLED,
}

LINES = {
    "no version": LINE.replace(b" HTTP/1.1", b"") + b"\r\n" + SMUGGLED,
    "a version in small letters": with_line(b"GET /healthz/live http/1.1"),
    **{
        f"version {each}": with_line(b"GET /healthz/live HTTP/" + each.encode())
        for each in ("0.9", "1.2", "1.10", "2.0")
    },
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED,
    "tabs": with_line(b"GET\t/healthz/live\tHTTP/1.1"),
    "a word too many": with_line(b"GET /healthz/live x HTTP/1.1"),
    "a blank first": with_line(b" GET /healthz/live HTTP/1.1"),
    "a bracket in the method": with_line(b"G(T /healthz/live HTTP/1.1"),
    "no target": with_line(b"GET HTTP/1.1"),
    "NUL in the target": with_line(b"GET /healthz/live\0 HTTP/1.1"),
    "a control character in the target": with_line(b"GET /healthz\x01/live HTTP/1.1"),
    "no path": with_line(b"GET healthz/live HTTP/1.1"),
    "another scheme": with_line(b"GET ftp://x/healthz/live HTTP/1.1"),
    "CONNECT": with_line(b"CONNECT 127.0.0.1:80 HTTP/1.1"),
    "asterisk": with_line(b"OPTIONS * HTTP/1.1"),
}

REFUSED = {
    f"{family}: {name}": octets
    for family, each in {"length": LENGTHS, "coding": CODINGS, "chunk": CHUNKS, "field": FIELDS, "line": LINES}.items()
    for name, octets in each.items()
}


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "TLS"])
async def test_what_can_be_read_in_two_ways_is_refused_and_ends_the_connection(
    node: StartedNode, *, is_secure: bool
) -> None:
    heard = await asyncio.gather(*(exchange_octets(node, each, is_secure=is_secure) for each in REFUSED.values()))
    refusals = {name: (each.statuses, each.is_closed) for name, each in zip(REFUSED, heard, strict=True)}
    assert refusals == dict.fromkeys(REFUSED, ([400], True))


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip,chunked", b""])
async def test_a_coding_that_we_do_not_know_is_refused_and_ends_the_connection(
    node: StartedNode, coding: bytes
) -> None:
    heard = await exchange_octets(
        node, with_body(b"Transfer-Encoding: " + coding, content=b"0\r\n\r\n" if coding else b"")
    )
    assert (heard.statuses, heard.is_closed) == ([501], True)


UNAMBIGUOUS = {
    "two blanks": (with_line(b"GET  /healthz/live HTTP/1.1"), [200, 200]),
    "the whole URL, of another host": (with_line(b"GET http://y/healthz/live HTTP/1.1"), [200, 200]),
    "a body that nobody asked for": (HEAD + b"Content-Length: 3\r\n\r\nabc" + SMUGGLED, [200, 200]),
    "a request as a body": (HEAD + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, [200]),
    "a request as a chunk": (in_chunks(b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)), [200, 200]),
    "TRACE": (with_field(b"Cookie: s").replace(b"GET /healthz/live", b"TRACE /", 1), [405, 200]),
    "an upgrade to what we do not speak": (with_field(b"Connection: Upgrade\r\nUpgrade: websocket"), [200, 200]),
}


@pytest.mark.parametrize("name", UNAMBIGUOUS)
async def test_what_can_be_read_in_one_way_is_answered_as_often_as_it_asks(node: StartedNode, name: str) -> None:
    octets, statuses = UNAMBIGUOUS[name]
    heard = await exchange_octets(node, octets, seconds=KEPT_SECONDS)
    assert (heard.statuses, heard.is_closed) == (statuses, False)


async def test_a_target_with_another_host_is_no_wish_to_go_there(node: StartedNode) -> None:
    with socket.create_server((LOOPBACK, 0)) as elsewhere:
        elsewhere.settimeout(KEPT_SECONDS)
        url = b"http://%s:%d/88.118.8/x" % (LOOPBACK.encode(), elsewhere.getsockname()[1])
        lines = [with_line(b"%s %s HTTP/1.1" % (method, url)) for method in (b"GET", b"POST", b"CONNECT")]
        heard = await asyncio.gather(*(exchange_octets(node, each, seconds=KEPT_SECONDS) for each in lines))
        assert [each.statuses for each in heard] == [[404, 200], [405, 200], [400]]
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def head_of(octets_count: int) -> bytes:
    """Return a request whose target and fields have that many octets, as a limit counts them."""
    rest = octets_count - len(b"/healthz/live") - len(b"Host: x\r\n")
    fields = []
    while rest > 0:
        length = min(rest, FIELD_OCTETS_MAX - 192)
        fields.append(b"X: %s\r\n" % (b"a" * (length - 5)))
        rest -= length
    return HEAD + b"".join(fields) + b"\r\n"


HEADS = {
    "the longest URL": (b"GET /healthz/live?%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * (URL_OCTETS_MAX - 40)), 200),
    "a longer one": (b"GET /healthz/live?%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * URL_OCTETS_MAX), 431),
    "the longest field": (HEAD + b"X: %s\r\n\r\n" % (b"a" * (FIELD_OCTETS_MAX - 8)), 200),
    "a longer field": (HEAD + b"X: %s\r\n\r\n" % (b"a" * (FIELD_OCTETS_MAX + 1)), 431),
    "a longer name": (HEAD + b"%s: b\r\n\r\n" % (b"a" * (FIELD_OCTETS_MAX + 1)), 431),
    "the longest head": (head_of(HEAD_OCTETS_MAX), 200),
    "a longer head": (head_of(HEAD_OCTETS_MAX + 8), 431),
    "as many fields as may be": (HEAD + b"X: a\r\n" * (FIELDS_MAX - 1) + b"\r\n", 200),
    "one more": (HEAD + b"X: a\r\n" * FIELDS_MAX + b"\r\n", 400),
    "ten times as many": (HEAD + b"X: a\r\n" * 10 * FIELDS_MAX + b"\r\n", 400),
}


@pytest.mark.parametrize("name", HEADS)
async def test_a_head_has_limits(node: StartedNode, name: str) -> None:
    octets, status = HEADS[name]
    heard = await exchange_octets(node, octets + (SMUGGLED if status != 200 else b""), seconds=KEPT_SECONDS)
    assert (heard.statuses, heard.is_closed) == ([status], status != 200)


TUNNELLED = b"Content-Type: application/x-hdl-message\r\n"
BODIES = {
    "a form": (b"POST /resolve", b"Content-Type: application/x-www-form-urlencoded\r\n", PARAMETERS_OCTETS_MAX),
    "a question as JSON": (b"POST /api/site", b"Content-Type: application/json\r\n", PARAMETERS_OCTETS_MAX),
    "a session": (b"PUT /api/sessions/this", b"Content-Type: application/json\r\n", PARAMETERS_OCTETS_MAX),
    "a record": (b"PUT /api/handles/88.118.8/x", b"Content-Type: application/json\r\n", RECORD_OCTETS_MAX),
    "a message": (b"POST /", TUNNELLED, ENVELOPE_OCTETS + MESSAGE_OCTETS_MAX),
}


@pytest.mark.parametrize("is_announced", [True, False], ids=["announced", "in chunks"])
@pytest.mark.parametrize("name", BODIES)
async def test_a_body_has_a_limit(node: StartedNode, name: str, *, is_announced: bool) -> None:
    asked, fields, octets_max = BODIES[name]

    async def heard(length: int) -> Heard:
        content = b"a" * length
        framing = (
            b"Content-Length: %d\r\n\r\n%s"
            if is_announced
            else b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        )
        whole = b"%s HTTP/1.1\r\nHost: x\r\n%s" % (asked, fields) + framing % (length, content)
        return await exchange_octets(node, whole + SMUGGLED, seconds=2.0 if length > octets_max else KEPT_SECONDS)

    longest = await heard(octets_max)
    assert longest.statuses
    assert 413 not in longest.statuses
    longer = await heard(octets_max + 1)
    assert (longer.statuses, longer.is_closed) == ([413], True)


async def test_a_body_that_is_announced_too_long_is_refused_before_it_comes(node: StartedNode) -> None:
    lengths = (PARAMETERS_OCTETS_MAX + 1, 2**31, 2**63 - 1)
    heads = [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length for length in lengths]
    heard = await asyncio.gather(*(exchange_octets(node, head) for head in heads))
    assert [(each.statuses, each.is_closed) for each in heard] == [([413], True)] * len(lengths)


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND")
PATHS = """
/ /% /%00 /%ff /%ZZ //x /.. /%2e%2e/ /a?b=% /resolve /resolve/%00 /resolve?text=%ff /88.118.8/%E6%B3%B5
/88.118.8/%00%0d%0a /88.118.8/x?index=a /88.118.8/x?action=%00&locatt=:&ip=%00&country=%00 /88.118.8/x?type=%ff
/api /api/ /api/x /api/handles /api/handles/ /api/handles/% /api/handles/%ff%00 /api/handles/88.118.8/x?index=-1
/api/handles/88.118.8/x?index=99999999999999999999 /api/handles/88.118.8/x?callback=%00 /api/handles?prefix=%ff
/api/handles?prefix=88.118.8&page=-1&pageSize=99999999999999999999 /api/prefixes /api/prefixes/%ff /api/site
/api/verifications/1:x /api/verifications/%ff?nonce=% /api/sessions /api/sessions/this /healthz/live
"""
TARGETS = (*PATHS.split(), "/88.118.8/x?" + "&" * 3_000, "/88.118.8/x?" + "index=1&" * 900)
BODY = b'{"index": [[], {"a": 1e999}], "\\ud800": 1'


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "TLS"])
async def test_whatever_is_asked_no_answer_is_a_failure_of_ours(node: StartedNode, *, is_secure: bool) -> None:
    """501 says that there is no such thing, 503 that it is to be had later."""
    statuses: dict[tuple[str, str, bool], int] = {}
    kinds = list(product(TARGETS, (False, True)))

    async def ask(method: str, target: str, *, has_body: bool) -> None:
        fields = b'Authorization: Handle version="0", sessionId="\xff", id="%"\r\nCookie: JSESSIONID=%00\r\n'
        content = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
        head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode() + fields
        heard = await exchange_octets(node, head + (content if has_body else b"\r\n"), is_secure=is_secure)
        (statuses[method, target, has_body],) = heard.statuses

    for method in METHODS:
        await asyncio.gather(*(ask(method, target, has_body=has_body) for target, has_body in kinds))
    failures = {what: status for what, status in statuses.items() if status >= 500 and status not in {501, 503}}
    assert failures == {}
