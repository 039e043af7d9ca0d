"""The data of a value as JSON: a text, base64, or an object for the types whose data has a shape (see json_form)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from handle_protocol.envelope import VERSION_OURS, Version
from handle_protocol.errors import InvalidValue, ProtocolError
from handle_protocol.json_fields import (
    U16_MAX,
    U32_MAX,
    JsonObject,
    base64_octets,
    items,
    text_octets,
    whole_number,
)
from handle_protocol.limits import HANDLE_OCTETS_MAX, KEY_NUMBER_OCTETS_MAX, MESSAGE_OCTETS_MAX
from handle_protocol.predefined import parse_data
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.predefined.public_key import (
    DsaPublicKey,
    PublicKey,
    RsaPublicKey,
    decode_public_key,
    encode_public_key,
)
from handle_protocol.predefined.site import (
    Attribute,
    HashOption,
    InterfaceProtocol,
    InterfacePurpose,
    ServerInterface,
    Site,
    SiteFlag,
    SiteServer,
    encode_site,
)
from handle_protocol.predefined.vlist import AdministratorGroup, encode_group
from handle_protocol.value import HandleValue, ValueReference

JsonDict = dict[str, object]

_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BINARY_DIGITS: Final = re.compile(r"[01]{1,16}")
_VERSION: Final = re.compile(r"(\d{1,3})\.(\d{1,3})", re.ASCII)
_U8_MAX: Final = 255
_ALL_ADMIN_PERMISSIONS: Final = 0xFFF


def data_to_json(value: HandleValue) -> JsonDict:
    """Return a value's data with its format, so that reading it gives the same octets again.

    Data of a known type that the reader would not take, or not give back alike, is written as any other octets.
    """
    try:
        form = _shaped_data_to_json(value)
        if form is not None and data_from_json(form, "data") == value.data:
            return form
    except InvalidValue:
        pass
    return _octets_to_json(value.data)


def _shaped_data_to_json(value: HandleValue) -> JsonDict | None:
    match parse_data(value):
        case Administrator() as administrator:
            return {"format": "admin", "value": _administrator_to_json(administrator)}
        case AdministratorGroup(members):
            return {"format": "vlist", "value": [reference_to_json(member) for member in members]}
        case Site() as site:
            return {"format": "site", "value": _site_to_json(site)}
        case RsaPublicKey() | DsaPublicKey():
            return _key_to_json(value.data)
        case _:
            return None


def data_from_json(json: object, field: str) -> bytes:
    """Return the octets of data that is a text, or an object with format and value.

    Raises:
        InvalidValue: the format is unknown, or the value is not as it says.
    """
    if isinstance(json, str):
        return text_octets(json, field, MESSAGE_OCTETS_MAX)
    form = JsonObject(json, field)
    name = form.get("format")
    reader = _READERS.get(name.lower()) if isinstance(name, str) else None
    if reader is None:
        raise InvalidValue(form.path("format"), f"one of {', '.join(_READERS)}")
    return reader(form.get("value"), form.path("value"))


def reference_to_json(reference: ValueReference) -> JsonDict:
    """Return a reference as an object."""
    return {"handle": reference.handle, "index": reference.index}


def reference_from_json(json: object, field: str) -> ValueReference:
    """Read a reference. Raises InvalidValue."""
    form = JsonObject(json, field)
    return ValueReference(form.number("index", 0, U32_MAX), form.text("handle", HANDLE_OCTETS_MAX))


def _octets_to_json(data: bytes) -> JsonDict:
    try:
        characters = data.decode()
    except UnicodeDecodeError:
        return _base64_to_json(data)
    if _UNPRINTABLE.search(characters):
        return _base64_to_json(data)
    return {"format": "string", "value": characters}


def _base64_to_json(data: bytes) -> JsonDict:
    return {"format": "base64", "value": base64.b64encode(data).decode()}


def _text_from_json(json: object, field: str) -> bytes:
    return text_octets(json, field, MESSAGE_OCTETS_MAX)


def _base64_from_json(json: object, field: str) -> bytes:
    return base64_octets(json, field, MESSAGE_OCTETS_MAX)


def _hex_from_json(json: object, field: str) -> bytes:
    try:
        return bytes.fromhex(text_octets(json, field, 2 * MESSAGE_OCTETS_MAX).decode())
    except ValueError:
        raise InvalidValue(field, "hexadecimal digits") from None


def _administrator_to_json(administrator: Administrator) -> JsonDict:
    form = reference_to_json(administrator.reference)
    form["permissions"] = f"{administrator.permissions:012b}"
    if administrator.has_spare_octets:
        form["legacyByteLength"] = True
    return form


def _administrator_from_json(json: object, field: str) -> bytes:
    form = JsonObject(json, field)
    written = form.text("permissions", octets_max=16)
    if written == "*":
        permissions = _ALL_ADMIN_PERMISSIONS
    elif _BINARY_DIGITS.fullmatch(written):
        permissions = int(written, 2)
    else:
        raise InvalidValue(form.path("permissions"), "twelve binary digits, or *")
    reference = reference_from_json(json, field)
    return encode_administrator(Administrator(permissions, reference, form.truth("legacyByteLength")))


def _group_from_json(json: object, field: str) -> bytes:
    return encode_group(AdministratorGroup(tuple(reference_from_json(*item) for item in items(json, field))))


def _key_to_json(data: bytes) -> JsonDict:
    try:
        key = decode_public_key(data)
    except ProtocolError:
        return _base64_to_json(data)
    match key:
        case RsaPublicKey(e, n) if min(e, n) > 0:
            numbers = {"n": n, "e": e}
        case DsaPublicKey(q, p, g, y) if min(q, p, g, y) > 0:
            numbers = {"y": y, "p": p, "q": q, "g": g}
        case _:
            return _base64_to_json(data)
    kind = "RSA" if isinstance(key, RsaPublicKey) else "DSA"
    jwk: JsonDict = {"kty": kind, **{name: _number_to_json(number) for name, number in numbers.items()}}
    form: JsonDict = {"format": "key", "value": jwk}
    return form if encode_public_key(_key_of(JsonObject(jwk, ""))) == data else _base64_to_json(data)


def _key_from_json(json: object, field: str) -> bytes:
    return encode_public_key(_key_of(JsonObject(json, field)))


def _key_of(form: JsonObject) -> PublicKey:
    match form.get("kty"):
        case "RSA":
            return RsaPublicKey(exponent=_number_of(form, "e"), modulus=_number_of(form, "n"))
        case "DSA":
            return DsaPublicKey(*(_number_of(form, name) for name in "qpgy"))
        case _:
            raise InvalidValue(form.path("kty"), "RSA or DSA")


def _number_to_json(number: int) -> str:
    """Write a positive number as RFC 7518 §2 does: base64url of its octets, without padding."""
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _number_of(form: JsonObject, name: str) -> int:
    octets = base64_octets(form.get(name), form.path(name), KEY_NUMBER_OCTETS_MAX, alphabet=b"-_")
    return int.from_bytes(octets, "big")


def _site_to_json(site: Site) -> JsonDict:
    form: JsonDict = {
        "version": site.data_format,
        "protocolVersion": str(site.version),
        "serialNumber": site.serial,
        "primarySite": site.is_primary,
        "multiPrimary": bool(site.flags & SiteFlag.MULTI_PRIMARY),
    }
    if site.hash_option != HashOption.WHOLE_HANDLE:
        form["hashOption"] = site.hash_option
    if site.hash_filter:
        form["hashFilter"] = site.hash_filter.decode(errors="replace")
    form["attributes"] = [{"name": attribute.name, "value": attribute.value} for attribute in site.attributes]
    form["servers"] = [_server_to_json(server) for server in site.servers]
    return form


def _server_to_json(server: SiteServer) -> JsonDict:
    return {
        "serverId": server.server_id,
        "address": str(server.address),
        "publicKey": _key_to_json(server.public_key),
        "interfaces": [_interface_to_json(interface) for interface in server.interfaces],
    }


def _interface_to_json(interface: ServerInterface) -> JsonDict:
    return {
        "query": bool(interface.purpose & InterfacePurpose.QUERY),
        "admin": bool(interface.purpose & InterfacePurpose.ADMIN),
        "protocol": _PROTOCOL_NAMES.get(interface.protocol, interface.protocol),
        "port": interface.port,
    }


def _site_from_json(json: object, field: str) -> bytes:
    form = JsonObject(json, field)
    primary = SiteFlag.PRIMARY if form.truth("primarySite") else 0
    multi_primary = SiteFlag.MULTI_PRIMARY if form.truth("multiPrimary") else 0
    site = Site(
        servers=tuple(_server_from_json(*item) for item in form.items("servers")),
        serial=form.number("serialNumber", 0, U16_MAX, default=1),
        version=_version_of(form, "protocolVersion"),
        flags=primary | multi_primary,
        hash_option=form.number("hashOption", 0, _U8_MAX, default=HashOption.WHOLE_HANDLE),
        hash_filter=text_octets(form.get("hashFilter") or "", form.path("hashFilter"), MESSAGE_OCTETS_MAX),
        attributes=tuple(_attribute_from_json(*item) for item in form.items("attributes")),
        data_format=form.number("version", 0, U16_MAX, default=1),
    )
    return encode_site(site)


def _version_of(form: JsonObject, name: str) -> Version:
    if form.get(name) is None:
        return VERSION_OURS
    written = _VERSION.fullmatch(form.text(name, octets_max=7))
    if written is None or max(numbers := (int(written[1]), int(written[2]))) > _U8_MAX:
        raise InvalidValue(form.path(name), "a version such as 2.11")
    return Version(*numbers)


def _attribute_from_json(json: object, field: str) -> Attribute:
    form = JsonObject(json, field)
    return Attribute(form.text("name", MESSAGE_OCTETS_MAX), form.text("value", MESSAGE_OCTETS_MAX))


def _server_from_json(json: object, field: str) -> SiteServer:
    form = JsonObject(json, field)
    key = form.get("publicKey")
    return SiteServer(
        server_id=form.number("serverId", 0, U32_MAX, default=0),
        address=_address_of(form, "address"),
        public_key=b"" if key is None else data_from_json(key, form.path("publicKey")),
        interfaces=tuple(_interface_from_json(*item) for item in form.items("interfaces")),
    )


def _address_of(form: JsonObject, name: str) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(form.text(name, octets_max=64))
    except ValueError:
        raise InvalidValue(form.path(name), "an IPv4 or IPv6 address") from None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _interface_from_json(json: object, field: str) -> ServerInterface:
    form = JsonObject(json, field)
    query = InterfacePurpose.QUERY if form.truth("query") else 0
    admin = InterfacePurpose.ADMIN if form.truth("admin") else 0
    return ServerInterface(query | admin, _protocol_of(form, "protocol"), form.number("port", 0, U32_MAX))


def _protocol_of(form: JsonObject, name: str) -> int:
    written = form.get(name)
    if isinstance(written, str):
        if written not in InterfaceProtocol.__members__:
            raise InvalidValue(form.path(name), f"one of {', '.join(InterfaceProtocol.__members__)}")
        return InterfaceProtocol[written]
    return whole_number(written, form.path(name), 0, _U8_MAX)


_PROTOCOL_NAMES: Final[dict[int, str]] = {protocol: protocol.name for protocol in InterfaceProtocol}

_READERS: Final[dict[str, Callable[[object, str], bytes]]] = {
    "string": _text_from_json,
    "base64": _base64_from_json,
    "hex": _hex_from_json,
    "admin": _administrator_from_json,
    "vlist": _group_from_json,
    "site": _site_from_json,
    "key": _key_from_json,
}
