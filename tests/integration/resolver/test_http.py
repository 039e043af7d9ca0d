"""What the HTTP door says: the reference's recorded exchanges, and our own resources."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from tests.builders import text_value
from tests.integration.resolver.http_world import EXCHANGES, PREFIX, SMALL, World, recorded_json, recorded_record


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    world = World(SMALL)
    await world.door.open()
    yield world
    await world.door.close(1.0)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Reply:
    """A response, read to its end."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.text = body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def ask(world: World, client: aiohttp.ClientSession) -> Any:
    async def ask(target: str, method: str = "GET", body: Any = None, **headers: str) -> Reply:
        url = URL(f"http://127.0.0.1:{world.port}{target}", encoded=True)
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        async with client.request(method, url, headers=names, data=body, allow_redirects=False) as response:
            return Reply(response.status, response.headers, await response.read())

    return ask


def prepared(world: World, name: str) -> None:
    """Bring the register to the state in which the exchange was recorded."""
    if name in {"GET after value edits", "GET hidden index anonymously"}:
        values = recorded_record("GET after value edits").values
        hidden = recorded_record("GET hidden index authenticated").values
        world.put(HandleRecord.of(Handle(f"{PREFIX}/rest-1"), (*values, *hidden)))


ANSWERED_ALIKE = [
    name
    for name, each in EXCHANGES.items()
    if each["request"]["scheme"] == "http" and not name.startswith("verification") and name != "OPTIONS"
]


@pytest.mark.parametrize("name", ANSWERED_ALIKE)
async def test_recorded_exchanges_are_answered_alike(world: World, ask: Any, name: str) -> None:
    request, expected = EXCHANGES[name]["request"], EXCHANGES[name]["response"]
    prepared(world, name)
    body = request["body"] if isinstance(request["body"], str | None) else json.dumps(request["body"])
    reply = await ask(request["path"], request["method"], body, **request["headers"])
    assert reply.status == expected["status"]
    for header in ("Content-Type", "Expires", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"):
        if header in expected["headers"]:
            assert reply.headers[header].startswith(expected["headers"][header])
    if "Location" in expected["headers"]:
        assert without_own_host(reply.headers["Location"]) == without_own_host(expected["headers"]["Location"])
    if expected["headers"].get("Vary") == "Accept":
        assert reply.headers["Vary"] == "Accept"
    if expected["json"] is not None:
        assert_same_json(reply, recorded_json(name))
    elif expected["text"]:
        assert meaning_of(reply.text) == meaning_of(expected["text"])


def without_own_host(location: str) -> str:
    parts = urlsplit(location)
    return parts.path if parts.netloc in {"", "127.0.0.1:18000"} else location


def assert_same_json(reply: Reply, expected: Any) -> None:
    """The same members in the same order; the words of a message are our own."""
    ours = reply.json
    assert list(ours) == list(expected)
    if "message" in expected:
        ours["message"] = expected["message"]
    assert ours == expected


def meaning_of(text: str) -> object:
    """What a body says, whatever its looks: a location list its places, a page what both sides must show."""
    if text.startswith("<locations>"):
        return [dict(place.attrib) for place in ET.fromstring(text)]  # noqa: S314 - ours, or recorded
    if text.upper().startswith("<!DOCTYPE"):
        shown = text.lower().replace("&nbsp;", " ")
        return {each for each in PAGE_MARKS if each in shown}
    return text


PAGE_MARKS = (
    '<a href="https://example.com/rest"',
    '<a href="mailto:ops@example.cn"',
    ">url<",
    ">email<",
    ">desc<",
    ">hs_admin<",
    ">hs_alias<",
    "2026-11-22 06:25:51z",
    f"{PREFIX}/nope",
)
"""What the reference's pages show of a record, in small letters."""


async def test_a_link_leads_to_the_product(ask: Any) -> None:
    reply = await ask("/88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5")
    assert (reply.status, reply.headers["Location"]) == (302, "https://example.cn/%E4%BA%A7%E5%93%81?id=1")
    assert reply.headers["Cache-Control"] == "max-age=300"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/88.118.8%2F%E7%A6%BB%E5%BF%83%E6%B3%B5", "https://example.cn/%E4%BA%A7%E5%93%81?id=1"),
        ("/88.118.8%EF%BC%8F%E7%A6%BB%E5%BF%83%E6%B3%B5", "https://example.cn/%E4%BA%A7%E5%93%81?id=1"),
        ("/88.118.8%20%E7%A6%BB%E5%BF%83%E6%B3%B5", "https://example.cn/%E4%BA%A7%E5%93%81?id=1"),
        ("/resolve/88.118.8%EF%BC%8F%E7%A6%BB%E5%BF%83%E6%B3%B5", "https://example.cn/%E4%BA%A7%E5%93%81?id=1"),
        ("/resolve/VAA088118%38/%E7%A6%BB%E5%BF%83%E6%B3%B5", "https://example.cn/%E4%BA%A7%E5%93%81?id=1"),
        (
            "/resolve/https://a.cn/scan?code=88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5",
            "https://example.cn/%E4%BA%A7%E5%93%81?id=1",
        ),
        ("/resolve?text=hdl%3A88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5", "https://example.cn/%E4%BA%A7%E5%93%81?id=1"),
        ("/?id=88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5", "https://example.cn/%E4%BA%A7%E5%93%81?id=1"),
        ("/88.118.8/%E7%94%B2?a=1&b", "/88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5?a=1&b"),
    ],
)
async def test_whatever_is_scanned_leads_there_too(ask: Any, target: str, location: str) -> None:
    reply = await ask(target)
    assert reply.headers.get("Location") == location


async def test_a_scanner_that_wants_json_gets_it_at_once(ask: Any) -> None:
    reply = await ask("/resolve/88.118.8%20%E7%A6%BB%E5%BF%83%E6%B3%B5", Accept="application/json")
    assert (reply.status, reply.json["handle"], len(reply.json["values"])) == (200, "88.118.8/离心泵", 2)


async def test_a_handle_that_exists_as_it_was_scanned_is_meant_as_it_was_scanned(world: World, ask: Any) -> None:
    world.store("88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5", text_value(1, "DESC", "百分号"))
    reply = await ask("/resolve/88.118.8/%25E7%25A6%25BB%25E5%25BF%2583%25E6%25B3%25B5", Accept="application/json")
    assert reply.json["values"][0]["data"]["value"] == "百分号"


async def test_what_is_no_handle_is_said_in_both_languages(ask: Any) -> None:
    reply = await ask("/resolve/hello", Accept="application/json")
    assert (reply.status, reply.headers["Content-Type"]) == (400, "application/problem+json")
    assert "标识" in reply.json["solve"]["zh"]
    assert "identifier" in reply.json["solve"]["en"].lower()
    page = await ask("/resolve/hello", Accept_Language="en-GB,en;q=0.9")
    assert page.status == 400
    assert "Not an identifier" in page.text


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        ("/88.118.8/%E6%97%A0", 404, "未找到该标识"),
        ("/88.118.9/X", 404, "已暂停解析"),
        ("/88.118.7/X", 404, "<bdi>企业已注销 &lt;1&gt;</bdi>"),
        ("/88.118.7", 200, "HS_NAMESPACE"),
        ("/99.9999.1/X", 400, "不负责"),
        ("/88.200.1/X", 300, "企业节点"),
        ("/88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5?type=NOPE", 404, "没有所查询的公开数据"),
        ("/88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5?index=abc", 400, "参数有误"),
        ("/88.118.8/%FF", 400, "无法识别为标识"),
        ("/88.118.8/%E5%9D%8F%E9%93%BE%E6%8E%A5", 200, "javascript:alert(1)"),
        ("/88.118.8/%E6%8D%A2%E8%A1%8C", 200, "Set-Cookie: a=b"),
        ("/88.118.8/%E5%9C%88%E4%B8%80", 200, "HS_ALIAS"),
    ],
)
async def test_without_a_link_there_is_a_page(ask: Any, target: str, status: int, words: str) -> None:
    reply = await ask(target)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "text/html;charset=UTF-8")
    assert words in reply.text
    assert "Location" not in reply.headers
    assert "Set-Cookie" not in reply.headers


async def test_values_are_shown_as_text(ask: Any) -> None:
    reply = await ask("/88.118.8/a%2Fb")
    assert "&lt;script&gt;" in reply.text
    assert "<script" not in reply.text
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_page_never_links_to_a_script(ask: Any) -> None:
    assert 'href="javascript' not in (await ask("/88.118.8/%E5%9D%8F%E9%93%BE%E6%8E%A5")).text


async def test_an_unreachable_register_is_busy_not_empty(world: World, ask: Any) -> None:
    world.register.outage = ConnectionError()
    page, data = await ask("/88.118.8/%E6%97%A0"), await ask("/api/handles/88.118.8/%E6%97%A0")
    assert (page.status, data.status, data.json["responseCode"]) == (503, 503, 3)
    assert page.headers["Retry-After"] == data.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("PATCH", "/api/handles/88.118.8/X", 501, 5),
        ("PUT", "/api/handles/88.118.8/X", 403, 402),
        ("GET", "/api/handles/88.118.8/%FF", 400, 102),
        ("GET", "/api/handles/99.9999.1/X", 400, 301),
        ("GET", "/api/handles/88.118.9/X", 400, 301),
        ("GET", "/api/handles/88.200.1/X", 300, 302),
        ("GET", "/api/handles/0.NA/88.200.1", 300, 303),
        ("GET", "/api/handles/88.200.1/X?doNotRefer", 400, 301),
        ("GET", "/api/handles/88.118.8/X?%FF=1", 400, 4),
        ("GET", f"/api/handles/{PREFIX}/rest-1?publicOnly=false", 200, 1),
        ("GET", f"/api/handles/0.NA/{PREFIX}?publicOnly=false", 403, 402),
        ("GET", "/api/other", 501, 5),
    ],
)
async def test_the_json_interface_refuses_in_its_own_codes(
    ask: Any, method: str, target: str, status: int, code: int
) -> None:
    reply = await ask(target, method)
    assert (reply.status, reply.json["responseCode"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("PUT", "/88.118.8/X", 405),
        ("DELETE", "/", 405),
        ("PUT", "/resolve/88.118.8/X", 405),
        ("GET", "/resolve/%FF", 400),
        ("GET", "/resolve/?%FF", 400),
        ("GET", "/88.118.8/X?%FF", 400),
        ("GET", "/hello", 400),
        ("GET", "/favicon.ico", 404),
        ("PUT", "/api/site", 501),
        ("OPTIONS", "/api/site", 200),
        ("OPTIONS", "/api/prefixes", 200),
        ("OPTIONS", "/api/sessions", 200),
        ("GET", "/api/sessions/this", 403),
        ("GET", "/" + "%E7%A6%BB" * 800, 400),
    ],
)
async def test_every_other_request_has_its_status(ask: Any, method: str, target: str, status: int) -> None:
    assert (await ask(target, method)).status == status


async def test_head_is_get_without_the_body(ask: Any) -> None:
    get, head = await ask(f"/api/handles/{PREFIX}/rest-1"), await ask(f"/api/handles/{PREFIX}/rest-1", "HEAD")
    assert head.body == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert (await ask(f"/{PREFIX}/rest-1", "HEAD")).status == 302


async def test_a_preflight_says_what_pages_of_other_origins_may_do(ask: Any) -> None:
    asked = {"Origin": "https://app.example", "Access_Control_Request_Method": "GET"}
    reply = await ask("/api/handles/88.118.8/X", "OPTIONS", None, **asked)
    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "GET" in reply.headers["Access-Control-Allow-Methods"]
    assert (await ask("/api/handles/88.118.8/X", "OPTIONS")).headers["Allow"].startswith("GET, HEAD, POST")


async def test_long_answers_are_compressed(world: World) -> None:
    octets = await world.exchange(
        b"GET /api/handles/88.118.8/%E9%95%BF HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )
    head, _, body = octets.partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert len(body) < 1_000


async def test_health_is_told(world: World, ask: Any) -> None:
    assert [(await ask(f"/healthz/{each}")).status for each in ("live", "ready")] == [200, 200]
    world.is_ready = False
    assert [(await ask(f"/healthz/{each}")).status for each in ("live", "ready")] == [200, 503]


async def test_the_start_page_asks_in_the_readers_language(ask: Any) -> None:
    chinese, english = await ask("/"), await ask("/", Accept_Language="de, en;q=0.8, zh;q=0.3")
    assert '<html lang="zh-CN">' in chinese.text
    assert '<html lang="en">' in english.text
    assert "Look up an identifier" in english.text


async def test_what_nobody_expected_is_logged_and_not_shown(
    world: World, ask: Any, capsys: pytest.CaptureFixture
) -> None:
    world.register.outage = ZeroDivisionError("secret detail")
    reply = await ask("/api/handles/88.118.8/%E6%97%A0")
    assert reply.status == 500
    assert "secret" not in reply.text
    assert "secret detail" in capsys.readouterr().out


async def test_a_long_body_is_answered_with_413(ask: Any) -> None:
    assert (await ask(f"/api/handles/{PREFIX}/rest-1", "POST", "index=1&x=" + "a" * 5_000)).status == 413
