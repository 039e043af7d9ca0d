"""Values and servers as people write them on a command line."""

from __future__ import annotations

import click
import pytest

from handle_protocol.value import HandleValue, Permissions
from node.cli.addresses import format_server, parse_server, with_brackets
from node.cli.value_text import format_value, parse_values


def test_values_without_an_index_get_the_lowest_that_is_free() -> None:
    assert parse_values(["名称=减速机", "1:URL=https://example.cn/?a=b", "型号=6205"]) == (
        HandleValue(2, "名称", "减速机".encode()),
        HandleValue(1, "URL", b"https://example.cn/?a=b"),
        HandleValue(3, "型号", b"6205"),
    )


def test_an_empty_text_is_a_value() -> None:
    assert parse_values(["URL="]) == (HandleValue(1, "URL", b""),)


@pytest.mark.parametrize("value_type", ["HS_SECKEY", "hs_seckey"])
def test_a_secret_key_is_not_for_everybody(value_type: str) -> None:
    assert parse_values([f"301:{value_type}=口令"]) == (
        HandleValue(301, value_type, "口令".encode(), permissions=Permissions.ADMIN_READ | Permissions.ADMIN_WRITE),
    )


@pytest.mark.parametrize("spelling", ["URL", "=x", "0:URL=x", "4294967296:URL=x", ""])
def test_what_is_no_value_is_refused(spelling: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_values([spelling])


def test_an_index_is_given_once() -> None:
    with pytest.raises(click.BadParameter):
        parse_values(["1:URL=a", "1:URL=b"])


def test_a_record_cannot_steer_the_terminal() -> None:
    assert format_value(HandleValue(1, "URL\x1b", "甲\x9b2J".encode())) == ("1", "URL\\x1b", "甲\\x9b2J")


@pytest.mark.parametrize(
    ("spelling", "server"),
    [
        ("127.0.0.1:99", ("127.0.0.1", 99)),
        ("node.example.cn", ("node.example.cn", 2641)),
        ("[::1]:99", ("::1", 99)),
        ("::1", ("::1", 2641)),
    ],
)
def test_a_server_is_a_host_with_or_without_a_port(spelling: str, server: tuple[str, int]) -> None:
    assert parse_server(spelling, 2641) == server
    assert parse_server(format_server(*server), 0) == server


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [("::1:2641", "[::1]:2641"), ("2001:db8::7:2641", "[2001:db8::7]:2641"), ("::1", None), ("127.0.0.1:2641", None)],
)
def test_an_address_that_ends_as_if_in_a_port_is_read_with_brackets(spelling: str, meant: str | None) -> None:
    assert with_brackets(spelling) == meant


@pytest.mark.parametrize("spelling", ["", ":99", "host:port", "host:99999", "http://host:99", "host/path"])
def test_what_is_no_server_is_refused(spelling: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_server(spelling, 2641)
