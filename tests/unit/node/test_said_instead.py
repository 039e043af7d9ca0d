"""What `idnode resolve` says when there are no values."""

from __future__ import annotations

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.predefined.site import encode_site
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue
from node.cli.addresses import HTTP_PORT
from node.cli.prefix_command import delegation_site
from node.cli.remote import answers_no_message
from node.cli.resolve_command import referred_servers, said_instead
from resolver.client import Reply


@pytest.mark.parametrize(
    ("response_code", "text", "said"),
    [
        (ResponseCode.SERVER_NOT_RESPONSIBLE, "prefix suspended / 前缀已暂停", "prefix suspended / 前缀已暂停"),
        (ResponseCode.SERVER_NOT_RESPONSIBLE, "", "this server is not responsible for it"),
        (ResponseCode.ERROR, "甲\x1b[2J", "甲\\x1b[2J"),
        (999, "", "response code 999"),
    ],
)
def test_the_servers_own_words_stand_alone(
    monkeypatch: pytest.MonkeyPatch, response_code: int, text: str, said: str
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    record = HandleRecord.of(Handle("88.118.9/轴承"), ())
    assert said_instead(Reply(response_code, record, text, "udp", is_authoritative=False)) == said


@pytest.mark.parametrize(
    ("response_code", "servers"),
    [
        (ResponseCode.PREFIX_REFERRAL, ["192.0.2.7:2641", "[2001:db8::7]:99"]),
        (ResponseCode.SERVICE_REFERRAL, ["192.0.2.7:2641", "[2001:db8::7]:99"]),
        (ResponseCode.SUCCESS, []),
    ],
)
def test_a_referral_names_its_servers(response_code: int, servers: list[str]) -> None:
    sites = [encode_site(delegation_site(server)) for server in ("192.0.2.7:2641", "[2001:db8::7]:99")]
    values = [HandleValue(index, "HS_SITE", site) for index, site in enumerate(sites, 1)]
    record = HandleRecord.of(Handle("0.NA/88.118.9"), (*values, HandleValue(3, "名称", b"x")))
    assert referred_servers(Reply(response_code, record, "", "tcp", is_authoritative=False)) == servers


@pytest.mark.parametrize(("port", "is_named"), [(HTTP_PORT, True), (9_999, False)])
def test_the_port_of_http_is_told_from_that_of_the_handle_protocol(port: int, is_named: bool) -> None:  # noqa: FBT001 - a case
    failure = answers_no_message(("127.0.0.1", port), MalformedMessage("envelope", 0))
    assert failure.message.english.startswith(f"127.0.0.1:{port} answers no message")
    assert ("the port of HTTP" in failure.solve.english) == is_named
