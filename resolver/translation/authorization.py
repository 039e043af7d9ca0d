"""Who asks over HTTP, as the request says it: schemes Basic and Handle, and the challenge (RFC 9110 §11, vector 14).

Handle version="0", sessionId="…", cnonce="…", id="301%3A0.NA%2F88.118.8", type="HS_SECKEY", alg="…", signature="…"
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import unquote

from handle_protocol.errors import InvalidHandle, InvalidValue
from handle_protocol.handle import Handle
from handle_protocol.json_fields import U32_MAX, base64_octets
from handle_protocol.security.limits import DIGEST_NAME_OCTETS, SIGNATURE_OCTETS
from handle_protocol.value import ValueReference
from resolver.authentication.web_proofs import StretchingFields, WebProof

AUTHORIZATION_CHARACTERS_MAX: Final = 8_192
"""As long as a header field may be."""

CLIENT_NONCE_OCTETS_MAX: Final = 64
"""Ours: clients in the field send 16."""

SALT_OCTETS_MAX: Final = 64
SECRET_OCTETS_MAX: Final = 4_096
"""Ours: secret keys in the field have tens of octets."""

SESSION_COOKIE: Final = "JSESSIONID"
REALM: Final = "handle"
NOT_VERIFIED: Final = "Identity not verified"
"""The reference's words, vector 14; clients look for `error`, not for them."""

_FIELD: Final = re.compile(r'\s*([A-Za-z]{1,32})\s*=\s*(?:"([^"\\]*)"|([^\s",]*))\s*(?:,|$)')
_NUMBER_DIGITS_MAX: Final = 10
_STRETCHING_NAMES: Final = ("salt", "iterations", "length")


class UnreadableAuthorization(ValueError):
    """Credentials that say nothing: the text tells what was expected."""


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """The scheme Basic."""

    identity: ValueReference
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandleCredentials:
    """The scheme Handle.

    Attributes:
        session_id: of a session that goes on, or in which something is proved; empty without one.
        client_nonce: the client's own octets, which the node is to sign if there is no proof beside them.
        proof: of who it is.
        shows_certificate: the certificate in the TLS handshake says who it is.
        identity: of the certificate's holder; None = the certificate says it.
    """

    session_id: str = field(default="", repr=False)
    client_nonce: bytes = b""
    proof: WebProof | None = None
    shows_certificate: bool = False
    identity: ValueReference | None = None


Credentials = PasswordCredentials | HandleCredentials


def read_authorization(header: str) -> Credentials:
    """Read the field Authorization.

    Raises:
        UnreadableAuthorization: the scheme is not known, or its credentials are not as they should be.
    """
    scheme, _, rest = header.strip().partition(" ")
    if len(header) > AUTHORIZATION_CHARACTERS_MAX:
        raise UnreadableAuthorization(f"expected at most {AUTHORIZATION_CHARACTERS_MAX} characters")
    match scheme.lower():
        case "basic":
            return _read_basic(rest)
        case "handle":
            return read_handle_credentials({name: unquote(text) for name, text in _fields(rest).items()})
        case _:
            raise UnreadableAuthorization("expected Basic or Handle")


def read_handle_credentials(fields: Mapping[str, str]) -> HandleCredentials:
    """Read the named fields of the scheme Handle, from a header or from a JSON object.

    Raises:
        UnreadableAuthorization: one is not as it should be.
    """
    try:
        client_nonce = _octets(fields, "cnonce", CLIENT_NONCE_OCTETS_MAX)
        identity = read_identity(fields["id"]) if fields.get("id") else None
        return HandleCredentials(
            session_id=fields.get("sessionId", ""),
            client_nonce=client_nonce,
            proof=None if identity is None else _read_proof(fields, identity, client_nonce),
            shows_certificate=fields.get("clientCert", "").lower() == "true",
            identity=identity,
        )
    except InvalidValue as error:
        raise UnreadableAuthorization(str(error)) from None


def read_web_proof(fields: Mapping[str, str], identity: ValueReference) -> WebProof | None:
    """Read a proof alone, as the resource of verifications has it; None when something is missing.

    Raises:
        UnreadableAuthorization: a field is not as it should be.
    """
    try:
        return _read_proof(fields, identity, _octets(fields, "cnonce", CLIENT_NONCE_OCTETS_MAX))
    except InvalidValue as error:
        raise UnreadableAuthorization(str(error)) from None


def read_nonce(fields: Mapping[str, str]) -> bytes:
    """Read the nonce that somebody else gave, empty without one.

    Raises:
        UnreadableAuthorization: it is not as it should be.
    """
    try:
        return _octets(fields, "nonce", CLIENT_NONCE_OCTETS_MAX)
    except InvalidValue as error:
        raise UnreadableAuthorization(str(error)) from None


def read_identity(text: str) -> ValueReference:
    """Read "index:handle"; an index of 0, or none, stands for any key of the handle.

    Raises:
        UnreadableAuthorization: it is no such thing.
    """
    index = text.partition(":")[0]
    if index.isdigit() and len(index) > _NUMBER_DIGITS_MAX:
        raise UnreadableAuthorization(f"expected an index of at most {U32_MAX}")
    try:
        reference = ValueReference.parse(text)
        Handle.parse(reference.handle)
    except InvalidHandle:
        raise UnreadableAuthorization("expected an identity such as 300:0.NA/88.118.8") from None
    if reference.index > U32_MAX:
        raise UnreadableAuthorization(f"expected an index of at most {U32_MAX}")
    return reference


def read_session_cookie(header: str) -> str:
    """Return the session that the field Cookie names; empty without one."""
    try:
        cookie = SimpleCookie(header[:AUTHORIZATION_CHARACTERS_MAX]).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return "" if cookie is None else cookie.value


def challenge_text(
    session_id: str, nonce: bytes, *, offers_basic: bool, error: str = "", signature: tuple[str, bytes] | None = None
) -> str:
    """Return the field WWW-Authenticate.

    Args:
        session_id: of the session in which something may be proved.
        nonce: of that session.
        offers_basic: whether a password would do, too.
        error: what was wrong with the credentials, in ASCII.
        signature: the name of the digest and the node's own signature over both nonces.
    """
    fields = {"sessionId": session_id, "nonce": _base64(nonce), "error": error}
    if signature is not None:
        fields |= {"serverAlg": signature[0], "serverSignature": _base64(signature[1])}
    handle = ", ".join(f'{name}="{text}"' for name, text in fields.items() if text)
    return f'Basic realm="{REALM}", Handle {handle}' if offers_basic else f"Handle {handle}"


def _read_basic(text: str) -> PasswordCredentials:
    """Read user and password; the user is the identity, escaped so that its colon does not end it (vector 14)."""
    try:
        user, colon, secret = base64.b64decode(text.strip(), validate=True).partition(b":")
        identity = read_identity(unquote(user.decode(), errors="strict"))
    except ValueError:  # Of base64 and of UTF-8, too.
        raise UnreadableAuthorization("expected base64 of index%3Ahandle:secret") from None
    if not colon or len(secret) > SECRET_OCTETS_MAX:
        raise UnreadableAuthorization("expected a secret")
    return PasswordCredentials(identity, secret)


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _FIELD.match(text, at)
        if found is None or found[1] in fields:
            raise UnreadableAuthorization('expected name="text" pairs, each name once')
        fields[found[1]] = found[2] if found[2] is not None else found[3]
        at = found.end()
    return fields


def _read_proof(fields: Mapping[str, str], identity: ValueReference, client_nonce: bytes) -> WebProof | None:
    algorithm = fields.get("alg", "")
    signature = _octets(fields, "signature", SIGNATURE_OCTETS.stop - 1)
    if not algorithm or not signature:
        return None
    if len(algorithm) not in DIGEST_NAME_OCTETS:
        raise InvalidValue("alg", f"at most {DIGEST_NAME_OCTETS.stop - 1} characters")
    value_type = fields.get("type") or "HS_SECKEY"
    return WebProof(identity, value_type, algorithm, signature, client_nonce, _read_stretching(fields))


def _read_stretching(fields: Mapping[str, str]) -> StretchingFields | None:
    if not all(fields.get(name) for name in _STRETCHING_NAMES):
        return None
    salt = _octets(fields, "salt", SALT_OCTETS_MAX)
    return StretchingFields(salt, _number(fields, "iterations"), _number(fields, "length"))


def _octets(fields: Mapping[str, str], name: str, octets_max: int) -> bytes:
    return base64_octets(fields.get(name, "").replace(" ", "+"), name, octets_max)


def _number(fields: Mapping[str, str], name: str) -> int:
    text = fields[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX):
        raise InvalidValue(name, "a whole number")
    return int(text)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
