"""Where a visitor of a handle is sent, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.location import decode_locations
from handle_protocol.predefined.namespace import decode_namespace
from handle_protocol.predefined.site import InterfaceProtocol, InterfacePurpose, ServerInterface, Site, SiteServer
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, Ttl
from resolver.answer import (
    Answer,
    Busy,
    Found,
    NotFound,
    NotResponsible,
    PermissionNeeded,
    Referred,
    Suspended,
    ValuesNotFound,
)
from resolver.query import Query
from resolver.translation import proxy
from resolver.translation.locations import NETWORKS_MAX, Wishes, places_of
from resolver.translation.parameters import Parameters
from resolver.translation.proxy import (
    STATUS_BY_NOTICE,
    FollowAlias,
    Notice,
    Redirect,
    ShowNotice,
    ShowRecord,
    ShowUrls,
    Visit,
)
from resolver.translation.urls import own_path, redirect_target
from tests.builders import text_value

PUMP = Handle("88.118.8/离心泵")
NOW = 1_700_000_000.0
URL = text_value(1, "URL", "https://example.cn/p")
NAME = text_value(2, "名称", "离心泵")


def visit(form: str = "", **fields: object) -> Visit:
    return Visit(PUMP, Parameters.from_form(form), form, **fields)


def outcome(values: Sequence[HandleValue], form: str = "", **fields: object) -> proxy.Outcome:
    return proxy.outcome_of(visit(form, **fields), Found(HandleRecord.of(PUMP, values)), NOW, lambda: 0.5)


REDIRECTS = {
    "URL": ((NAME, URL), "", "https://example.cn/p"),
    "exact URL before a dotted one": ((text_value(1, "URL.CN", "https://cn.cn"), URL), "", "https://example.cn/p"),
    "dotted URL alone": ((text_value(1, "URL.CN", "https://cn.cn"),), "", "https://cn.cn"),
    "first of several": ((URL, text_value(3, "url", "https://b.cn")), "", "https://example.cn/p"),
    "urlappend": ((URL,), "urlappend=%3Fx=1", "https://example.cn/p?x=1"),
    "urlappend that changes the host": ((text_value(1, "URL", "https://a.cn"),), "urlappend=.evil.cn", "https://a.cn"),
    "urlappend that ends the line": ((URL,), "urlappend=%0D%0AX:1", "https://example.cn/p"),
    "action redirect": ((URL,), "action=redirect", "https://example.cn/p"),
    "unknown action": ((URL,), "action=dance", "https://example.cn/p"),
    "Chinese": ((text_value(1, "URL", "https://例子.中国/产品?名=泵"),), "",
                "https://xn--fsqu00a.xn--fiqs8s/%E4%BA%A7%E5%93%81?%E5%90%8D=%E6%B3%B5"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "form", "url"), REDIRECTS.values(), ids=REDIRECTS)
def test_visitors_are_sent_to_the_url(values: Sequence[HandleValue], form: str, url: str) -> None:
    assert outcome(values, form) == Redirect(url, 86_400)


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ((NAME,), ""),
        ((URL,), "noredirect"),
        ((URL,), "noredirect=true"),
        ((URL,), "action=showvalues"),
        ((text_value(1, "URL", "javascript:alert(1)"),), ""),
        ((text_value(1, "URL", "ftp://example.cn/"),), ""),
        ((text_value(1, "URL", "//evil.cn/"),), ""),
        ((text_value(1, "URL", "https://a.cn/\r\nX: 1"),), ""),
        ((text_value(1, "URL", "https://a.cn\\@evil.cn"),), ""),
        ((), ""),
    ],
)
def test_without_a_web_address_the_record_is_shown(values: Sequence[HandleValue], form: str) -> None:
    assert outcome(values, form) == ShowRecord(PUMP, tuple(values))


def test_redirection_headers_come_with_a_page() -> None:
    assert outcome((URL,), "redirectionHeaders") == Redirect("https://example.cn/p", 86_400, 200)


def test_a_redirect_lives_as_long_as_the_shortest_value() -> None:
    short = text_value(3, "DESC", "x", ttl=Ttl(60))
    assert outcome((URL, short)) == Redirect("https://example.cn/p", 60)


@pytest.mark.parametrize(
    ("xml", "notice"),
    [
        ("<namespace/>", None),
        ("<namespace><status>active</status><statusmsg>正常</statusmsg></namespace>", None),
        ("<namespace><status>inactive</status></namespace>", ShowNotice(Notice.INACTIVE, PUMP.spelling)),
        (
            "<namespace><status>inactive</status><statusmsg>企业已注销</statusmsg></namespace>",
            ShowNotice(Notice.INACTIVE, PUMP.spelling, message="企业已注销"),
        ),
    ],
)
def test_a_prefix_may_say_that_its_handles_are_out_of_use(xml: str, notice: ShowNotice | None) -> None:
    assert proxy.notice_of_namespace(visit(), decode_namespace(xml.encode())) == notice
    assert proxy.notice_of_namespace(visit(), None) is None
    assert STATUS_BY_NOTICE[Notice.INACTIVE] == 404


NOTICES: dict[str, tuple[Answer, Notice, int]] = {
    "not found": (NotFound(PUMP), Notice.NOT_FOUND, 404),
    "deleted": (NotFound(PUMP, was_deleted=True), Notice.DELETED, 410),
    "no values": (ValuesNotFound(PUMP), Notice.NO_VALUES, 404),
    "not responsible": (NotResponsible(PUMP), Notice.NOT_RESPONSIBLE, 400),
    "suspended": (Suspended(PUMP, Prefix("88.118.8")), Notice.SUSPENDED, 404),
    "permission needed": (PermissionNeeded(PUMP), Notice.NOT_PUBLIC, 403),
    "busy": (Busy(PUMP), Notice.BUSY, 503),
}


@pytest.mark.parametrize(("answer", "notice", "status"), NOTICES.values(), ids=NOTICES)
def test_other_answers_get_a_notice(answer: Answer, notice: Notice, status: int) -> None:
    assert proxy.outcome_of(visit(), answer, NOW, lambda: 0.5) == ShowNotice(notice, PUMP.spelling)
    assert STATUS_BY_NOTICE[notice] == status


def test_every_notice_has_a_status() -> None:
    assert set(STATUS_BY_NOTICE) == set(Notice)


def site(address: IPv4Address | IPv6Address, *protocols: InterfaceProtocol) -> Site:
    interfaces = tuple(ServerInterface(InterfacePurpose.QUERY, protocol, 8_081) for protocol in protocols)
    return Site((SiteServer(1, address, b"", interfaces),))


@pytest.mark.parametrize(
    ("theirs", "url"),
    [
        (site(IPv4Address("192.0.2.7"), InterfaceProtocol.TCP, InterfaceProtocol.HTTP), "http://192.0.2.7:8081"),
        (
            site(IPv6Address("2001:db8::7"), InterfaceProtocol.HTTP, InterfaceProtocol.HTTPS),
            "https://[2001:db8::7]:8081",
        ),
    ],
)
def test_a_delegated_handle_is_visited_at_its_own_node(theirs: Site, url: str) -> None:
    sent = proxy.outcome_of(visit("a=1"), Referred(PUMP, theirs), NOW, lambda: 0.5)
    assert sent == Redirect(f"{url}/88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5?a=1", None)


def test_a_delegated_handle_without_a_web_door_gets_a_notice() -> None:
    theirs = site(IPv4Address("192.0.2.7"), InterfaceProtocol.TCP)
    shown = proxy.outcome_of(visit(), Referred(PUMP, theirs), NOW, lambda: 0.5)
    assert shown == ShowNotice(Notice.ELSEWHERE, PUMP.spelling, theirs)


ALIAS = text_value(1, "HS_ALIAS", "88.118.8/泵")


def test_an_alias_leads_on_with_what_was_asked() -> None:
    alias = outcome((ALIAS,), "a=1")
    assert alias == FollowAlias(Handle("88.118.8/泵"), 86_400, (ALIAS,))
    assert proxy.alias_of(visit(), Found(HandleRecord.of(PUMP, [ALIAS]))) == alias.target
    sent = proxy.outcome_of_alias(visit("a=1"), alias, alias.target)
    assert sent == Redirect("/88.118.8/%E6%B3%B5?a=1", 86_400, 301)


def test_a_circle_of_aliases_shows_the_record() -> None:
    assert proxy.outcome_of_alias(visit(), outcome((ALIAS,)), None) == ShowRecord(PUMP, (ALIAS,))


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ("ignore_aliases", Found(HandleRecord.of(PUMP, [ALIAS]))),
        ("", Found(HandleRecord.of(PUMP, [text_value(1, "HS_ALIAS", "")]))),
        ("", Found(HandleRecord.of(PUMP, [URL]))),
        ("", NotFound(PUMP)),
    ],
)
def test_what_is_no_alias_leads_nowhere(form: str, answer: Answer) -> None:
    assert proxy.alias_of(visit(form), answer) is None


def test_a_narrowed_visit_still_asks_for_aliases() -> None:
    assert proxy.query_of(visit("type=URL")) == Query(PUMP, types=("URL", "HS_ALIAS"))
    assert proxy.query_of(visit("type=URL&ignore_aliases&auth")) == Query(PUMP, types=("URL",), is_authoritative=True)


@pytest.mark.parametrize(
    ("handle", "path"),
    [
        ("88.118.8/a b", "/88.118.8/a%20b"),
        ("88.118.8/a?b#c%d", "/88.118.8/a%3Fb%23c%25d"),
        ("/evil.cn/x", "/%2Fevil.cn/x"),
        ("\\evil.cn", "/%5Cevil.cn"),
        ("88.118.8/a\r\nX: 1", "/88.118.8/a%0D%0AX:%201"),
    ],
)
def test_our_own_paths_stay_ours(handle: str, path: str) -> None:
    assert own_path(Handle(handle)) == path


def test_the_query_of_an_own_path_cannot_end_its_header() -> None:
    assert own_path(Handle("88.1/a"), "x=\r\n\udcffy") == "/88.1/a?x=%0D%0A?y"


@pytest.mark.parametrize(
    "url", ["http://", "https:///x", "https://[::1", "http://a.cn:b c\x00", "x" * 9_000, "", "HTTP"]
)
def test_broken_urls_lead_nowhere(url: str) -> None:
    assert redirect_target(url) is None


LOCATIONS = """<locations{0}>
<location id="1" href="https://cn.example/" country="cn" weight="1" score="1"/>
<location id="2" href="https://data.example/" http_role="conneg" weight="0" http_sc="303"/>
<location id="3" href_template="https://id.example/{{hdl}}?{{hdl:path}}" weight="3"
 addresses="192.0.2.0/24,2001:db8::/32"/>
</locations>"""

CHOICES = {
    "by weight, low": (' choose_by="weighted"', "", {}, 0.1, "https://cn.example/"),
    "by weight, high": (' choose_by="weighted"', "", {}, 0.9, "https://id.example/88.118.8%2Fa?88.118.8/a"),
    "locatt": ("", "locatt=id:1", {}, 0.9, "https://cn.example/"),
    "locatt of nobody is skipped": ("", "locatt=id:9", {}, 0.1, "https://cn.example/"),
    "locatt outranks the role": ("", "locatt=id:2", {}, 0.9, "https://data.example/"),
    "country": (' choose_by="country,weighted"', "country=CN", {}, 0.9, "https://cn.example/"),
    "address": ("", "", {"address": "192.0.2.9"}, 0.1, "https://id.example/88.118.8%2Fa?88.118.8/a"),
    "address as a parameter": ("", "ip=2001:db8::1", {}, 0.1, "https://id.example/88.118.8%2Fa?88.118.8/a"),
    "address that is none": ("", "ip=here", {}, 0.1, "https://cn.example/"),
    "score": (' choose_by="score"', "", {}, 0.9, "https://cn.example/"),
    "data": ("", "", {"wants_data": True}, 0.1, "https://data.example/"),
    "urlappend": ("", "locatt=id:1&urlappend=x", {}, 0.1, "https://cn.example/x"),
}


@pytest.mark.parametrize(("attributes", "form", "fields", "random", "url"), CHOICES.values(), ids=CHOICES)
def test_a_location_is_chosen(attributes: str, form: str, fields: dict[str, object], random: float, url: str) -> None:
    handle = Handle("88.118.8/a")
    asked = Visit(handle, Parameters.from_form(form), form, **fields)
    answer = Found(HandleRecord.of(handle, [text_value(1, "10320/loc", LOCATIONS.format(attributes)), URL]))
    sent = proxy.outcome_of(asked, answer, NOW, lambda: random)
    assert isinstance(sent, Redirect)
    assert (sent.url, sent.varies) == (url, True)
    assert sent.status == (303 if url == "https://data.example/" else 302)


def test_unreadable_locations_are_passed_over() -> None:
    assert outcome((text_value(1, "10320/loc", "<locations>"), URL)) == Redirect("https://example.cn/p", 86_400)


COMMON = '<locations{0}><location href_template="https://id.example/{{hdl}}"{1}/></locations>'
OWN = '<locations{0}><location href="https://own.example/" weight="{1}"/></locations>'

COMMON_CHOICES = {
    "beside a URL": ((URL,), COMMON.format("", ""), 0.9, "https://id.example/88.118.8%2Fa"),
    "a URL is as likely": ((URL,), COMMON.format("", ""), 0.1, "https://example.cn/p"),
    "without a URL": ((NAME,), COMMON.format("", ""), 0.1, "https://id.example/88.118.8%2Fa"),
    "without URLs": ((URL,), COMMON.format(' no_legacy="true"', ""), 0.1, "https://id.example/88.118.8%2Fa"),
    "beside its own": ((text_value(1, "10320/loc", OWN.format("", 1)),), COMMON.format("", ""), 0.9,
                       "https://id.example/88.118.8%2Fa"),
    "its own come first": ((text_value(1, "10320/loc", OWN.format("", 1)),), COMMON.format("", ""), 0.1,
                           "https://own.example/"),
    "beside its own, URLs have no weight": ((URL, text_value(2, "10320/loc", OWN.format("", 0))),
                                            COMMON.format("", ""), 0.0, "https://id.example/88.118.8%2Fa"),
    "nothing is inherited": ((text_value(1, "10320/loc", OWN.format(' no_nslocs="1"', 1)),), COMMON.format("", ""),
                             0.9, "https://own.example/"),
    "its own word counts": ((URL, text_value(2, "10320/loc", OWN.format(' no_legacy="no"', 0))),
                            COMMON.format(' no_legacy="yes"', ' weight="0"'), 0.4, "https://example.cn/p"),
    "unreadable": ((URL, text_value(2, "10320/loc", "<locations>")), COMMON.format("", ""), 0.9,
                   "https://example.cn/p"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "common", "random", "url"), COMMON_CHOICES.values(), ids=COMMON_CHOICES)
def test_a_prefix_may_add_locations(values: Sequence[HandleValue], common: str, random: float, url: str) -> None:
    handle = Handle("88.118.8/a")
    answer = Found(HandleRecord.of(handle, values))
    lists = [decode_locations(common.encode())]
    sent = proxy.outcome_of(Visit(handle, Parameters()), answer, NOW, lambda: random, lists)
    assert sent == Redirect(url, 86_400)


def test_handles_of_locations_are_bounded_and_read_where_they_matter() -> None:
    names = "".join(f"<locs>0.LOC/{number} 泵</locs>" for number in range(9))
    namespace = decode_namespace(f"<namespace>{names}</namespace>".encode())
    assert proxy.location_handles_of(visit(), namespace) == tuple(
        Handle(spelling) for spelling in ("0.LOC/0", "泵", "0.LOC/1")
    )
    assert proxy.location_handles_of(visit("noredirect"), namespace) == ()
    assert proxy.location_handles_of(visit(), None) == ()


def test_a_template_cannot_multiply_a_handle() -> None:
    handle = Handle(f"88.118.8/{'泵' * 600}")
    long = '<locations><location href_template="https://a.cn/{0}"/><location href="https://b.cn/"/></locations>'
    places = places_of(handle, [text_value(1, "10320/loc", long.format("{hdl}" * 2))])
    assert [each.href for each in places.places] == ["https://b.cn/"]
    one = places_of(handle, [text_value(1, "10320/loc", long.format("{hdl}"))])
    assert len(one.places) == 2


@pytest.mark.parametrize(("others", "href"), [(NETWORKS_MAX - 1, "a"), (NETWORKS_MAX, "b")])
def test_a_visitor_is_looked_for_in_so_many_networks(others: int, href: str) -> None:
    networks = "10.0.0.0/8," * others + "192.0.2.0/24"
    xml = f'<locations><location href="a" weight="0" addresses="{networks}"/><location href="b"/></locations>'
    places = places_of(PUMP, [text_value(1, "10320/loc", xml)])
    assert places.choose(Wishes(address="192.0.2.9"), lambda: 0.5).href == href


def test_without_weights_every_place_is_as_likely() -> None:
    xml = '<locations><location id="1" href="a" weight="0"/><location id="2" href="b" weight="nan"/></locations>'
    places = places_of(PUMP, [text_value(1, "10320/loc", xml.replace("nan", "-5"))])
    assert [places.choose(Wishes(), lambda each=each: each).href for each in (0.0, 0.49, 0.51, 1.0)] == list("aabb")


def test_an_empty_list_of_places_chooses_none() -> None:
    assert places_of(PUMP, [text_value(1, "10320/loc", "<locations/>")]).choose(Wishes(), lambda: 0.5) is None


def test_urls_are_shown_as_xml_that_cannot_be_broken() -> None:
    shown = outcome((text_value(1, "URL", 'https://a.cn/?x="&<>'),), "action=showurls")
    assert isinstance(shown, ShowUrls)
    assert "&lt;&gt;" in shown.xml


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://例子.中国:8080/x", "http://xn--fsqu00a.xn--fiqs8s:8080/x"),
        ("http://用户@例子.中国/x", "http://%E7%94%A8%E6%88%B7@xn--fsqu00a.xn--fiqs8s/x"),
    ],
)
def test_a_chinese_host_keeps_its_port_and_user(url: str, target: str) -> None:
    assert redirect_target(url) == target
