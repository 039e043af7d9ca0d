"""Signatures over records, and certificates."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from handle_protocol.errors import InvalidValue, ProtocolError
from handle_protocol.octets import OctetReader
from handle_protocol.security.certificates import CertificatePermission, CertificateRight, grants, read_permissions
from handle_protocol.security.errors import OutOfBounds, UnsupportedAlgorithm, UnsupportedKey
from handle_protocol.security.private_keys import SigningKey, make_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.security.record_trust import (
    Claims,
    RecordTrust,
    Trust,
    TrustSource,
    sign_certificate,
    sign_record,
    value_digest,
    verify_record,
    verify_record_signature,
)
from handle_protocol.security.web_keys import base64url, verification_key_of_web_key, web_key
from handle_protocol.security.web_signatures import read_signed_text, write_signed_text
from handle_protocol.value import HandleValue, ValueReference, decode_value
from tests.unit.handle_protocol.conftest import read_vectors
from tests.unit.handle_protocol.security.conftest import cases, reference_key, sm2_key, vector_named

ROOT = ValueReference(301, "0.0/0.0")
CHINA_ROOT = ValueReference(300, "88.111.1/0.0")
NOW = 1_800_000_000
ADMIN = ValueReference(300, "0.NA/88.300.15907")
RECORD_VECTOR = vector_named("11", "HS_SIGNATURE over three values (RS256 JWS)")
VALUES = [decode_value(OctetReader(bytes.fromhex(octets))) for octets in RECORD_VECTOR["values_hex"]]
HANDLE = RECORD_VECTOR["handle"]
CERT = vector_named("11", "HS_CERT issued by trust root 301:0.0/0.0")["compact"]
GOOD = RECORD_VECTOR["payload"]
TRUSTED = RecordTrust(Trust.TRUSTED, (1, 2, 100), issuers=(ADMIN, ROOT), expires_at=2_000_000_000)
SERVER, RSA, DSA = (reference_key(name) for name in ("server RSA", "admin RSA", "admin DSA"))


def claims_of(payload: dict[str, Any]) -> Claims:
    chain = tuple(ValueReference.parse(text) for text in payload.get("chain", ()))
    issuer = ValueReference.parse(payload["iss"])
    return Claims(issuer, payload["sub"], payload["nbf"], payload["exp"], payload["iat"], chain)


def permissions_of(payload: dict[str, Any]) -> tuple[CertificatePermission, ...]:
    return read_permissions(payload["perms"])


def source(*certificates: HandleValue, now: float = NOW, **anchors: SigningKey) -> TrustSource:
    """Return trust in the reference's root, with certificates in the handle 0.NA/88.300.15907."""
    keys = {ROOT: anchors.get("root", SERVER).public_key()}

    def fetch(reference: ValueReference) -> Sequence[HandleValue]:
        return certificates if reference.handle.upper() == ADMIN.handle else ()

    return TrustSource(keys, fetch, now)


def cert_value(text: str, index: int = 400) -> HandleValue:
    return HandleValue(index, "HS_CERT", text.encode())


def test_the_digest_of_a_value_leaves_out_index_and_time() -> None:
    expected = {item["index"]: item["digest"] for item in RECORD_VECTOR["payload"]["digests"]["digests"]}
    assert {value.index: value_digest(value) for value in VALUES} == expected
    assert value_digest(replace(VALUES[0], index=9, modified_at=1)) == value_digest(VALUES[0])
    assert value_digest(replace(VALUES[0], permissions=15)) != value_digest(VALUES[0])


def test_a_record_is_signed_octet_for_octet_like_the_reference() -> None:
    assert sign_record(VALUES, RSA, claims_of(RECORD_VECTOR["payload"])) == RECORD_VECTOR["compact"]


@cases("11", "compact", "HS_CERT")
def test_a_certificate_is_signed_octet_for_octet_like_the_reference(vector: dict[str, Any]) -> None:
    payload = vector["payload"]
    subject_key = verification_key_of_web_key(payload["publicKey"])
    text = sign_certificate(permissions_of(payload), subject_key, SERVER, claims_of(payload))
    assert text == vector["compact"]
    assert web_key(subject_key) == payload["publicKey"]


@cases("11", "compact")
def test_a_signed_text_of_the_reference_is_verified(vector: dict[str, Any]) -> None:
    key = DSA if "DSA" in vector["name"] else SERVER if "CERT" in vector["name"] else RSA
    data = vector["compact"].encode()
    assert read_signed_text(data).payload == vector["payload"]
    assert verify_record_signature(data, key.public_key())
    assert not verify_record_signature(data, reference_key("server RSA" if key is RSA else "admin RSA").public_key())


def test_a_certificate_as_json_is_the_same() -> None:
    vector = vector_named("11", "HS_CERT issued by trust root 301:0.0/0.0")
    text = json.dumps(vector["json_serialization"]).encode()
    assert read_signed_text(text) == read_signed_text(vector["compact"].encode())


@pytest.mark.parametrize("vector", read_vectors("15", "jws_payload"), ids=lambda vector: vector["name"])
def test_a_signed_text_of_teleinfos_sdk_is_verified(vector: dict[str, Any]) -> None:
    key = sm2_key() if "SM2" in vector["name"] else RSA
    value = decode_value(OctetReader(bytes.fromhex(vector["value_hex"])))
    assert read_signed_text(value.data).payload == json.loads(vector["jws_payload"])
    assert verify_record_signature(value.data, key.public_key())
    other = sm2_key().public_key() if key is RSA else RSA.public_key()
    assert not verify_record_signature(value.data, other)


@pytest.mark.parametrize("algorithm", ["RS256", "SM2256"])
def test_a_record_of_china_is_trusted_through_its_certificate(algorithm: str) -> None:
    key = RSA if algorithm == "RS256" else sm2_key()
    certificate, signature = (
        decode_value(OctetReader(bytes.fromhex(vector_named("15", f"teleinfo {kind} {algorithm}")["value_hex"])))
        for kind in ("HS_CERT", "HS_SIGNATURE")
    )
    text = read_signed_text(signature.data)
    assert text.payload["sub"] == "88.300.15907/标识-1"
    trust = TrustSource({CHINA_ROOT: key.public_key()}, lambda _: [certificate], NOW)
    values = [HandleValue(1, "URL", "https://e.cn/产品".encode()), HandleValue(2, "EMAIL", b"a@b.cn")]
    outcome = verify_record(signature.data, "88.300.15907/标识-1", values, trust)
    issuers = (ValueReference(300, "88.300.15907/app"), CHINA_ROOT)
    assert outcome == RecordTrust(Trust.TRUSTED, (1, 2), issuers=issuers, expires_at=2_051_193_600)


def test_an_sm2_record_with_extra_claims_is_trusted_up_to_chinas_root() -> None:
    root, enterprise = make_key(KeyKind.SM2), sm2_key()
    everything = [CertificatePermission(CertificateRight.EVERYTHING)]
    extra = {"org": "某某企业", "sn": "1", "exts": {"等级": 2}}
    about = Claims(CHINA_ROOT, str(ADMIN), NOW - 9, NOW + 7, NOW, others=extra)
    certificate = sign_certificate(everything, enterprise.public_key(), root, about)
    text = sign_record(VALUES, enterprise, Claims(ADMIN, HANDLE, NOW - 9, NOW + 9, NOW, others=extra))
    trust = TrustSource({CHINA_ROOT: root.public_key()}, lambda _: [cert_value(certificate)], NOW)
    expected = RecordTrust(Trust.TRUSTED, (1, 2, 100), issuers=(ADMIN, CHINA_ROOT), expires_at=NOW + 7)
    assert verify_record(text.encode(), HANDLE, VALUES, trust) == expected
    assert read_signed_text(text.encode()).payload["org"] == "某某企业"


def test_a_record_is_trusted_through_the_certificate_that_it_names() -> None:
    data = RECORD_VECTOR["compact"].encode()
    assert verify_record(data, HANDLE, VALUES, source(cert_value(CERT))) == TRUSTED
    shuffled = [replace(value, modified_at=5) for value in reversed(VALUES)]
    assert verify_record(data, HANDLE, shuffled, source(cert_value(CERT))).outcome is Trust.TRUSTED


def test_a_record_is_trusted_through_a_certificate_that_is_found() -> None:
    text = sign_record(VALUES, RSA, replace(claims_of(RECORD_VECTOR["payload"]), chain=()))
    noise = [HandleValue(1, "HS_CERT", b"x"), HandleValue(2, "URL", CERT.encode())]
    trust = source(*noise, cert_value(CERT))
    assert verify_record(text.encode(), HANDLE, VALUES, trust).outcome is Trust.TRUSTED


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"values": VALUES[1:]}, Trust.WRONG_VALUES),
        ({"values": [replace(VALUES[0], data=b"https://evil.example"), *VALUES[1:]]}, Trust.WRONG_VALUES),
        ({"handle": "88.300.15907/pump-002"}, Trust.WRONG_SUBJECT),
        ({"source": source()}, Trust.UNTRUSTED),
        ({"source": source(cert_value(CERT, 401))}, Trust.UNTRUSTED),
        ({"source": source(replace(cert_value(CERT), permissions=12))}, Trust.UNTRUSTED),
        ({"source": source(cert_value(CERT), root=RSA)}, Trust.WRONG_SIGNATURE),
        ({"source": source(cert_value(CERT), now=1_599_999_999)}, Trust.NOT_NOW),
        ({"source": source(cert_value(CERT), now=2_000_000_000)}, Trust.NOT_NOW),
        ({"signature": b"x.y"}, Trust.UNREADABLE),
        ({"signature": b""}, Trust.UNREADABLE),
    ],
)
def test_a_record_that_is_not_as_it_was_signed_is_not_trusted(changes: dict[str, Any], outcome: Trust) -> None:
    asked = {"signature": RECORD_VECTOR["compact"].encode(), "handle": HANDLE, "values": VALUES}
    assert verify_record(**{"source": source(cert_value(CERT)), **asked, **changes}).outcome is outcome


def test_what_was_changed_or_removed_since_is_told_by_its_index() -> None:
    values = [replace(VALUES[0], data="https://恶意.example".encode()), VALUES[2]]
    outcome = verify_record(RECORD_VECTOR["compact"].encode(), HANDLE, values, source(cert_value(CERT)))
    assert outcome == RecordTrust(Trust.WRONG_VALUES, (1, 2, 100), wrong_indexes=(1, 2))


def test_a_value_that_is_not_signed_is_not_vouched_for() -> None:
    more = [*VALUES, HandleValue(7, "URL", b"https://other.example")]
    outcome = verify_record(RECORD_VECTOR["compact"].encode(), HANDLE, more, source(cert_value(CERT)))
    assert outcome == TRUSTED


def test_a_weak_key_on_the_way_is_told() -> None:
    claims = Claims(ROOT, HANDLE, 0, NOW + 1, NOW)
    trust = source(root=DSA)
    assert verify_record(sign_record(VALUES, DSA, claims).encode(), HANDLE, VALUES, trust) == RecordTrust(
        Trust.TRUSTED, (1, 2, 100), is_weak=True, issuers=(ROOT,), expires_at=NOW + 1
    )


@pytest.mark.parametrize(
    ("given", "passed_on", "outcome"),
    [
        ([("derivedPrefixes", "0.NA/88.300")], [("handlesUnderThisPrefix", ADMIN.handle)], Trust.TRUSTED),
        ([("everything", None)], [("thisHandle", HANDLE)], Trust.TRUSTED),
        ([("thisHandle", ADMIN.handle)], [("handlesUnderThisPrefix", ADMIN.handle)], Trust.NOT_PERMITTED),
        ([("derivedPrefixes", "0.NA/88.30")], [("handlesUnderThisPrefix", ADMIN.handle)], Trust.NOT_PERMITTED),
        ([("derivedPrefixes", "0.NA/88.300")], [("everything", None)], Trust.NOT_PERMITTED),
        ([("everything", None)], [("thisHandle", ADMIN.handle)], Trust.NOT_PERMITTED),
        ([("everything", None)], [("stranger", HANDLE)], Trust.NOT_PERMITTED),
        ([("everything", None)], [], Trust.NOT_PERMITTED),
    ],
)
def test_nobody_passes_on_more_than_they_have(
    given: list[tuple[str, str | None]], passed_on: list[tuple[str, str | None]], outcome: Trust
) -> None:
    middle = ValueReference(301, ADMIN.handle)
    times = {"not_before": 0, "expires": NOW + 1, "issued_at": NOW}
    upper = sign_certificate(
        [CertificatePermission(*each) for each in given], DSA.public_key(), SERVER, Claims(ROOT, str(middle), **times)
    )
    lower = sign_certificate(
        [CertificatePermission(*each) for each in passed_on], RSA.public_key(), DSA, Claims(middle, str(ADMIN), **times)
    )
    text = sign_record(VALUES, RSA, Claims(ADMIN, HANDLE, **times))
    trust = source(cert_value(upper, 400), cert_value(lower, 401))
    assert verify_record(text.encode(), HANDLE, VALUES, trust).outcome is outcome


def test_a_chain_that_leads_to_itself_ends() -> None:
    certificate = sign_certificate(
        [CertificatePermission(CertificateRight.EVERYTHING)],
        RSA.public_key(),
        RSA,
        Claims(ADMIN, str(ADMIN), 0, NOW + 1, NOW),
    )
    text = sign_record(VALUES, RSA, Claims(ADMIN, HANDLE, 0, NOW + 1, NOW))
    assert verify_record(text.encode(), HANDLE, VALUES, source(cert_value(certificate))).outcome is Trust.UNTRUSTED


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"digests": {"alg": "CRC", "digests": []}},
        {"digests": {"alg": "SHA-256", "digests": [{}]}},
        {"digests": {"alg": "SHA-256", "digests": [{"index": 1, "digest": "x"}] * 2}},
        {"digests": {"alg": "SHA-256", "digests": [{"index": 1, "digest": "x"}] * 2_049}},
        {"digests": {"alg": "SHA-256", "digests": []}, "sub": "\ud800"},
        {**GOOD, "iss": 5},
        {**GOOD, "chain": "400:0.NA/88.300.15907"},
        {**GOOD, "chain": ["400:0.NA/88.300.15907"] * 17},
    ],
)
def test_a_payload_without_shape_is_unreadable(payload: dict[str, Any]) -> None:
    header, body = base64url(b'{"alg":"RS256"}'), base64url(json.dumps(payload).encode())
    text = f"{header}.{body}.eHg"
    assert verify_record(text.encode(), HANDLE, VALUES, source()).outcome is Trust.UNREADABLE


def test_a_signature_over_nothing_vouches_for_nothing() -> None:
    text = sign_record([], RSA, claims_of(RECORD_VECTOR["payload"]))
    assert verify_record(text.encode(), HANDLE, VALUES, source(cert_value(CERT))).outcome is Trust.WRONG_VALUES


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"a.b", OutOfBounds),
        (bytes(300_000), OutOfBounds),
        ("签名签名签名".encode(), InvalidValue),
        (b"e30.e30", InvalidValue),
        (b"e30.e30.e30.e30", InvalidValue),
        (b"e30.e30.eHg", UnsupportedAlgorithm),
        (base64url(b'{"alg":"none"}').encode() + b".e30.", UnsupportedAlgorithm),
        (b"W10.e30.eHg", InvalidValue),
        (b"e3.e30.eHg", InvalidValue),
        (b"_w.e30.eHg", InvalidValue),
        (base64url(b'{"a":' * 17 + b"1" + b"}" * 17).encode() + b".e30.eHg", InvalidValue),
        (base64url(b"[" * 100_000).encode() + b".e30.eHg", InvalidValue),
        (base64url(b'{"a":' + b"9" * 5_000 + b"}").encode() + b".e30.eHg", InvalidValue),
        (b'{"payload": 1}', InvalidValue),
    ],
)
def test_what_is_no_signed_text_is_refused(text: bytes, error: type[ProtocolError]) -> None:
    with pytest.raises(error):
        read_signed_text(text)


def test_an_algorithm_that_does_not_fit_the_key_verifies_nothing() -> None:
    text = write_signed_text({"a": "[[[[[[[[[[[[[[[[[["}, DSA)
    assert not verify_record_signature(text.encode(), RSA.public_key())
    assert verify_record_signature(text.encode(), DSA.public_key())


def test_the_header_has_to_name_the_algorithm_that_was_used() -> None:
    signed = base64url(b'{"alg":"DS256"}') + ".e30"
    text = f"{signed}.{base64url(RSA.sign_digest('SHA-256', signed.encode()))}"
    assert not verify_record_signature(text.encode(), RSA.public_key())


@pytest.mark.parametrize(
    "json_key",
    [None, {}, {"kty": "EC"}, {"kty": "RSA"}, {"kty": "RSA", "e": "A*", "n": "AQAB"}, {"kty": "SM2", "d": "AQAB"}],
)
def test_what_is_no_key_is_refused(json_key: object) -> None:
    with pytest.raises((InvalidValue, UnsupportedKey)):
        verification_key_of_web_key(json_key)


@pytest.mark.parametrize("name", ["server RSA", "admin RSA", "admin DSA"])
def test_a_web_key_is_written_like_the_reference(name: str) -> None:
    expected = vector_named("10", f"key {name}")["public_jwk"]
    key = reference_key(name).public_key()
    assert list(web_key(key).items()) == list(expected.items())
    assert verification_key_of_web_key(expected) == key


@pytest.mark.parametrize("permissions", [None, {}, [1], [{}], [{"perm": 1}], [{"perm": "everything"}] * 257])
def test_what_is_no_list_of_permissions_is_refused(permissions: object) -> None:
    with pytest.raises(InvalidValue):
        read_permissions(permissions)


@pytest.mark.parametrize(
    ("right", "handle", "covered", "others"),
    [
        ("thisHandle", "88.1/甲", ["88.1/甲"], ["88.1/乙", "88.1/甲2"]),
        ("derivedPrefixes", "0.NA/88.1", ["0.na/88.1.2"], ["0.NA/88.1", "0.NA/88.10", "88.1/甲"]),
        ("handlesUnderThisPrefix", "0.NA/88.1", ["88.1/甲"], ["88.1.2/甲", "88.10/甲", "0.NA/88.1"]),
        ("everything", None, ["88.1/甲"], []),
        ("thisHandle", None, [], ["88.1/甲"]),
    ],
)
def test_a_permission_covers_what_it_says(
    right: str, handle: str | None, covered: list[str], others: list[str]
) -> None:
    permission = CertificatePermission(right, handle)
    assert [permission.covers(each) for each in covered + others] == [True] * len(covered) + [False] * len(others)


def test_a_permission_for_no_handle_is_passed_on_by_everything_alone() -> None:
    wanted = CertificatePermission("thisHandle")
    assert not grants([CertificatePermission("thisHandle", "88.1/甲")], wanted)
    assert grants([CertificatePermission("everything")], wanted)
