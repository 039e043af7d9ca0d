"""The types of values whose data has a shape of its own (RFC 3651 §3.2), and the table of them all.

`parse_data` reads a value's data; data of any other type, or that is not as its type says, stays octets. Whatever
it returns, `format_data` gives back the octets that were read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from handle_protocol.errors import ProtocolError
from handle_protocol.handle import fold
from handle_protocol.predefined.admin import Administrator, decode_administrator, encode_administrator
from handle_protocol.predefined.alias import Alias, decode_alias, encode_alias
from handle_protocol.predefined.location import LocationList, decode_locations, encode_locations
from handle_protocol.predefined.namespace import Namespace, decode_namespace, encode_namespace
from handle_protocol.predefined.public_key import (
    DhPublicKey,
    DsaPublicKey,
    PublicKey,
    RsaPublicKey,
    decode_public_key,
    encode_public_key,
)
from handle_protocol.predefined.secret_key import SecretKey, decode_secret_key, encode_secret_key
from handle_protocol.predefined.service import ServiceHandle, decode_service, encode_service
from handle_protocol.predefined.site import Site, decode_site, encode_site
from handle_protocol.predefined.vlist import AdministratorGroup, decode_group, encode_group
from handle_protocol.value import HandleValue

Data = (
    Administrator
    | AdministratorGroup
    | Alias
    | LocationList
    | Namespace
    | PublicKey
    | SecretKey
    | ServiceHandle
    | Site
    | bytes
)


class _Codec(NamedTuple):
    decode: Callable[[bytes], Data]
    encode: Callable[[Any], bytes]


_ADMIN: Final = _Codec(decode_administrator, encode_administrator)
_GROUP: Final = _Codec(decode_group, encode_group)
_ALIAS: Final = _Codec(decode_alias, encode_alias)
_LOCATIONS: Final = _Codec(decode_locations, encode_locations)
_NAMESPACE: Final = _Codec(decode_namespace, encode_namespace)
_KEY: Final = _Codec(decode_public_key, encode_public_key)
_SECRET: Final = _Codec(decode_secret_key, encode_secret_key)
_SERVICE: Final = _Codec(decode_service, encode_service)
_SITE: Final = _Codec(decode_site, encode_site)

_BY_TYPE: Final = {
    "HS_ADMIN": _ADMIN,
    "HS_VLIST": _GROUP,
    "HS_ALIAS": _ALIAS,
    "HS_SITE": _SITE,
    "HS_NA_DELEGATE": _SITE,
    "HS_SERV": _SERVICE,
    "HS_PUBKEY": _KEY,
    "HS_SECKEY": _SECRET,
    "HS_NAMESPACE": _NAMESPACE,
    "10320/LOC": _LOCATIONS,
}

_BY_CLASS: Final[dict[type, _Codec]] = {
    Administrator: _ADMIN,
    AdministratorGroup: _GROUP,
    Alias: _ALIAS,
    LocationList: _LOCATIONS,
    Namespace: _NAMESPACE,
    RsaPublicKey: _KEY,
    DsaPublicKey: _KEY,
    DhPublicKey: _KEY,
    SecretKey: _SECRET,
    ServiceHandle: _SERVICE,
    Site: _SITE,
}


def parse_data(value: HandleValue) -> Data:
    """Return the data of a value as its type says, or as octets where that would lose any of them.

    A dotted child of a type (HS_SITE.PREFIX, HS_SITE.6) has the shape of its parent.
    """
    codec = _BY_TYPE.get(fold(value.value_type).partition(".")[0])
    if codec is None:
        return value.data
    try:
        data = codec.decode(value.data)
    except ProtocolError:
        return value.data
    return data if codec.encode(data) == value.data else value.data


def format_data(data: Data) -> bytes:
    """Return the octets of parsed data."""
    return data if isinstance(data, bytes) else _BY_CLASS[type(data)].encode(data)
