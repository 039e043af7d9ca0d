"""HS_SITE and HS_SITE.PREFIX: the servers that answer for a prefix (RFC 3651 §3.2.2).

octets  field of a site
     2  data format, 1
     2  protocol version of the servers, major and minor
     2  serial number
     1  flags
     1  hash option: by which part of a handle the server is chosen
   4+n  hash filter, unused
   4+n  number of attributes, for each: 4+n name, 4+n value
   4+n  number of servers

octets  field of a server
     4  number of the server
    16  IPv6 address, or 12 zero octets and an IPv4 address
   4+n  public key, as in `handle_protocol.predefined.public_key`
   4+n  number of interfaces, for each: 1 purpose, 1 protocol, 4 port
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from handle_protocol import octets
from handle_protocol.envelope import VERSION_OURS, Version
from handle_protocol.handle import Handle, fold
from handle_protocol.octets import OctetReader


class SiteFlag(IntFlag):
    """What kind of site it is. Other bits pass through."""

    PRIMARY = 0x80
    MULTI_PRIMARY = 0x40


class HashOption(IntEnum):
    """Which part of a handle chooses the server of a site."""

    PREFIX = 0
    SUFFIX = 1
    WHOLE_HANDLE = 2


class InterfacePurpose(IntFlag):
    """What an interface accepts; 0 = it is out of service."""

    ADMIN = 1
    QUERY = 2


class InterfaceProtocol(IntEnum):
    """How an interface is spoken to."""

    UDP = 0
    TCP = 1
    HTTP = 2
    HTTPS = 3


@dataclass(frozen=True, slots=True)
class ServerInterface:
    """One port of a server.

    Attributes:
        purpose: bits of InterfacePurpose.
        protocol: an InterfaceProtocol, or an unknown octet that passes through.
    """

    purpose: int
    protocol: int
    port: int


@dataclass(frozen=True, slots=True)
class SiteServer:
    """One machine of a site.

    Attributes:
        server_id: from 1, unique in its site.
        public_key: encoded, or empty.
    """

    server_id: int
    address: IPv4Address | IPv6Address
    public_key: bytes = b""
    interfaces: tuple[ServerInterface, ...] = ()

    def port(self, protocol: InterfaceProtocol) -> int | None:
        """Return the port that answers queries over `protocol`, or None."""
        for interface in self.interfaces:
            if interface.protocol == protocol and interface.purpose & InterfacePurpose.QUERY:
                return interface.port
        return None


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named text about a site: `desc`, `alt_addr`, `domain` or `path`, the last three also with ".serverId"."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Site:
    """A set of servers that share the handles of a prefix.

    Attributes:
        serial: grows with every change; 16 bits.
        version: the newest protocol version its servers speak.
        flags: bits of SiteFlag.
        hash_option: a HashOption, or an unknown octet that passes through.
        hash_filter: unused by every known peer.
        data_format: 1 in every known peer.
    """

    servers: tuple[SiteServer, ...]
    serial: int = 1
    version: Version = VERSION_OURS
    flags: int = SiteFlag.PRIMARY
    hash_option: int = HashOption.WHOLE_HANDLE
    hash_filter: bytes = b""
    attributes: tuple[Attribute, ...] = ()
    data_format: int = 1

    @property
    def is_primary(self) -> bool:
        """Whether administrative requests belong here."""
        return bool(self.flags & SiteFlag.PRIMARY)

    def attribute(self, name: str) -> str | None:
        """Return the first value of an attribute, or None."""
        return next((attribute.value for attribute in self.attributes if attribute.name == name), None)

    def server_for(self, handle: Handle) -> SiteServer | None:
        """Return the server that answers for `handle`, or None in a site without servers."""
        if not self.servers:
            return None
        return self.servers[handle_hash(handle, self.hash_option) % len(self.servers)]


def handle_hash(handle: Handle, hash_option: int) -> int:
    """Return the number that chooses a server: 0 to 2³¹ (RFC 3651 §3.2.2, and what the reference does).

    It is made of the last four octets of an MD5 digest, read as a signed number, without its sign. An unknown
    option counts as the whole handle.
    """
    parts: dict[int, str] = {HashOption.PREFIX: handle.prefix_spelling, HashOption.SUFFIX: handle.suffix}
    hashed = parts.get(hash_option, handle.spelling)
    digest = hashlib.md5(fold(hashed).encode(), usedforsecurity=False).digest()
    return abs(int.from_bytes(digest[-4:], "big", signed=True))


_FIXED: Final = octets.layout("HBBHBB")
_INTERFACE: Final = octets.layout("BBI")
_ADDRESS_OCTETS: Final = 16
_IPV4_OCTETS: Final = 4
_IPV4_PADDING: Final = bytes(_ADDRESS_OCTETS - _IPV4_OCTETS)
_ATTRIBUTE_OCTETS_MIN: Final = 8
_SERVER_OCTETS_MIN: Final = 28


def encode_site(site: Site) -> bytes:
    """Return the octets of a site."""
    return b"".join(
        (
            _FIXED.pack(site.data_format, *site.version, site.serial, site.flags, site.hash_option),
            octets.counted(site.hash_filter),
            octets.u32(len(site.attributes)),
            *(octets.text(attribute.name) + octets.text(attribute.value) for attribute in site.attributes),
            octets.u32(len(site.servers)),
            *map(_encode_server, site.servers),
        )
    )


def decode_site(data: bytes) -> Site:
    """Read a site that fills `data`.

    Raises:
        MalformedMessage: the octets are no site.
    """
    reader = OctetReader(data)
    data_format, major, minor, serial, flags, hash_option = reader.fields(_FIXED, "site")
    hash_filter = reader.counted("hash filter")
    attributes = tuple(_decode_attribute(reader) for _ in range(reader.count("attributes", _ATTRIBUTE_OCTETS_MIN)))
    servers = tuple(_decode_server(reader) for _ in range(reader.count("servers", _SERVER_OCTETS_MIN)))
    reader.finish("site")
    return Site(servers, serial, Version(major, minor), flags, hash_option, hash_filter, attributes, data_format)


def _decode_attribute(reader: OctetReader) -> Attribute:
    return Attribute(reader.text("attribute name"), reader.text("attribute value"))


def _encode_server(server: SiteServer) -> bytes:
    return b"".join(
        (
            octets.u32(server.server_id),
            server.address.packed.rjust(_ADDRESS_OCTETS, b"\0"),
            octets.counted(server.public_key),
            octets.u32(len(server.interfaces)),
            *(_INTERFACE.pack(each.purpose, each.protocol, each.port) for each in server.interfaces),
        )
    )


def _decode_server(reader: OctetReader) -> SiteServer:
    server_id = reader.u32("server id")
    address = _decode_address(reader.take(_ADDRESS_OCTETS, "server address"))
    public_key = reader.counted("server public key")
    count = reader.count("interfaces", _INTERFACE.size)
    interfaces = tuple(ServerInterface(*reader.fields(_INTERFACE, "interface")) for _ in range(count))
    return SiteServer(server_id, address, public_key, interfaces)


def _decode_address(packed: bytes) -> IPv4Address | IPv6Address:
    if packed.startswith(_IPV4_PADDING):
        return IPv4Address(packed[-_IPV4_OCTETS:])
    return IPv6Address(packed)
