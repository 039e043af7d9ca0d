"""Row 29: visitors are sent to web addresses alone; what could split a header or hide a host is refused at every way to
write it and never sent where it got in nevertheless; pages show values as text, under headers that allow no script."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue
from tests.builders import text_value
from tests.conformance.rest_speaking import WebQuestion
from tests.reliability.claimant import Wish, addition, creation, modification, reading
from tests.reliability.conftest import settle
from tests.reliability.doors import DOORS
from tests.reliability.enterprises import Enterprise
from tests.reliability.web_client import ask_web
from tests.reliability.web_octets import WebAnswer, visit
from tests.started_node import LOOPBACK, StartedNode

OWNER = Enterprise.of("88.118.29")
PRODUCT = OWNER.handle("水泵")
WAYS = ("over_tcp", "over_udp", "through_a_tunnel", "over_rest")

FORBIDDEN = {
    "CR": "\r",
    "LF": "\n",
    "CR LF": "\r\nSet-Cookie: a=b\r\n\r\n<script>",
    "NUL": "\0",
    "TAB": "\t",
    "escape": "\x1b",
    "delete": "\x7f",
    "backslash": "\\",
}
"""What no URL may hold, at its start, within and at its end."""

NO_WEB = {
    "script": "javascript:alert(1)",
    "script in capitals": "JavaScript:alert(1)",
    "script with a line": "java\nscript:alert(1)",
    "script behind a blank": " javascript:alert(1)",
    "data": "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript": "vbscript:msgbox(1)",
    "file": "file:///etc/passwd",
    "ftp": "ftp://example.cn/",
    "mail": "mailto:a@example.cn",
    "telephone": "tel:+861012345678",
    "view-source": "view-source:https://example.cn/",
    "blob": "blob:https://example.cn/1",
    "another app": "intent://example.cn#Intent;scheme=https;end",
    "no scheme": "//evil.example/",
    "three slashes": "///evil.example/",
    "a path": "/etc",
    "no host": "https:///evil.example",
    "one slash": "https:/evil.example",
    "a host that is none": "https://[evil",
    "a backslash for a slash": "https:\\\\evil.example",
    "a host behind a backslash": "https://example.cn\\@evil.example",
    "a header": "https://example.cn/\r\nSet-Cookie: a=b",
    "a NUL": "https://example.cn/\0",
    "a tab in the scheme": "ht\ttps://evil.example",
    "a control character beyond ASCII": "https://example.cn/\x85",
    "too long": "https://example.cn/" + "a" * 8_200,
    "nothing": "",
}
"""What nobody is sent to: the record is shown instead."""

MARKUP = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&lt;<!--"


def old(name: str, *values: HandleValue) -> HandleRecord:
    """Return a record as an older version may have let it in."""
    return HandleRecord.of(OWNER.handle(name), values)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def settled(node: StartedNode) -> None:
    """An enterprise with a product, and records that could not be written today, put straight into the register."""
    await settle(
        node,
        OWNER,
        *(old(f"网址-{name}", text_value(1, "URL", url)) for name, url in NO_WEB.items()),
        *(
            old(f"位置-{name}", text_value(1, "10320/loc", locations(url)))
            for name, url in NO_WEB.items()
            if "\0" not in url
        ),
        *(old(f"网址-{name}", text_value(1, "URL", f"https://a.cn/{sign}x")) for name, sign in FORBIDDEN.items()),
        old(
            MARKUP,
            text_value(1, MARKUP, MARKUP),
            text_value(2, "URL", f"javascript:{MARKUP}"),
            text_value(3, "EMAIL", MARKUP),
        ),
        old("别名", text_value(1, "HS_ALIAS", "/evil.example/\r\nSet-Cookie: a=b")),
        old("双斜杠", text_value(1, "HS_ALIAS", "//evil.example")),
    )


def locations(url: str) -> str:
    """Return one place as XML, control characters as references so that they come through."""
    written = "".join(each if each.isprintable() and each not in '<&"' else f"&#{ord(each)};" for each in url)
    return f'<locations><location href="{written}"/></locations>'


def target(handle: Handle, query: str = "") -> str:
    """Return where browsers ask for a handle."""
    return f"/{quote(handle.spelling, safe='')}{query}"


def wishes(url: str) -> dict[str, Wish]:
    """Return every way to write a URL."""
    value = text_value(1, "URL", url)
    return {
        "create": creation(OWNER.handle("新的"), value),
        "add": addition(PRODUCT, text_value(9, "url.cn", url)),
        "modify": modification(PRODUCT, value),
    }


@pytest.mark.parametrize("place", ["{}https://a.cn/", "https://a.cn{}b.cn/", "https://a.cn/{}"])
@pytest.mark.parametrize("name", FORBIDDEN)
async def test_it_is_refused_at_every_way_to_write_it(node: StartedNode, name: str, place: str) -> None:
    url = place.format(FORBIDDEN[name])
    for change, wish in wishes(url).items():
        for way in WAYS:
            code = await DOORS[way](node, wish, OWNER, LOOPBACK)
            assert (change, way, code) == (change, way, ResponseCode.INVALID_VALUE)
    assert (
        await DOORS["over_tcp"](node, reading(OWNER.handle("新的")), OWNER, LOOPBACK) == ResponseCode.HANDLE_NOT_FOUND
    )


def test_so_it_is_in_files(node: StartedNode, tmp_path: Path) -> None:
    values = [
        {"index": 1, "type": "URL", "data": {"format": "string", "value": f"https://a.cn/{sign}"}}
        for sign in FORBIDDEN.values()
    ]
    lines = [
        json.dumps({"handle": f"{OWNER.prefix}/导入-{number}", "values": [value]})
        for number, value in enumerate(values)
    ]
    rows = [
        f'{OWNER.prefix}/导入-{number},"https://a.cn/{sign}"'
        for number, sign in enumerate(FORBIDDEN.values())
        if sign != "\0"
    ]
    for name, written in (("a.ndjson", "\n".join(lines)), ("a.csv", "\n".join(("handle,url", *rows)))):
        file = tmp_path / name
        file.write_bytes(written.encode())
        assert node.idnode("import", str(file)).returncode != 0
        told = [json.loads(line)["reason"] for line in file.with_name(f"{name}.errors.ndjson").read_text().splitlines()]
        assert told == ["a URL must not hold spaces, control characters or backslashes"] * len(told)
        assert len(told) == written.count(str(OWNER.prefix))
    assert f"{OWNER.prefix}/导入" not in node.idnode("export").stdout


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in ("网址", "位置") for name in NO_WEB if (kind, name) != ("位置", "a NUL")],  # No XML.
)
async def test_nobody_is_sent_to_what_is_no_web_address(node: StartedNode, name: str, kind: str) -> None:
    handle = OWNER.handle(f"{kind}-{name}")
    for query in ("", "?urlappend=x", "?locatt=id:1", "?action=redirect", "?noredirect"):
        assert_is_page(await visit(node, target(handle, query)), 200)
    shown = await visit(node, target(handle, "?action=showurls"))
    assert shown.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_what_got_in_before_is_shown_and_not_followed(node: StartedNode, name: str) -> None:
    handle = OWNER.handle(f"网址-{name}")
    assert_is_page(await visit(node, target(handle)), 200)
    reply = await ask_web(node, WebQuestion("GET", f"/api/handles{target(handle)}"))
    assert reply.status == 200


async def test_an_alias_leads_to_a_path_of_ours_alone(node: StartedNode) -> None:
    for name, path in (("别名", "/%2Fevil.example/%0D%0ASet-Cookie:%20a=b"), ("双斜杠", "/%2F/evil.example")):
        sent = await visit(node, target(OWNER.handle(name)))
        assert (sent.status, sent.headers["location"]) == (301, path)
        assert "set-cookie" not in sent.headers


APPENDED = {
    "another host": ".evil.example",
    "a user": "@evil.example",
    "a port": ":1@evil.example/",
    "a header": "%0D%0ASet-Cookie:%20a=b",
    "a backslash": "%5C@evil.example",
    "a NUL": "%00",
}


@pytest.mark.parametrize("name", APPENDED)
async def test_what_a_visitor_appends_does_not_lead_elsewhere(node: StartedNode, name: str) -> None:
    record = old("首页", text_value(1, "URL", "https://example.cn"))
    await settle(node, OWNER, record)
    sent = await visit(node, target(record.handle, f"?urlappend={APPENDED[name]}"))
    assert (sent.status, sent.headers["location"]) == (302, "https://example.cn")
    assert "set-cookie" not in sent.headers


async def test_a_forged_host_sends_nobody_anywhere(node: StartedNode) -> None:
    sent = await visit(node, target(OWNER.handle("别名")), "X-Forwarded-Host: evil.example\r\n")
    assert sent.headers["location"].startswith("/%2F")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(
    "query", ["", "?noredirect", "?type=%3Cscript%3E", "?index=%3Cscript%3E", "?callback=%3Cscript%3E"]
)
async def test_names_and_values_are_shown_as_text(node: StartedNode, query: str, language: str) -> None:
    for name in (OWNER.handle(MARKUP), Handle(f"99.1/{MARKUP}"), OWNER.handle(f"没有-{MARKUP}")):
        shown = await visit(node, target(name, query), f"Accept-Language: {language}\r\n")
        assert_is_page(shown, shown.status)
        assert b"&lt;script&gt;" in shown.body
    for path in ("/?text=", "/resolve?text=", "/resolve/"):
        shown = await visit(node, f"{path}{quote(MARKUP, safe='')}", f"Accept-Language: {language}\r\n")
        assert_is_page(shown, shown.status)


def assert_is_page(answer: WebAnswer, status: int) -> None:
    """Check that an answer is a page that sends nobody on, runs nothing and shows values as text."""
    policy = answer.headers["content-security-policy"].split("; ")
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html;charset=UTF-8")
    assert policy[0] == "default-src 'none'"
    assert {"frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert not [each for each in policy if "unsafe" in each or each.startswith("script-src")]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert not {"location", "set-cookie", "refresh"} & set(answer.headers)
    page = answer.body.lower()
    assert not [
        each for each in (b"<script", b"<img", b"http-equiv", b'href="java', b'href="data', b'href="vb') if each in page
    ]


async def test_answers_in_json_and_script_are_never_taken_for_pages(node: StartedNode) -> None:
    escaped = quote(OWNER.handle(MARKUP).spelling, safe="")
    for query, kind in (
        ("", "application/json;charset=UTF-8"),
        ("?callback=%3Cscript%3E", "application/javascript;charset=UTF-8"),
    ):
        shown = await visit(node, f"/api/handles/{escaped}{query}", "Origin: https://evil.example\r\n")
        assert (shown.status, shown.headers["content-type"]) == (200, kind)
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert not shown.body.startswith(b"<")
        assert "access-control-allow-credentials" not in shown.headers
