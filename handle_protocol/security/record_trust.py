"""Signatures over records (HS_SIGNATURE) and the certificates behind them (HS_CERT): made and followed.

A signature holds the SHA-256 digest of each value it covers; index and time of change are not covered. A certificate
binds a public key to a value reference, and says for which handles it may sign. Source: the reference, vector file 11;
China's root and SM2, vector file 15.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, NamedTuple

from handle_protocol.errors import InvalidValue, ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.security.certificates import CertificatePermission, CertificateRight, grants, read_permissions
from handle_protocol.security.digests import Digest, md5, sha1, sha256
from handle_protocol.security.limits import CERTIFICATES_MAX, CERTIFICATES_OF_HANDLE_MAX, SIGNED_VALUES_MAX
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.public_keys import VerificationKey
from handle_protocol.security.web_keys import verification_key_of_web_key, web_key
from handle_protocol.security.web_signatures import JsonMembers, SignedText, read_signed_text, write_signed_text
from handle_protocol.value import HandleValue, ValueReference, encode_value

SIGNATURE_TYPE: Final = "HS_SIGNATURE"
CERTIFICATE_TYPE: Final = "HS_CERT"

_UNCOVERED_OCTETS: Final = 8
"""Index and time of change at the start of an encoded value."""

_DIGESTS: Final = {"MD5": md5, "SHA-1": sha1, "SHA1": sha1, "SHA-256": sha256, "SHA256": sha256}
_STRONG_DIGESTS: Final = frozenset({"SHA-256", "SHA256"})

Fetch = Callable[[ValueReference], Sequence[HandleValue]]
"""Returns the values of the handle that is named, or only the one at the index; nothing when there is none."""


class Trust(Enum):
    """What a signature over a record turned out to be worth."""

    TRUSTED = "trusted"
    UNREADABLE = "unreadable"
    """The signature or a certificate has no shape, or uses what is not known here."""
    WRONG_SUBJECT = "wrong_subject"
    """It is about another handle."""
    WRONG_SIGNATURE = "wrong_signature"
    """The issuer's key did not make it."""
    WRONG_VALUES = "wrong_values"
    """A signed value is missing or has changed."""
    NOT_NOW = "not_now"
    """It, or a certificate behind it, is not valid yet or any more."""
    NOT_PERMITTED = "not_permitted"
    """A certificate does not allow what was signed with it."""
    UNTRUSTED = "untrusted"
    """No trusted key stands at the end of the certificates."""


@dataclass(frozen=True, slots=True)
class RecordTrust:
    """The result of verifying a record.

    Attributes:
        signed_indexes: what the signature covers; other values of the record are not vouched for.
        wrong_indexes: those of them whose values are missing or have changed.
        is_weak: it rests on DSA, a short RSA key, or a digest of MD5 or SHA-1.
        issuers: who signed the record, then who signed each certificate, as far as they were looked at; the last one
            is the trusted key when the outcome is TRUSTED.
        expires_at: Unix seconds: when the first of the signature and these certificates ends; None if none says so.
    """

    outcome: Trust
    signed_indexes: tuple[int, ...] = ()
    wrong_indexes: tuple[int, ...] = ()
    is_weak: bool = False
    issuers: tuple[ValueReference, ...] = ()
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """Who says it, about whom, and when it is true.

    Attributes:
        subject: a handle for a record; "index:handle" for a certificate.
        not_before, expires, issued_at: Unix seconds.
        chain: values that hold the certificates, the issuer's first; empty when they are to be searched for.
        others: further members, such as China's org, sn and exts.
    """

    issuer: ValueReference
    subject: str
    not_before: int
    expires: int
    issued_at: int
    chain: tuple[ValueReference, ...] = ()
    others: JsonMembers = field(default_factory=dict)

    def members(self) -> JsonMembers:
        """Return the claims in the order in which the reference writes them."""
        times = {"exp": self.expires, "nbf": self.not_before, "iat": self.issued_at}
        chain = {"chain": [str(reference) for reference in self.chain]} if self.chain else {}
        return {**chain, "iss": str(self.issuer), "sub": self.subject, **times, **self.others}


@dataclass(frozen=True, slots=True)
class TrustSource:
    """What verifying needs from outside.

    Attributes:
        anchors: the keys that are trusted, by the reference that certificates name as their issuer.
        fetch: how certificates are found. It may wait: run all of this in a thread.
        now: Unix seconds.
    """

    anchors: Mapping[ValueReference, VerificationKey]
    fetch: Fetch
    now: float


def value_digest(value: HandleValue, digest: Callable[[bytes], bytes] = sha256) -> str:
    """Return the digest of a value as signatures write it: base64, padded."""
    return b64encode(digest(encode_value(value)[_UNCOVERED_OCTETS:])).decode()


def sign_record(values: Sequence[HandleValue], key: SigningKey, claims: Claims) -> str:
    """Return the data of an HS_SIGNATURE value that covers `values`.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    each = [{"index": value.index, "digest": value_digest(value)} for value in values]
    return write_signed_text({"digests": {"alg": Digest.SHA256.value, "digests": each}, **claims.members()}, key)


def sign_certificate(
    permissions: Sequence[CertificatePermission], subject_key: VerificationKey, key: SigningKey, claims: Claims
) -> str:
    """Return the data of an HS_CERT value.

    Args:
        permissions: for which handles the subject may sign.
        subject_key: the key that is bound to the claims' subject.
        key: the issuer's.
        claims: with a value reference as their subject.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    each = [permission.members() for permission in permissions]
    return write_signed_text({"perms": each, "publicKey": web_key(subject_key), **claims.members()}, key)


def verify_record(signature: bytes, handle: str, values: Sequence[HandleValue], source: TrustSource) -> RecordTrust:
    """Verify a record against the data of one of its HS_SIGNATURE values.

    Everything that can be wrong with octets is an outcome here, not an error.
    """
    try:
        text = read_signed_text(signature)
        compared = _compare(text, values)
        if not _is_same_handle(text.payload.get("sub"), handle):
            return RecordTrust(Trust.WRONG_SUBJECT)
        if compared.outcome is not Trust.TRUSTED:
            return compared
        return _follow(text, source, compared)
    except ProtocolError:
        return RecordTrust(Trust.UNREADABLE)


def verify_record_signature(signature: bytes, key: VerificationKey) -> bool:
    """Tell whether an HS_SIGNATURE or HS_CERT was signed by the private half of `key`, and nothing else about it.

    Raises:
        ProtocolError: it is no signed text, or uses what is not known here.
    """
    return read_signed_text(signature).verify(key)


def _compare(text: SignedText, values: Sequence[HandleValue]) -> RecordTrust:
    """Return what the digests alone say: TRUSTED if they are those of `values`, else WRONG_VALUES."""
    name, each = _digests(text.payload)
    present = {value.index: value for value in values}
    digest = _DIGESTS[name]
    wrong = tuple(
        index
        for index, expected in each.items()
        if index not in present
        or not hmac.compare_digest(value_digest(present[index], digest).encode(), expected.encode())
    )
    outcome = Trust.TRUSTED if each and not wrong else Trust.WRONG_VALUES
    return RecordTrust(outcome, tuple(each), wrong, name not in _STRONG_DIGESTS)


def _digests(payload: JsonMembers) -> tuple[str, dict[int, str]]:
    match payload.get("digests"):
        case {"alg": str(name), "digests": list(each)} if name in _DIGESTS and len(each) <= SIGNED_VALUES_MAX:
            found = [_digest(item) for item in each]
        case _:
            raise InvalidValue("digests", f"at most {SIGNED_VALUES_MAX} digests of SHA-256")
    by_index = dict(found)
    if len(by_index) != len(found):
        raise InvalidValue("digests", "each index once")
    return name, by_index


def _digest(item: object) -> tuple[int, str]:
    match item:
        case {"index": int(index), "digest": str(digest)}:
            return index, digest
        case _:
            raise InvalidValue("digests", "an index and a digest")


class _Link(NamedTuple):
    """Who signed something, and what binds a key to them: trust in it, or a certificate, or nothing."""

    issuer: ValueReference
    anchor: VerificationKey | None
    certificate: SignedText | None

    def key(self) -> VerificationKey | None:
        if self.anchor is not None or self.certificate is None:
            return self.anchor
        return verification_key_of_web_key(self.certificate.payload.get("publicKey"))


def _follow(text: SignedText, source: TrustSource, compared: RecordTrust) -> RecordTrust:
    """Walk from a signed text over certificates to a trusted key, and add to `compared` what was found on the way."""
    needed: Sequence[CertificatePermission] = (
        CertificatePermission(CertificateRight.THIS_HANDLE, str(text.payload.get("sub"))),
    )
    chain = _chain(text)
    trust = replace(compared, outcome=Trust.UNTRUSTED)
    for depth in range(CERTIFICATES_MAX):
        link = _link(text, chain[depth : depth + 1], source)
        key = link.key()
        trust = _with_link(trust, link, key, _expires_at(text))
        outcome = _judge(text, key, source.now)
        if outcome is not Trust.TRUSTED or link.certificate is None:
            return replace(trust, outcome=outcome)
        permissions = read_permissions(link.certificate.payload.get("perms"))
        if not all(grants(permissions, permission) for permission in needed):
            return replace(trust, outcome=Trust.NOT_PERMITTED)
        text, needed = link.certificate, permissions
    return trust


def _link(text: SignedText, listed: Sequence[ValueReference], source: TrustSource) -> _Link:
    issuer = _reference(text, "iss")
    anchor = _anchor(issuer, source.anchors)
    return _Link(issuer, anchor, None if anchor else _certificate_of(issuer, listed, source.fetch))


def _judge(text: SignedText, key: VerificationKey | None, now: float) -> Trust:
    """Return what a signed text is worth if the key is its issuer's."""
    if key is None:
        return Trust.UNTRUSTED
    if not text.verify(key):
        return Trust.WRONG_SIGNATURE
    return Trust.TRUSTED if _is_valid_at(text, now) else Trust.NOT_NOW


def _with_link(trust: RecordTrust, link: _Link, key: VerificationKey | None, expires_at: int | None) -> RecordTrust:
    ends = [each for each in (trust.expires_at, expires_at) if each is not None]
    return replace(
        trust,
        is_weak=trust.is_weak or (key is not None and key.is_weak(Digest.SHA256)),
        issuers=(*trust.issuers, link.issuer),
        expires_at=min(ends, default=None),
    )


def _certificate_of(issuer: ValueReference, listed: Sequence[ValueReference], fetch: Fetch) -> SignedText | None:
    """Return the certificate of an issuer: from where the signature says it is, or from the issuer's own handle."""
    where = listed[0] if listed else ValueReference(0, issuer.handle)
    values = [
        value
        for value in fetch(where)
        if value.has_type(CERTIFICATE_TYPE) and where.index in (0, value.index) and value.is_public
    ]
    for value in values[:CERTIFICATES_OF_HANDLE_MAX]:
        try:
            certificate = read_signed_text(value.data)
            if _is_same_value(_reference(certificate, "sub"), issuer):
                return certificate
        except ProtocolError:
            continue
    return None


def _is_valid_at(text: SignedText, now: float) -> bool:
    not_before, expires_at = text.payload.get("nbf"), _expires_at(text)
    return isinstance(not_before, int) and expires_at is not None and not_before <= now < expires_at


def _expires_at(text: SignedText) -> int | None:
    expires = text.payload.get("exp")
    return expires if isinstance(expires, int) else None


def _reference(text: SignedText, name: str) -> ValueReference:
    spelling = text.payload.get(name)
    if not isinstance(spelling, str):
        raise InvalidValue(name, "index:handle")
    return ValueReference.parse(spelling)


def _chain(text: SignedText) -> Sequence[ValueReference]:
    match text.payload.get("chain"):
        case None:
            return ()
        case list(each) if len(each) <= CERTIFICATES_MAX and all(isinstance(item, str) for item in each):
            return tuple(ValueReference.parse(item) for item in each)
        case _:
            raise InvalidValue("chain", f"at most {CERTIFICATES_MAX} references")


def _anchor(issuer: ValueReference, anchors: Mapping[ValueReference, VerificationKey]) -> VerificationKey | None:
    return next((key for reference, key in anchors.items() if _is_same_value(reference, issuer)), None)


def _is_same_value(one: ValueReference, other: ValueReference) -> bool:
    return one.index == other.index and _is_same_handle(one.handle, other.handle)


def _is_same_handle(subject: object, handle: str) -> bool:
    return isinstance(subject, str) and Handle.parse(subject).key() == Handle.parse(handle).key()
