"""What vouches for a message: which octets a signature or a session's code covers in each version (vector file 06).

version     covered
below 2.5   header, body
2.5, 2.6    a buffer that the reference fills wrongly, and everybody after it
2.7         major, minor, session id, request id, counter, header, body
from 2.8    major, minor, suggested major and minor, session id, request id, counter, header, body

The counter stands where a signature has the index of its key. It and the ids are 32 bits wide.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Final

from handle_protocol import octets
from handle_protocol.credential import Credential
from handle_protocol.envelope import Version
from handle_protocol.message import Message, encode_header_and_body
from handle_protocol.security.digests import Digest, digest_named, sha1
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.public_keys import VerificationKey
from handle_protocol.security.session_keys import SessionKey
from handle_protocol.value import ValueReference

SIGNED: Final = "HS_SIGNED"
MACED: Final = "HS_MAC"

_MAC_IN_FAULTY_BUFFER_SINCE: Final = Version(2, 5)
_SIGNED_IN_FAULTY_BUFFER_SINCE: Final = Version(2, 6)
_IDS_COVERED_SINCE: Final = Version(2, 7)
_SUGGESTION_COVERED_SINCE: Final = Version(2, 8)

_IDS: Final = octets.layout("BBIII")
_IDS_AND_SUGGESTION: Final = octets.layout("BBBBIII")
_FAULTY_IDS_OCTETS: Final = 14

_HMAC_SHA256: Final = b"HMAC-SHA256"
_SHA1_NUMBER: Final = b"\x02"
_SHA1_NAMES: Final = frozenset({_SHA1_NUMBER, b"SHA1", b"SHA-1"})
_SIGNATURE_TYPES: Final = frozenset({SIGNED, "HS_DSAPUBKEY"})

NO_SIGNER: Final = ValueReference(0, "")
"""What a server's signature names."""


def covered_octets(
    version: Version,
    suggested: Version,
    session_id: int,
    request_id: int,
    counter: int,
    header_and_body: bytes,
) -> bytes:
    """Return the octets that a signature covers, and from version 2.7 a session's code too."""
    if version >= _SUGGESTION_COVERED_SINCE:
        return _IDS_AND_SUGGESTION.pack(*version, *suggested, session_id, request_id, counter) + header_and_body
    if version >= _IDS_COVERED_SINCE:
        return _IDS.pack(*version, session_id, request_id, counter) + header_and_body
    if version >= _SIGNED_IN_FAULTY_BUFFER_SINCE:
        # The reference writes the request id and then the counter at octet 4, over half of the session id.
        start = bytes(version) + octets.u32(session_id)[:2] + octets.u32(counter)
        return start.ljust(_FAULTY_IDS_OCTETS, b"\0") + header_and_body
    return header_and_body


def sign_message(message: Message, key: SigningKey, signer: ValueReference = NO_SIGNER) -> Message:
    """Return the message with a signature.

    Args:
        message: a signature or code that it already has is replaced.
        key: its digest is the one that peers of the message's version expect.
        signer: where the public key is found; servers do not say. Its index is covered in place of a counter.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    digest_name, signature = key.sign(_covered(message, signer.index), message.version, signer.handle.encode())
    return _with_credential(message, Credential(signer.handle, signer.index, SIGNED, digest_name.encode(), signature))


def verify_signature(message: Message, key: VerificationKey) -> bool:
    """Tell whether the message is signed by the private half of `key`.

    Raises:
        UnsupportedAlgorithm: the digest is not known, or does not fit the key.
        UnsupportedKey: SM2 is not installed.
    """
    credential = message.credential
    if credential is None or credential.credential_type not in _SIGNATURE_TYPES:
        return False
    content = _covered(message, credential.signer_index)
    name = credential.digest_name.decode("latin-1")
    return key.verify(name, credential.signature, content, credential.signer_handle.encode())


def mac_message(message: Message, key: SessionKey, counter: int) -> Message:
    """Return the message with the code that a session's key makes.

    Args:
        message: a signature or code that it already has is replaced.
        key: of the session.
        counter: of the session; each is used once.
    """
    digest_name = _mac_name(message.version)
    return _with_credential(
        message, Credential("", counter, MACED, digest_name, _mac(message, key, counter, digest_name))
    )


def verify_mac(message: Message, key: SessionKey) -> bool:
    """Tell whether the message carries the code that the session's key makes for its counter.

    The algorithm has to be the one of the message's version: a peer cannot choose a weaker one.
    """
    credential = message.credential
    if credential is None or credential.credential_type != MACED:
        return False
    expected_name = _mac_name(message.version)
    if credential.digest_name != expected_name and not {credential.digest_name, expected_name} <= _SHA1_NAMES:
        return False
    expected = _mac(message, key, credential.signer_index, expected_name)
    return hmac.compare_digest(expected, credential.signature)


def has_weak_credential(message: Message, key: VerificationKey | None = None) -> bool:
    """Tell whether what vouches for the message is weak: none at all, SHA-1, MD5, DSA, or a version below 2.7.

    Args:
        message: with its credential.
        key: of a signature; its kind and size count too.

    Raises:
        UnsupportedAlgorithm: a signature with a digest that is not known.
    """
    credential = message.credential
    if credential is None or message.version < _IDS_COVERED_SINCE:
        return True
    if credential.credential_type == MACED:
        return credential.digest_name != _HMAC_SHA256
    name = credential.digest_name.decode("latin-1")
    return digest_named(name).is_weak if key is None else key.is_weak(name)


def _covered(message: Message, counter: int) -> bytes:
    return covered_octets(
        message.version,
        message.suggested,
        message.session_id,
        message.request_id,
        counter,
        encode_header_and_body(message),
    )


def _with_credential(message: Message, credential: Credential) -> Message:
    return replace(message, credential=credential, has_credential_field=True)


def _mac_name(version: Version) -> bytes:
    if version >= _IDS_COVERED_SINCE:
        return _HMAC_SHA256
    return Digest.SHA1.encode() if version >= _SIGNED_IN_FAULTY_BUFFER_SINCE else _SHA1_NUMBER


def _mac(message: Message, key: SessionKey, counter: int, digest_name: bytes) -> bytes:
    if digest_name == _HMAC_SHA256:
        return hmac.digest(key.secret, _covered(message, counter), "sha256")
    content = encode_header_and_body(message)
    if message.version < _MAC_IN_FAULTY_BUFFER_SINCE:
        return sha1(key.secret + content + key.secret)
    return sha1(_faulty_mac_buffer(key.secret, content))


def _faulty_mac_buffer(key: bytes, content: bytes) -> bytes:
    """Return what the reference's versions 2.5 and 2.6 make a code over.

    They have room for key, ids, content and key, but write the content at octet 4 and the key right after it. That
    overwrites all ids, so neither session nor counter is covered, and leaves zeros at the end.
    """
    return (key[:4] + content + key).ljust(2 * len(key) + _FAULTY_IDS_OCTETS + len(content), b"\0")
