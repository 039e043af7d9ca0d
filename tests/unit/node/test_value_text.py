"""Values and servers as people write them on a command line."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from handle_protocol.json_form import value_to_json
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.predefined.public_key import RsaPublicKey
from handle_protocol.predefined.vlist import AdministratorGroup, encode_group
from handle_protocol.security.private_keys import make_key, write_private_pem
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.value import HandleValue, Permissions, ValueReference
from node.cli.addresses import format_server, parse_server, with_brackets
from node.cli.value_text import format_value, parse_values
from node.errors import NodeError


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


@pytest.mark.parametrize("spellings", [["EMAIL=a@例.cn"], ["1:名称=泵", "型号=甲"]])
def test_into_a_record_that_is_there_no_value_goes_without_its_index(spellings: list[str]) -> None:
    with pytest.raises(click.BadParameter, match="say which index"):
        parse_values(spellings, needs_index=True)


@pytest.mark.parametrize(
    ("spelling", "data"),
    [
        (
            "101:HS_ADMIN=301:0.NA/88.118.20",
            encode_administrator(Administrator(0xFFF, ValueReference(301, "0.NA/88.118.20"))),
        ),
        (
            "101:hs_admin=301:0.NA/88.118.20:000001110000",
            encode_administrator(Administrator(0b1110000, ValueReference(301, "0.NA/88.118.20"))),
        ),
        (
            "101:HS_VLIST=301:0.NA/88.118.20, 0:88.118.20/管理:员",
            encode_group(
                AdministratorGroup((ValueReference(301, "0.NA/88.118.20"), ValueReference(0, "88.118.20/管理:员")))
            ),
        ),
    ],
)
def test_who_may_change_a_record_is_written_shortly(spelling: str, data: bytes) -> None:
    assert [value.data for value in parse_values([spelling])] == [data]


@pytest.mark.parametrize("data", ["", "0.NA/88.118.20", "301:", "301", "x:0.NA/88.118.20"])
@pytest.mark.parametrize("value_type", ["HS_ADMIN", "HS_VLIST"])
def test_an_administrator_has_an_index_and_a_handle(value_type: str, data: str) -> None:
    with pytest.raises(click.BadParameter, match="INDEX:HANDLE"):
        parse_values([f"101:{value_type}={data}"])


def test_a_public_key_is_read_from_what_was_printed_from_its_pem_and_from_the_private_key(tmp_path: Path) -> None:
    key = make_key(KeyKind.RSA)
    value = HandleValue(300, "HS_PUBKEY", key.public_data())
    public = key.public_key().numbers
    assert isinstance(public, RsaPublicKey)
    library = rsa.RSAPublicNumbers(public.exponent, public.modulus).public_key()
    contents = {
        "公钥.json": json.dumps(value_to_json(value)).encode(),
        "公钥.pem": library.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "私钥.pem": write_private_pem(key, None),
    }
    for name, octets in contents.items():
        (tmp_path / name).write_bytes(octets)
        assert parse_values([f"300:HS_PUBKEY=@{tmp_path / name}"]) == (value,)


@pytest.mark.parametrize("octets", [b"", b"{", b"[]", b'{"index": 1, "type": "URL", "data": "x"}', b"garbage"])
def test_a_file_without_a_key_is_refused_by_its_name(tmp_path: Path, octets: bytes) -> None:
    file = tmp_path / "无.json"
    file.write_bytes(octets)
    with pytest.raises(NodeError, match=r"无\.json holds no key"):
        parse_values([f"300:HS_PUBKEY=@{file}"])


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
