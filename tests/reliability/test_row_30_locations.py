"""Row 30: XML in values is read without entities, at most 64 KiB, 500 elements and 16 levels of it, whatever is beyond
that is text; what a record names is told to visitors and never fetched by the node, neither address nor handle."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from urllib.parse import quote

import pytest
import pytest_asyncio

from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.predefined.site import (
    InterfaceProtocol,
    InterfacePurpose,
    ServerInterface,
    Site,
    SiteServer,
    encode_site,
)
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, ValueReference
from tests.builders import text_value
from tests.conformance.rest_speaking import WebQuestion
from tests.reliability.claimant import Wish, ask_as, exchange, reading, stream
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, SecretKey, admin_value
from tests.reliability.process_facts import MEBIBYTE, Facts
from tests.reliability.web_client import ask_web
from tests.reliability.web_octets import visit
from tests.started_node import LOOPBACK, StartedNode

XML_OCTETS_MAX, ELEMENTS_MAX, DEPTH_MAX = 65_536, 500, 16
SECONDS_MAX = 2.0
GROWTH_OCTETS_MAX = 32 * MEBIBYTE
QUIET_SECONDS = 0.5
PLAIN = "https://example.cn/plain"

OWNER, BRAND = Enterprise.of("88.118.30"), Enterprise.of("88.118.31")
KEYLESS = SecretKey(ValueReference(301, "88.119.1/某人"), b"secret")


def entities(count: int) -> str:
    """Return entities each of which is ten of the one before."""
    lines = (f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, count))
    return '<!ENTITY e0 "哈哈">' + "".join(lines)


def location(href: str = "https://a.example/") -> str:
    return f'<location href="{href}"/>'


HOSTILE = {
    "a billion laughs": f"<!DOCTYPE l [{entities(12)}]><locations>{location('&e11;')}</locations>",
    "one long entity many times": f'<!DOCTYPE l [<!ENTITY e "{"a" * 30_000}">]><locations>{"&e;" * 10_000}</locations>',
    "an external entity": f'<!DOCTYPE l [<!ENTITY e SYSTEM "file:///etc/passwd">]><locations>{location("&e;")}</locations>',
    "an external document type": f'<!DOCTYPE l SYSTEM "file:///etc/passwd"><locations>{location()}</locations>',
    "a parameter entity": '<!DOCTYPE l [<!ENTITY % e SYSTEM "file:///dev/zero"> %e;]><locations/>',
    "an entity of nobody": f"<locations>{location('&e;')}</locations>",
    "too long": f"<locations>{location()}{' ' * XML_OCTETS_MAX}</locations>",
    "too many": f"<locations>{location() * ELEMENTS_MAX}</locations>",
    "too deep": "<locations>" + "<a>" * DEPTH_MAX + "</a>" * DEPTH_MAX + "</locations>",
    "much too deep": "<a>" * 9_000 + "</a>" * 7_000,
    "without end": "<locations>" * 6_000,
    "an attribute twice": '<locations><location href="a" href="b"/></locations>',
    "two roots": f"<locations>{location()}</locations><locations/>",
    "another root": f"<places>{location()}</places>",
    "no text": "\0\0\0",
    "nothing": "",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def settled(node: StartedNode) -> None:
    """An enterprise whose records hold hostile XML beside a URL, as if older versions had let it in."""
    records = [
        HandleRecord.of(OWNER.handle(name), (text_value(1, "10320/loc", xml), text_value(2, "URL", PLAIN)))
        for name, xml in HOSTILE.items()
    ]
    await settle(node, OWNER, *records)


def target(handle: Handle, query: str = "") -> str:
    """Return where browsers ask for a handle."""
    return f"/{quote(handle.spelling)}{query}"


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_locations_are_passed_over(node: StartedNode, name: str) -> None:
    began_at, facts = time.monotonic(), Facts.of(node)
    sent = await visit(node, target(OWNER.handle(name)))
    assert (sent.status, sent.headers["location"]) == (302, PLAIN)
    shown = await visit(node, target(OWNER.handle(name), "?action=showurls"))
    assert (shown.status, shown.body.count(b"<location ")) == (200, 1)
    page = await visit(node, target(OWNER.handle(name), "?noredirect"))
    assert page.status == 200
    assert not [word for word in (b"root:", "哈哈哈".encode()) if word in sent.body + shown.body + page.body]
    assert time.monotonic() - began_at <= SECONDS_MAX
    assert facts.grown_octets() <= GROWTH_OCTETS_MAX


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_namespaces_are_passed_over(node: StartedNode, name: str) -> None:
    """Every visit, and every handle that is not there, looks into what the record of the prefix says."""
    other = Enterprise.of(f"88.118.30.{list(HOSTILE).index(name) + 1}", key=OWNER.signing.key)
    xml = HOSTILE[name].replace("locations", "namespace").replace("<location ", "<locs ")
    await settle(node, other, other.description(text_value(500, "HS_NAMESPACE", xml)))
    began_at, facts = time.monotonic(), Facts.of(node)
    sent = await visit(node, target(other.handle("水泵")))
    assert (sent.status, sent.headers["location"]) == (302, f"https://example.cn/{quote('水泵')}")
    assert (await visit(node, target(other.handle("没有@有")))).status == 404
    assert time.monotonic() - began_at <= SECONDS_MAX
    assert facts.grown_octets() <= GROWTH_OCTETS_MAX


async def test_what_is_just_not_too_much_is_read(node: StartedNode) -> None:
    many = f"<locations>{location() * (ELEMENTS_MAX - 2)}{location('https://b.example/')}</locations>"
    padded = many.replace("</", " " * (XML_OCTETS_MAX - len(many)) + "</")
    record = HandleRecord.of(OWNER.handle("很多"), (text_value(1, "10320/loc", padded),))
    await settle(node, OWNER, record)
    shown = await visit(node, target(record.handle, "?action=showurls"))
    assert shown.body.count(b"<location ") == ELEMENTS_MAX - 1


TEMPLATE = f'<location href_template="https://a.example/{"{hdl}" * 12}"/>'
MULTIPLYING = {
    "a template": f'<locations><location href_template="https://a.example/{"{hdl}" * 12_000}"/></locations>',
    "many templates": f"<locations>{TEMPLATE * (ELEMENTS_MAX - 1)}</locations>",
    "networks": f'<locations><location href="a" addresses="{"1.0.0.0/8 " * 6_000}"/>{location()}</locations>',
}


@pytest.mark.parametrize("name", MULTIPLYING)
async def test_few_octets_do_not_become_many(node: StartedNode, name: str) -> None:
    record = HandleRecord.of(OWNER.handle(f"{name}{'泵' * 600}"), (text_value(1, "10320/loc", MULTIPLYING[name]),))
    await settle(node, OWNER, record)
    began_at, facts = time.monotonic(), Facts.of(node)
    for query in ("", "?action=showurls"):
        assert len((await visit(node, target(record.handle, query))).body) <= 2 * XML_OCTETS_MAX
    assert time.monotonic() - began_at <= SECONDS_MAX
    assert facts.grown_octets() <= GROWTH_OCTETS_MAX


@dataclass(frozen=True)
class Trap:
    """Sockets that nobody should speak to."""

    stream: socket.socket
    datagrams: socket.socket

    @property
    def port(self) -> int:
        return int(self.stream.getsockname()[1])

    def assert_untouched(self) -> None:
        for each, touch in ((self.stream, self.stream.accept), (self.datagrams, lambda: self.datagrams.recv(1))):
            each.settimeout(QUIET_SECONDS)
            with pytest.raises(TimeoutError):
                touch()


@contextmanager
def trap() -> Iterator[Trap]:
    """Listen on a port over TCP and UDP."""
    with socket.create_server((LOOPBACK, 0)) as stream_, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(stream_.getsockname())
        yield Trap(stream_, datagrams)


def site_value(port: int) -> HandleValue:
    """Return an HS_SITE that says: ask there."""
    interfaces = tuple(
        ServerInterface(InterfacePurpose.QUERY | InterfacePurpose.ADMIN, protocol, port)
        for protocol in (InterfaceProtocol.TCP, InterfaceProtocol.UDP, InterfaceProtocol.HTTP)
    )
    return HandleValue(510, "HS_SITE", encode_site(Site((SiteServer(1, IPv4Address(LOOPBACK), b"", interfaces),))))


def naming(url: str) -> Mapping[str, HandleValue]:
    """Return values that name a place in every way."""
    xml = f'<locations><location href="{url}" weight="1"/><location href_template="{url}{{hdl}}"/></locations>'
    outside = f'<!DOCTYPE l [<!ENTITY % e SYSTEM "{url}"> %e;]><locations><include>{url}</include></locations>'
    return {
        "a URL": text_value(1, "URL", url),
        "locations": text_value(2, "10320/loc", xml),
        "an external entity": text_value(2, "10320/loc", outside),
        "locations of others": text_value(2, "10320/loc", f'<locations nshdl="{url}" include="{url}"/>'),
        "an alias": text_value(3, "HS_ALIAS", url),
        "a service": text_value(4, "HS_SERV", "88.119.1/站"),
    }


async def test_what_a_record_names_is_never_asked(node: StartedNode) -> None:
    with trap() as untouched:
        url = f"http://{LOOPBACK}:{untouched.port}/"
        values = naming(url)
        namespace = f"<namespace><locs>{url} 88.119.1/places</locs><template delimiter='@' ref='1:{url}'/></namespace>"
        foreign = admin_value(111, KEYLESS.identity)
        prefix = OWNER.description(text_value(500, "HS_NAMESPACE", namespace), site_value(untouched.port), foreign)
        records = [HandleRecord.of(OWNER.handle(f"指向-{name}"), (value, foreign)) for name, value in values.items()]
        await settle(node, OWNER, prefix, *records)
        for record in (*records, HandleRecord.of(OWNER.handle("没有@有"), ())):
            await ask_everywhere(node, record.handle)
        untouched.assert_untouched()


async def ask_everywhere(node: StartedNode, handle: Handle) -> None:
    """Ask for a handle through every door, and try to be somebody whose handle is not here."""
    for query in ("", "?action=showurls", "?noredirect", "?auth", "?locatt=a:b"):
        assert (await visit(node, target(handle, query))).status < 500
    for key in (None, KEYLESS):
        reply = await ask_web(node, WebQuestion("GET", f"/api/handles/{quote(handle.spelling)}?auth&cert"), key)
        assert reply.status < 500
    async with stream(node) as mine:
        for flags in (0x01000000, 0x80000000 | 0x04000000 | 0x01000000):
            await exchange(mine, Wish(OpCode.RESOLUTION, ResolutionRequest(handle), flags).message())
        answer = await ask_as(mine, reading(handle, 6), KEYLESS)
        assert answer.response_code != ResponseCode.SUCCESS


COMMON = '<locations><location id="brand" href_template="https://brand.example/{hdl:path}" weight="1"/></locations>'


async def test_a_prefix_adds_the_locations_of_handles_that_are_hosted_here(node: StartedNode) -> None:
    own = '<locations{0}><location href="https://own.example/" weight="0"/></locations>'
    records = (
        HandleRecord.of(BRAND.handle("位置"), (text_value(1, "10320/loc", COMMON),)),
        HandleRecord.of(BRAND.handle("有位置"), (text_value(1, "10320/loc", own.format("")),)),
        HandleRecord.of(BRAND.handle("自己的"), (text_value(1, "10320/loc", own.format(' no_nslocs="true"')),)),
        HandleRecord.of(BRAND.handle("无网址"), (text_value(2, "名称", "水泵"),)),
    )
    namespace = f"<namespace><locs>88.119.1/别处 {BRAND.handle('没有')} {BRAND.handle('位置')}</locs></namespace>"
    await settle(node, BRAND, BRAND.description(text_value(500, "HS_NAMESPACE", namespace)), *records)
    for name in ("有位置", "无网址"):
        sent = await visit(node, target(BRAND.handle(name)))
        assert sent.headers["location"] == f"https://brand.example/88.118.31/{quote(name)}"
    assert (await visit(node, target(BRAND.handle("自己的")))).headers["location"] == "https://own.example/"
    shown = await visit(node, target(BRAND.handle("水泵"), "?action=showurls"))
    assert shown.body.count(b"<location ") == 2
