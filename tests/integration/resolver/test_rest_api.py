"""What the REST API says where the recorded exchanges are silent: revisions, bad bodies, other origins, lists."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from resolver.listeners.client_certificate import ClientCertificate
from tests.builders import text_value
from tests.integration.resolver.http_world import PREFIX
from tests.integration.resolver.rest_world import BASIC, RestWorld, without_stamps

PUMP = f"/api/handles/{PREFIX}/rest-1"
NEW = f"/api/handles/{PREFIX}/%E7%A6%BB%E5%BF%83%E6%B3%B5"
NAME = {"index": 3, "type": "名称", "data": "离心泵"}
ADMIN = "301:0.NA/" + PREFIX


@pytest.fixture
def world() -> Iterator[RestWorld]:
    world = RestWorld()
    yield world
    world.close()


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def named(**members: Any) -> dict[str, Any]:
    return {**NAME, **members}


WRONG_BODIES: dict[str, tuple[object, int]] = {
    "no JSON": (b"{", 4),
    "no UTF-8": (b'[{"index":1,"type":"\xff","data":""}]', 4),
    "too deep": (deep(33), 4),
    "far too deep": (deep(1_000_000), 4),
    "a name twice": (b'[{"index":1,"index":2,"type":"a","data":""}]', 4),
    "a long number": (b'[{"index":' + b"9" * 1_000_000 + b',"type":"a","data":""}]', 4),
    "texts without an end": (b'["' + b'\\"' * 500_000 + b"\\", 4),
    "no number": (b'[{"index":NaN,"type":"a","data":""}]', 4),
    "a text": (b'"a"', 4),
    "another handle": ({"handle": f"{PREFIX}/other", "values": [NAME]}, 4),
    "too many values": ([named(index=each) for each in range(1, 2_050)], 202),
    "far too many values": (b"[" + b",".join([b'{"index":1,"type":"a","data":"b"}'] * 60_000) + b"]", 4),
    "half a value": ([{"index": 1, "type": "URL"}], 202),
    "no type": ([{"index": 1, "data": "离心泵"}], 202),
    "unknown format": ([named(data={"format": "yaml", "value": ""})], 202),
    "no base64": ([named(data={"format": "base64", "value": "离心泵"})], 202),
    "negative index": ([named(index=-1)], 202),
    "index as text": ([named(index="三")], 202),
    "lone surrogate": (b'[{"index":3,"type":"a","data":"\\ud800"}]', 202),
    **{
        f"permissions {text!r}": ([named(permissions=text)], 202)
        for text in ("", "1", "11", "111", "11111", "1120", "１１１０", "1" * 5_000)
    },
    "an index twice": ([NAME, named(data="另一个")], 201),
}


@pytest.mark.parametrize(("body", "code"), WRONG_BODIES.values(), ids=WRONG_BODIES)
async def test_wrong_bodies_are_refused_and_change_nothing(world: RestWorld, body: object, code: int) -> None:
    before = dict(world.register.records)
    replies = [await world.put(target, body) for target in (PUMP, f"{PUMP}?index=various", NEW)]
    assert [reply.code for reply in replies] == [(409 if code == 201 else 400, code)] * 3
    assert world.register.records == before


async def test_one_value_of_many_that_is_wrong_spoils_them_all(world: RestWorld) -> None:
    before = dict(world.register.records)
    good = [named(index=each) for each in range(10, 20)]
    assert (await world.put(f"{PUMP}?index=various", [*good, named(permissions="2")])).code == (400, 202)
    assert world.register.records == before


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_only_what_is_called_json_is_stored(world: RestWorld, content_type: str) -> None:
    assert (await world.put(NEW, [NAME], Content_Type=content_type)).code == (400, 4)


async def test_a_record_is_made_read_changed_and_deleted(world: RestWorld) -> None:
    owner = {"handle": f"0.NA/{PREFIX}", "index": 200, "permissions": "011111110011"}
    values = [NAME, {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": owner}}]
    made = await world.put(NEW, {"values": values})
    again = await world.put(NEW, {"handle": f"{PREFIX}/离心泵", "values": values})
    assert (made.code, again.code, made.json["handle"]) == ((201, 1), (200, 1), f"{PREFIX}/离心泵")
    read = await world.ask("GET", NEW, is_secure=False)
    assert read.json["values"][0]["data"] == {"format": "string", "value": "离心泵"}
    assert (await world.ask("DELETE", NEW, Authorization=BASIC)).code == (200, 1)
    assert (await world.ask("GET", NEW, is_secure=False)).code == (404, 100)


async def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(world: RestWorld) -> None:
    tag = (await world.ask("GET", PUMP, is_secure=False)).headers["ETag"]
    first = await world.put(f"{PUMP}?index=3", [NAME], If_Match=tag)
    second = await world.put(f"{PUMP}?index=4", [named(index=4)], If_Match=tag)
    third = await world.put(f"{PUMP}?index=4", [named(index=4)], If_Match=first.headers["ETag"])
    assert [first.code, second.code, third.code] == [(201, 1), (412, 2), (201, 1)]
    assert (await world.ask("DELETE", PUMP, Authorization=BASIC, If_Match=tag)).code == (412, 2)


async def test_conditions_on_existence(world: RestWorld) -> None:
    replies = (
        await world.put(NEW, [NAME], If_Match="*"),
        await world.put(NEW, [NAME], If_None_Match="*"),
        await world.put(NEW, [NAME], If_None_Match="*", Content_Type="application/json; charset=utf-8"),
        await world.put(NEW, [NAME], If_Match="*"),
        await world.put(NEW, [NAME], If_Match='"1", "2"'),
        await world.put(NEW, [NAME], If_Match='W/"1-abc"'),
    )
    assert [reply.status for reply in replies] == [412, 201, 412, 200, 400, 200]


async def test_a_whole_record_that_is_known_already_is_not_sent_again(world: RestWorld) -> None:
    await world.put(f"{PUMP}?index=6", [named(index=6, permissions="1100")])
    public = await world.ask("GET", PUMP, is_secure=False)
    whole = await world.ask("GET", PUMP, Authorization=BASIC)
    assert len(whole.json["values"]) == len(public.json["values"]) + 1
    asked = [
        await world.ask("GET", PUMP, is_secure=False, If_None_Match=f'"0", W/{public.headers["ETag"]}'),
        await world.ask("GET", PUMP, Authorization=BASIC, If_None_Match=public.headers["ETag"]),
        await world.ask("GET", f"{PUMP}?index=1", is_secure=False, If_None_Match=public.headers["ETag"]),
    ]
    assert [(reply.status, bool(reply.text)) for reply in asked] == [(304, False), (200, True), (200, True)]


HEADERS = {
    "no scheme we know": "Bearer abc",
    "no base64": "Basic 离心泵",
    "no secret": "Basic " + base64.b64encode(b"301%3A0.NA%2Fa").decode(),
    "a name twice": 'Handle sessionId="a", sessionId="b"',
    "no fields": "Handle ====",
    "no nonce of base64": 'Handle sessionId="abc123", cnonce="***"',
    "an endless index": "Basic " + base64.b64encode(b"9" * 5_000 + b"%3A0.NA%2Fa:x").decode(),
    "no session": 'Handle sessionId="0123456789"',
    "no certificate": 'Handle clientCert="true"',
    "a certificate of nobody": f'Handle clientCert="true", id="{ADMIN}"',
    "an unknown key type": f'Handle sessionId="abc123", id="{ADMIN}", type="X", alg="SHA256", signature="eHg="',
    "a short code": f'Handle sessionId="abc123", id="{ADMIN}", alg="SHA256", signature="eHg="',
    "costly": f'Handle sessionId="abc123", id="{ADMIN}", alg="PBKDF2-HMAC-SHA1", signature="eHg=", salt="AAECAwQFBgc=",'
    ' iterations="4294967295", length="160"',
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
async def test_credentials_that_prove_nothing_are_refused_without_a_body(world: RestWorld, header: str) -> None:
    await world.ask("POST", "/api/sessions")
    reply = await world.ask("DELETE", PUMP, Authorization=header)
    assert (reply.status, reply.text) == (401, "")
    assert 'error="Identity not verified"' in reply.headers["WWW-Authenticate"]
    assert world.stored(f"{PREFIX}/rest-1") is not None


async def test_over_plain_http_nobody_is_anybody(world: RestWorld) -> None:
    replies = [
        await world.ask("DELETE", PUMP, is_secure=False, Authorization=BASIC),
        await world.ask("GET", f"{PUMP}?publicOnly=false", is_secure=False, Authorization=BASIC),
        await world.ask("GET", f"/api/handles?prefix={PREFIX}", is_secure=False, Authorization=BASIC),
    ]
    assert [reply.status for reply in replies] == [403, 200, 403]
    assert not any("WWW-Authenticate" in reply.headers for reply in replies)


async def test_whoever_guesses_is_asked_to_wait(world: RestWorld) -> None:
    wrong = "Basic " + base64.b64encode(f"301%3A0.NA%2F{PREFIX}:猜".encode()).decode()
    statuses = [(await world.ask("DELETE", PUMP, Authorization=wrong)).status for _ in range(11)]
    assert (statuses[0], statuses[-1]) == (401, 429)


FORGED = {
    "a form with a remembered password": ("POST", {"Authorization": BASIC}, (403, 401)),
    "a cookie": ("DELETE", {"Cookie": "JSESSIONID=abc123"}, (403, 401)),
    "a script that says who it is": ("DELETE", {"Authorization": BASIC}, (400, 200)),
}


@pytest.mark.parametrize(("method", "headers", "code"), FORGED.values(), ids=FORGED)
async def test_pages_of_other_origins_cannot_use_what_a_browser_remembers(
    world: RestWorld, method: str, headers: dict[str, str], code: tuple[int, int]
) -> None:
    target = f"/api/prefixes/{PREFIX}.9" if method == "POST" else f"{PUMP}?index=77"
    foreign = await world.ask(method, target, Origin="https://evil.example", Host="node.example", **headers)
    assert foreign.code == code


SCRIPTS = {
    "secrets": f"/api/handles/0.NA/{PREFIX}?publicOnly=false",
    "one secret": f"/api/handles/0.NA/{PREFIX}?index=301",
    "a list": f"/api/handles?prefix={PREFIX}",
    "prefixes": "/api/prefixes",
    "a session": "/api/sessions/this",
}


@pytest.mark.parametrize("target", SCRIPTS.values(), ids=SCRIPTS)
async def test_a_script_says_what_everybody_may_hear_whoever_asks(world: RestWorld, target: str) -> None:
    """Any page can run it, with what the browser remembers of its user."""
    script = target + ("&" if "?" in target else "?") + "callback=steal"
    world.session = ("abc123", b"n" * 16)
    await world.ask("POST", "/api/sessions", Authorization=BASIC)
    anybody = await world.ask("GET", script)
    for headers in ({"Authorization": BASIC}, {"Cookie": "JSESSIONID=abc123"}):
        scripted = await world.ask("GET", script, **headers)
        assert (scripted.status, without_stamps(scripted.text)) == (anybody.status, without_stamps(anybody.text))


async def test_what_is_told_to_somebody_is_nowhere_kept(world: RestWorld) -> None:
    told = await world.ask("GET", f"{PUMP}?publicOnly=false", Authorization=BASIC)
    assert (told.status, told.headers["Cache-Control"]) == (200, "no-store")
    assert "Cache-Control" not in (await world.ask("GET", PUMP)).headers


@pytest.mark.parametrize("query", ["Index=1", "index%3D1", "foo;index=1", "index=1&indx=2", "%00=1"])
async def test_changes_have_no_parameter_that_means_nothing(world: RestWorld, query: str) -> None:
    before = dict(world.register.records)
    replies = [
        await world.ask("DELETE", f"{PUMP}?{query}", Authorization=BASIC),
        await world.put(f"{PUMP}?{query}", [NAME]),
    ]
    assert [reply.code for reply in replies] == [(400, 4)] * 2
    assert world.register.records == before


async def test_a_session_named_by_a_cookie_goes_on(world: RestWorld) -> None:
    world.session = ("abc123", b"n" * 16)
    await world.ask("POST", "/api/sessions", Authorization=BASIC)
    cookie = "JSESSIONID=abc123; a=b"
    assert (await world.ask("DELETE", f"{PUMP}?index=2", Cookie=cookie)).code == (200, 1)
    values = [each for each in world.stored(f"0.NA/{PREFIX}").values if each.index != 301]
    world.store(f"0.NA/{PREFIX}", *values)
    assert (await world.ask("DELETE", f"{PUMP}?index=1", Cookie=cookie)).status == 401


PAGES = {
    "page=0&pageSize=4": (["FIRST", "LST-0", "LST-1", "LST-2"], 0, 4),
    "page=2&pageSize=4": (["rest-1"], 2, 4),
    "page=9&pageSize=4": ([], 9, 4),
    "pageSize=1": (["FIRST"], 0, 1),
}


@pytest.mark.parametrize(("query", "page"), PAGES.items())
@pytest.mark.parametrize("prefix", [PREFIX, f"0.NA/{PREFIX}"])
async def test_handles_are_listed_by_page(world: RestWorld, query: str, page: Any, prefix: str) -> None:
    reply = await world.ask("GET", f"/api/handles?prefix={prefix}&{query}", Authorization=BASIC)
    said = reply.json
    names = [name.removeprefix(f"{PREFIX}/") for name in said["handles"]]
    assert (names, said["page"], said["pageSize"]) == page
    assert (said["totalCount"], said["prefix"]) == ("9", prefix)


@pytest.mark.parametrize("query", ["page=abc", "page=999999&pageSize=1000", "page=9999999999", "pageSize=10001"])
async def test_pages_that_are_none_are_refused(world: RestWorld, query: str) -> None:
    assert (await world.ask("GET", f"/api/handles?prefix={PREFIX}&{query}", Authorization=BASIC)).code == (400, 4)


async def test_a_client_certificate_is_whoever_its_key_is(world: RestWorld) -> None:
    keys = {each.index: each.data for each in world.stored(f"0.NA/{PREFIX}").values}
    for key, status in ((keys[300], 200), (keys[302], 401)):
        shown = ClientCertificate(f"300:0.NA/{PREFIX}", key)
        header = 'Handle clientCert="true"'
        reply = await world.ask("GET", "/api/prefixes", certificate=shown, Authorization=header)
        assert reply.status == status
    homing = f"/api/prefixes/0.NA/{PREFIX}.9"
    shown = ClientCertificate(f"300:0.NA/{PREFIX}", keys[300])
    replies = [
        await world.ask(method, homing, certificate=shown, Authorization=header)
        for method in ("POST", "POST", "DELETE", "GET")
    ]
    assert [reply.status for reply in replies][:3] == [200, 200, 200]


async def test_a_verification_says_no_more_than_yes_or_no(world: RestWorld) -> None:
    fields = "nonce=AAECAwQFBgcICQoLDA0ODw%3D%3D&cnonce=EBESExQVFhcYGRobHB0eHw%3D%3D&alg=SHA1"
    code = base64.b64encode(b"x" * 20).decode().replace("=", "%3D")
    target = f"/api/verifications/{ADMIN}?{fields}&signature={code}"
    unknown = target.replace("301:", "399:")
    replies = [await world.ask("GET", each, is_secure=False) for each in (target, unknown)]
    assert [reply.json["isValid"] for reply in replies] == [False, False]


async def test_an_unreachable_register_is_busy(world: RestWorld) -> None:
    world.register.outage = ConnectionError()
    assert (await world.put(NEW, [NAME])).status == 503


async def test_what_others_may_not_do_is_refused(world: RestWorld) -> None:
    world.store(f"{PREFIX}/pw", text_value(301, "HS_SECKEY", "外人"))
    stranger = "Basic " + base64.b64encode(f"301%3A{PREFIX}%2Fpw:外人".encode()).decode()
    replies = [
        await world.ask("DELETE", PUMP, Authorization=stranger),
        await world.ask("GET", f"/api/handles?prefix={PREFIX}", Authorization=stranger),
        await world.ask("POST", f"/api/prefixes/{PREFIX}.9", Authorization=stranger),
    ]
    assert [reply.code for reply in replies] == [(403, 400)] * 3
