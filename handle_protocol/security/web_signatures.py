"""Signed texts (JWS, RFC 7515) as records carry them: one signature, compact or as JSON (vector files 11 and 15).

RS256 and DS256 sign SHA-256; SM2256 is SM2 over the text itself, with the signer's id that everybody has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from handle_protocol.errors import InvalidValue
from handle_protocol.security.digests import Digest
from handle_protocol.security.errors import UnsupportedAlgorithm, check_bounds
from handle_protocol.security.limits import JSON_DEPTH_MAX, JWS_OCTETS, SIGNATURE_OCTETS
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.public_keys import KeyKind, VerificationKey
from handle_protocol.security.web_keys import base64url, octets_of_base64url

JsonMembers = Mapping[str, object]

_ALGORITHMS: Final = {KeyKind.RSA: "RS256", KeyKind.DSA: "DS256", KeyKind.SM2: "SM2256"}
_COMPACT_PARTS: Final = 3
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS: Final = {"{": 1, "[": 1, "}": -1, "]": -1}


@dataclass(frozen=True, slots=True)
class SignedText:
    """A signed text as it came; nothing is verified yet.

    Attributes:
        algorithm: what its header names.
        payload: the members of what was signed, extra ones included.
        signed: the octets that the signature covers.
    """

    algorithm: str
    payload: JsonMembers
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def verify(self, key: VerificationKey) -> bool:
        """Tell whether the private half of `key` signed it, with the one algorithm that fits the key.

        Raises:
            UnsupportedKey: SM2 is not installed.
        """
        if self.algorithm != _ALGORITHMS[key.kind] or len(self.signature) not in SIGNATURE_OCTETS:
            return False
        if key.kind is KeyKind.SM2:
            return key.verify_sm2(self.signature, self.signed)
        return key.verify(Digest.SHA256, self.signature, self.signed)


def read_signed_text(data: bytes) -> SignedText:
    """Read the data of an HS_SIGNATURE or HS_CERT value.

    Raises:
        InvalidValue: it is no signed text with one signature, or nested too deeply.
        UnsupportedAlgorithm: an algorithm that is not known.
        OutOfBounds: it is too long.
    """
    check_bounds("octets of signed text", len(data), JWS_OCTETS)
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise InvalidValue("signature", "ASCII") from None
    header, payload, signature = _json_parts(text) if text.startswith("{") else _compact_parts(text)
    algorithm = _members(header, "header").get("alg")
    if algorithm not in _ALGORITHMS.values():
        raise UnsupportedAlgorithm(f"expected algorithm {', '.join(_ALGORITHMS.values())}")
    signed = f"{header}.{payload}".encode()
    members = _members(payload, "payload")
    return SignedText(str(algorithm), members, signed, octets_of_base64url(signature, "signature"))


def write_signed_text(payload: JsonMembers, key: SigningKey) -> str:
    """Return a payload signed, in the compact form; members keep their order.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    header = {"alg": _ALGORITHMS[key.kind]}
    signed = f"{_encoded(header)}.{_encoded(payload)}"
    is_sm2 = key.kind is KeyKind.SM2
    signature = key.sign_sm2(signed.encode()) if is_sm2 else key.sign_digest(Digest.SHA256, signed.encode())
    return f"{signed}.{base64url(signature)}"


def parse_members(text: str, where: str) -> JsonMembers:
    """Read a JSON object of bounded depth.

    Raises:
        InvalidValue: it is none, or nested too deeply.
    """
    _check_depth(text, where)
    try:
        members = json.loads(text)
    except ValueError:
        raise InvalidValue(where, "JSON") from None
    if not isinstance(members, dict):
        raise InvalidValue(where, "an object")
    return members


def _compact_parts(text: str) -> tuple[str, str, str]:
    header, *rest = text.split(".", _COMPACT_PARTS)
    if len(rest) != _COMPACT_PARTS - 1:
        raise InvalidValue("signature", "header, payload and signature")
    return header, rest[0], rest[1]


def _json_parts(text: str) -> tuple[str, str, str]:
    members = parse_members(text, "signature")
    match members:
        case {"payload": str(payload), "signatures": [{"protected": str(header), "signature": str(signature)}]}:
            return header, payload, signature
        case _:
            raise InvalidValue("signature", "a payload and one signature")


def _members(part: str, where: str) -> JsonMembers:
    try:
        return parse_members(octets_of_base64url(part, where).decode(), where)
    except UnicodeDecodeError:
        raise InvalidValue(where, "UTF-8") from None


def _check_depth(text: str, where: str) -> None:
    depth = 0
    for character in _STRING.sub("", text):
        depth += _BRACKETS.get(character, 0)
        if depth > JSON_DEPTH_MAX:
            raise InvalidValue(where, f"at most {JSON_DEPTH_MAX} levels")


def _encoded(members: JsonMembers) -> str:
    return base64url(json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode())
