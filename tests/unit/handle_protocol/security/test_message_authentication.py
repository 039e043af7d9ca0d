"""Signatures and session codes over messages."""

from dataclasses import replace
from typing import Any

import pytest

from handle_protocol.credential import Credential
from handle_protocol.envelope import VERSION_OURS, Version
from handle_protocol.message import Message, decode_message
from handle_protocol.security.message_authentication import (
    covered_octets,
    has_weak_credential,
    mac_message,
    sign_message,
    verify_mac,
    verify_signature,
)
from handle_protocol.security.public_keys import read_public_key
from handle_protocol.security.session_keys import SessionAlgorithm, SessionKey
from handle_protocol.value import ValueReference
from tests.builders import resolution_request
from tests.unit.handle_protocol.security.conftest import cases, reference_key, sm2_key

SESSION_KEY = SessionKey(SessionAlgorithm.AES, bytes(range(16)))


def message_of(vector: dict[str, Any]) -> Message:
    return decode_message(bytes.fromhex(vector["wire_hex"]))


def key_of(vector: dict[str, Any]) -> SessionKey:
    return SessionKey(SessionAlgorithm.AES, bytes.fromhex(vector["session_key_hex"]))


def with_body_changed(message: Message) -> Message:
    return replace(message, header=replace(message.header, expires_at=message.header.expires_at + 1))


@cases("06", "public_key_hex")
def test_a_signed_message_is_verified_in_every_version(vector: dict[str, Any]) -> None:
    message, key = message_of(vector), read_public_key(bytes.fromhex(vector["public_key_hex"]))
    assert verify_signature(message, key)
    assert not verify_signature(with_body_changed(message), key)


@cases("06", "deterministic", "RSA")
def test_a_message_is_signed_octet_for_octet_like_the_reference(vector: dict[str, Any]) -> None:
    message = message_of(vector)
    signed = sign_message(replace(message, credential=None), reference_key("server RSA"))
    if vector["credential"]["digest_alg"].replace("-", "") == vector["server_would_choose"]:
        assert signed == message
    else:
        assert verify_signature(signed, reference_key("server RSA").public_key())


@cases("07", "server_private_x_hex")
def test_the_answer_that_sets_up_a_session_is_signed(vector: dict[str, Any]) -> None:
    assert verify_signature(message_of(vector), reference_key("server RSA").public_key())


@cases("06", "session_key_hex")
def test_a_session_code_is_verified_and_made_again_octet_for_octet(vector: dict[str, Any]) -> None:
    message = message_of(vector)
    bare = replace(message, credential=None)
    assert verify_mac(message, key_of(vector))
    assert mac_message(bare, key_of(vector), vector["session_counter"]) == message
    assert not verify_mac(with_body_changed(message), key_of(vector))
    assert not verify_mac(message, SESSION_KEY)


@pytest.mark.parametrize(
    "changes",
    [{"session_id": 10}, {"request_id": 2}, {"suggested": Version(2, 10)}, {"version": Version(2, 10)}],
)
def test_the_envelope_is_covered_from_version_2_8(changes: dict[str, Any]) -> None:
    message = resolution_request("88.300.15907/电机-1", session_id=9)
    coded = mac_message(message, SESSION_KEY, 3)
    signed = sign_message(message, reference_key("admin RSA"))
    assert verify_mac(coded, SESSION_KEY)
    assert not verify_mac(replace(coded, **changes), SESSION_KEY)
    assert not verify_signature(replace(signed, **changes), reference_key("admin RSA").public_key())


def test_the_counter_is_covered() -> None:
    coded = mac_message(resolution_request("88.300.15907/电机-1"), SESSION_KEY, 3)
    assert not verify_mac(replace(coded, credential=replace(coded.credential, signer_index=4)), SESSION_KEY)


@pytest.mark.parametrize(
    ("digest_name", "signature"),
    [(b"HMAC-SHA256", b""), (b"", b""), (b"SHA1", bytes(20)), (b"\2", bytes(20)), (b"MD5", bytes(16))],
)
def test_an_empty_code_and_one_of_an_older_version_are_refused(digest_name: bytes, signature: bytes) -> None:
    message = resolution_request("88.300.15907/电机-1")
    assert not verify_mac(replace(message, credential=Credential("", 1, "HS_MAC", digest_name, signature)), SESSION_KEY)


def test_a_right_code_under_another_name_is_refused() -> None:
    coded = mac_message(resolution_request("88.300.15907/电机-1"), SESSION_KEY, 3)
    assert not verify_mac(replace(coded, credential=replace(coded.credential, digest_name=b"SHA1")), SESSION_KEY)


def test_a_signature_is_no_code_and_a_code_no_signature() -> None:
    message, key = resolution_request("88.300.15907/电机-1"), reference_key("admin RSA")
    assert not verify_mac(sign_message(message, key), SESSION_KEY)
    assert not verify_signature(mac_message(message, SESSION_KEY, 1), key.public_key())
    assert not verify_mac(message, SESSION_KEY)
    assert not verify_signature(message, key.public_key())


@pytest.mark.parametrize("name", ["admin RSA", "admin DSA", "SM2"])
def test_a_client_names_itself_in_its_signature(name: str) -> None:
    key = sm2_key() if name == "SM2" else reference_key(name)
    signer = ValueReference(300, "0.NA/88.企业")
    signed = sign_message(resolution_request("88.300.15907/电机-1"), key, signer)
    assert (signed.credential.signer_index, signed.credential.signer_handle) == (300, "0.NA/88.企业")
    assert verify_signature(signed, key.public_key())


def test_a_weak_credential_is_known() -> None:
    message, rsa, dsa = resolution_request("88.300/电机"), reference_key("admin RSA"), reference_key("admin DSA")
    old = replace(message, version=Version(2, 6))
    assert [has_weak_credential(each) for each in (message, mac_message(old, SESSION_KEY, 1))] == [True, True]
    assert not has_weak_credential(mac_message(message, SESSION_KEY, 1))
    assert not has_weak_credential(sign_message(message, rsa))
    assert not has_weak_credential(sign_message(message, rsa), rsa.public_key())
    assert has_weak_credential(sign_message(message, dsa), dsa.public_key())


def test_covered_octets_are_as_documented() -> None:
    content = b"header and body"
    each = [covered_octets(Version(2, minor), VERSION_OURS, 0x01020304, 5, 6, content) for minor in (4, 5, 6, 7, 8)]
    assert each == [
        content,
        content,
        bytes.fromhex("0206 0102 00000006 000000000000") + content,
        bytes.fromhex("0207 01020304 00000005 00000006") + content,
        bytes.fromhex("0208020b 01020304 00000005 00000006") + content,
    ]
