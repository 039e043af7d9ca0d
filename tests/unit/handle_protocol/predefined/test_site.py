"""Sites, their servers, and which of them a handle belongs to."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from handle_protocol.errors import MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.predefined.site import (
    Attribute,
    HashOption,
    InterfaceProtocol,
    ServerInterface,
    Site,
    SiteFlag,
    SiteServer,
    decode_site,
    encode_site,
    handle_hash,
)
from tests.unit.handle_protocol.conftest import read_vectors

OPTIONS = {"by_prefix": HashOption.PREFIX, "by_suffix": HashOption.SUFFIX, "by_all": HashOption.WHOLE_HANDLE}
SITES = read_vectors("04", "site")
KEYED = SiteServer(1, IPv4Address("192.0.2.1"), b"", (ServerInterface(3, 1, 2641), ServerInterface(1, 0, 2641)))


def site_of(count: int, hash_option: int) -> Site:
    servers = tuple(SiteServer(number, IPv4Address("192.0.2.1")) for number in range(count))
    return Site(servers, hash_option=hash_option)


@pytest.mark.parametrize("described", SITES, ids=["v4", "three servers", "v6"])
def test_a_site_is_what_its_vector_says(described: dict[str, Any]) -> None:
    data, says = bytes.fromhex(described["decoded"]["data_hex"]), described["site"]
    site = decode_site(data)
    assert {
        "data_format_version": site.data_format,
        "protocol": str(site.version),
        "serial": site.serial,
        "primary": site.is_primary,
        "multi_primary": bool(site.flags & SiteFlag.MULTI_PRIMARY),
        "hash_option": site.hash_option,
        "hash_filter_hex": site.hash_filter.hex(),
        "attributes": [{"name": each.name, "value": each.value} for each in site.attributes],
        "servers": [
            {
                "server_id": server.server_id,
                "ip_hex": server.address.packed.rjust(16, b"\0").hex(),
                "address": str(server.address),
                "public_key_hex": server.public_key.hex(),
                "interfaces": [
                    {"type": each.purpose, "protocol": each.protocol, "port": each.port} for each in server.interfaces
                ],
            }
            for server in site.servers
        ],
    } == says
    assert encode_site(site) == data


def test_a_handle_hashes_as_its_vector_says(site_hash_vector: dict[str, Any]) -> None:
    handle = Handle(site_hash_vector["handle"])
    for name, option in OPTIONS.items():
        described = site_hash_vector[name]
        assert handle_hash(handle, option) == described["hash"]
        for count in (2, 3, 5):
            server = site_of(count, option).server_for(handle)
            assert server is not None
            assert server.server_id == described[f"server_of_{count}"]


def test_an_unknown_hash_option_counts_as_the_whole_handle() -> None:
    handle = Handle("88.300.15907/标识")
    assert handle_hash(handle, 9) == handle_hash(handle, HashOption.WHOLE_HANDLE)


def test_a_site_without_servers_has_none_for_any_handle() -> None:
    assert Site(()).server_for(Handle("88.300/1")) is None


def test_an_ipv4_address_stands_at_the_right() -> None:
    assert bytes(12) + bytes([192, 0, 2, 1]) in encode_site(Site((KEYED,)))


def test_an_ipv6_address_takes_all_octets() -> None:
    address = IPv6Address("2001:db8::7")
    assert decode_site(encode_site(Site((SiteServer(1, address),)))).servers[0].address == address


def test_a_port_is_found_by_protocol_where_it_takes_queries() -> None:
    assert KEYED.port(InterfaceProtocol.TCP) == 2641
    assert KEYED.port(InterfaceProtocol.UDP) is None


def test_an_attribute_is_found_by_name() -> None:
    site = Site((), attributes=(Attribute("desc", "二级节点"), Attribute("desc", "second")))
    assert site.attribute("desc") == "二级节点"
    assert site.attribute("domain") is None


@pytest.mark.parametrize("tail", [b"\0", bytes(4)])
def test_a_site_with_a_tail_is_refused(tail: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_site(encode_site(Site((KEYED,))) + tail)


@pytest.mark.parametrize("count_at", [12, 16])
def test_lying_counts_are_refused(count_at: int) -> None:
    octets = bytearray(encode_site(Site(())))
    octets[count_at : count_at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(MalformedMessage):
        decode_site(bytes(octets))
