"""Proofs that somebody knows a secret."""

import base64
import hashlib
from typing import Any

import pytest

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.errors import MalformedMessage, ProtocolError
from handle_protocol.security.errors import OutOfBounds, UnsupportedAlgorithm
from handle_protocol.security.secret_proofs import (
    ProofAlgorithm,
    SecretProof,
    Stretching,
    make_secret_proof,
    read_secret_proof,
    secret_proof_of_fields,
)
from tests.unit.handle_protocol.conftest import read_vectors
from tests.unit.handle_protocol.security.conftest import cases, vector_named

NOW = Version(2, 11)
KEY = "密钥-88.300".encode()
REST_SECRET = b"s3cret-key"


def secret_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["secret_key_hex"]) if "secret_key_hex" in vector else vector["secret_key"].encode()


def challenge_of(vector: dict[str, Any]) -> tuple[bytes, bytes]:
    return bytes.fromhex(vector["nonce_hex"]), bytes.fromhex(vector["request_digest_hex"])


def octets_of(vector: dict[str, Any]) -> bytes:
    if "signed_response_after_alg_octet_hex" in vector:
        return octets.u8(vector["alg_code"]) + bytes.fromhex(vector["signed_response_after_alg_octet_hex"])
    return octets.u8(vector["alg_code"]) * bool(vector["alg_code"]) + bytes.fromhex(vector["mac_hex"])


@cases("05", "nonce_hex", "challenge-answer SECKEY")
def test_a_challenge_answer_is_verified_and_made_again_octet_for_octet(vector: dict[str, Any]) -> None:
    version = Version(*map(int, vector["protocol"].split(".")))
    answer = bytes.fromhex(vector["body"]["signed_response_hex"])
    proof = read_secret_proof(answer, version)
    salt = None if proof.stretching is None else proof.stretching.salt
    assert proof.verify(secret_of(vector), *challenge_of(vector))
    assert not proof.verify(secret_of(vector) + b"x", *challenge_of(vector))
    assert make_secret_proof(secret_of(vector), *challenge_of(vector), version, salt=salt) == answer
    assert proof.is_weak == (version < Version(2, 7))


@cases("05", "alg_code")
def test_every_code_of_the_reference_is_verified(vector: dict[str, Any]) -> None:
    proof = read_secret_proof(octets_of(vector), Version(2, 11) if vector["alg_code"] else Version(2, 0))
    nonce, digest = challenge_of(vector)
    assert proof.verify(secret_of(vector), nonce, digest)
    assert not proof.verify(secret_of(vector), digest, nonce)
    if "derived_key_hex" in vector:
        assert proof.stretching.stretch(secret_of(vector)).hex() == vector["derived_key_hex"]


@pytest.mark.parametrize("vector", [v for v in read_vectors("14", "request") if "Handle HS_SECKEY" in v["name"]])
def test_the_authorization_of_a_rest_client_is_verified(vector: dict[str, Any]) -> None:
    text = vector["request"]["headers"]["Authorization"].removeprefix("Handle ")
    fields = {name: value.strip('"') for name, value in (item.split("=", 1) for item in text.split(", "))}
    stretching = None
    if "salt" in fields:
        salt = base64.b64decode(fields["salt"])
        stretching = Stretching(salt, int(fields["iterations"]), int(fields["length"]))
    proof = secret_proof_of_fields(fields["alg"], base64.b64decode(fields["signature"]), stretching)
    nonce = base64.b64decode("VywxLoSTHV5oLb75eL++HQ==")
    assert proof.verify(REST_SECRET, nonce, base64.b64decode(fields["cnonce"]))


def test_sha_256_around_the_content_is_a_proof() -> None:
    code = hashlib.sha256(KEY + b"nd" + KEY).digest()
    proof = read_secret_proof(b"\3" + code, NOW)
    assert proof == SecretProof(ProofAlgorithm.SHA256, code)
    assert proof.verify(KEY, b"n", b"d")


@pytest.mark.parametrize(
    ("name", "is_weak"),
    [("MD5", True), ("SHA1", True), ("SHA-1", True), ("HMAC-SHA1", True), ("SHA256", False), ("HMAC-SHA256", False)],
)
def test_md5_and_bare_sha_1_are_weak(name: str, *, is_weak: bool) -> None:
    length = {"MD5": 16}.get(name, 32 if name.endswith("256") else 20)
    assert secret_proof_of_fields(name, bytes(length)).is_weak is is_weak


def test_a_stretched_proof_is_strong_and_knows_its_cost() -> None:
    proof = secret_proof_of_fields("PBKDF2WithHmacSHA1", bytes(20), Stretching(bytes(16), 10_000, 512))
    assert (proof.is_weak, proof.cost) == (False, 40_000)
    assert secret_proof_of_fields("SHA1", bytes(20)).cost == 1


@pytest.mark.parametrize(
    ("salt", "iterations", "bits"),
    [
        (16, 999, 160),
        (16, 100_001, 160),
        (16, 2**32 - 1, 160),
        (16, 10_000, 120),
        (16, 10_000, 520),
        (7, 10_000, 160),
        (65, 10_000, 160),
    ],
)
def test_what_costs_more_or_protects_less_than_we_accept_is_refused(salt: int, iterations: int, bits: int) -> None:
    stretching = octets.counted(bytes(salt)) + octets.u32s((iterations, bits))
    with pytest.raises(OutOfBounds):
        read_secret_proof(b"\x22" + stretching + octets.counted(bytes(20)), NOW)


@pytest.mark.parametrize("answer", [b"", b"\2", b"\3" + bytes(31), b"\x13" + bytes(33), b"\x22" + bytes(8)])
def test_an_empty_or_cut_code_is_no_proof(answer: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_secret_proof(answer, NOW)


def test_a_proof_of_immense_length_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        read_secret_proof(b"\2" + bytes(5_000), NOW)


@pytest.mark.parametrize("name", ["FOO", "", "PBKDF2-HMAC-SHA1"])
def test_an_unknown_algorithm_and_stretching_without_its_numbers_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedAlgorithm):
        secret_proof_of_fields(name, bytes(20))


def test_an_unknown_number_and_odd_bits_are_refused() -> None:
    with pytest.raises(UnsupportedAlgorithm, match="0x07"):
        read_secret_proof(b"\7" + bytes(20), NOW)
    with pytest.raises(UnsupportedAlgorithm, match="whole octets"):
        Stretching(bytes(16), key_bits=161)


def test_an_empty_secret_proves_nothing() -> None:
    proof = read_secret_proof(make_secret_proof(b"", b"n", b"d", NOW), NOW)
    assert not proof.verify(b"", b"n", b"d")


def test_each_proof_has_a_salt_of_its_own() -> None:
    one, other = (read_secret_proof(make_secret_proof(KEY, b"n", b"d", NOW), NOW) for _ in range(2))
    assert one.verify(KEY, b"n", b"d")
    assert one.stretching != other.stretching


def test_the_verification_of_the_rest_service_uses_the_same_forms() -> None:
    vector = vector_named("14", "verification PBKDF2 good")
    assert "alg=PBKDF2-HMAC-SHA1" in vector["request"]["path"]
    nonce, code = base64.b64decode("AAECAwQFBgcICQoLDA0ODw=="), base64.b64decode("bc9itLNOVSzCB9oxLvLBR9M6XmA=")
    cnonce = base64.b64decode("EBESExQVFhcYGRobHB0eHw==")
    proof = secret_proof_of_fields("PBKDF2-HMAC-SHA1", code, Stretching(nonce, 1_000, 160))
    assert proof.verify(REST_SECRET, nonce, cnonce)
