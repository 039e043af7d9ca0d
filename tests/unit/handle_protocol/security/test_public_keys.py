"""Keys that verify signatures."""

import subprocess
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.errors import MalformedMessage, ProtocolError
from handle_protocol.predefined.public_key import DhPublicKey, DsaPublicKey, RsaPublicKey, encode_public_key
from handle_protocol.security.errors import OutOfBounds, UnsupportedAlgorithm, UnsupportedKey
from handle_protocol.security.key_proofs import KeyProof, make_key_proof, read_key_proof
from handle_protocol.security.public_keys import KeyKind, VerificationKey, read_public_key, verification_key
from handle_protocol.security.sm2_forms import Sm2PublicKey
from tests.unit.handle_protocol.conftest import read_vectors
from tests.unit.handle_protocol.security.conftest import (
    TELEINFO_KEYS,
    cases,
    reference_key,
    sm2_key,
    vector_named,
)

SM2_PEM = TELEINFO_KEYS["sm2_public_x509_pem"].encode()
SM2_DATA = bytes.fromhex(TELEINFO_KEYS["sm2_HS_PUBKEY_data_hex"])
VALUE_HEAD_OCTETS = 4 + 4 + 5 + 1 + 13 + 4


def idis_data(name: str) -> bytes:
    """Return the data of a value that newIdisPublicKeyValue of Teleinfo's SDK makes: bare PEM."""
    return bytes.fromhex(TELEINFO_KEYS[name])[VALUE_HEAD_OCTETS:-4]


def sm2_login() -> tuple[KeyProof, bytes, bytes]:
    answer = vector_named("15", "sm2, plain: challenge-answer request")
    challenge = vector_named("15", "sm2, plain: login challenge")
    proof = read_key_proof(octets.text(answer["digest_alg"]) + octets.counted(bytes.fromhex(answer["signature_hex"])))
    return proof, bytes.fromhex(challenge["nonce_hex"]), bytes.fromhex(challenge["request_digest_hex"])


@cases("05", "public_key_hex")
def test_a_challenge_answer_is_verified(vector: dict[str, Any]) -> None:
    key = read_public_key(bytes.fromhex(vector["public_key_hex"]))
    proof = read_key_proof(bytes.fromhex(vector["body"]["signed_response_hex"]))
    nonce, digest = bytes.fromhex(vector["nonce_hex"]), bytes.fromhex(vector["request_digest_hex"])
    assert proof.digest_name == vector["digest_alg"]
    assert proof.verify(key, nonce, digest, "0.NA/88.300.15907")
    assert not proof.verify(key, digest, nonce, "0.NA/88.300.15907")
    assert key.data().hex() == vector["public_key_hex"]
    if vector["deterministic"]:
        version = Version(*map(int, vector["protocol"].split(".")))
        again = make_key_proof(reference_key("admin RSA"), nonce, digest, version, "0.NA/88.300.15907")
        assert again.hex() == vector["body"]["signed_response_hex"]


@pytest.mark.parametrize("vector", read_vectors("15", "signed_octets_hex"), ids=lambda vector: vector["conversation"])
def test_the_login_of_a_chinese_sdk_is_verified(vector: dict[str, Any]) -> None:
    is_sm2 = vector["digest_alg"] == "SM3"
    key = sm2_key().public_key() if is_sm2 else reference_key("admin RSA").public_key()
    signature, content = bytes.fromhex(vector["signature_hex"]), bytes.fromhex(vector["signed_octets_hex"])
    user_id = vector["identity"].partition(":")[2].encode()
    assert key.verify(vector["digest_alg"], signature, content, user_id)
    assert not key.verify(vector["digest_alg"], signature, content + b"x", user_id)


def test_the_sm2_signature_of_a_login_names_its_signer() -> None:
    proof, nonce, digest = sm2_login()
    key = read_public_key(SM2_DATA)
    assert proof.verify(key, nonce, digest, "88.300.15907/app")
    assert not proof.verify(key, nonce, digest, "88.300.15907/别人")
    assert not proof.verify(key, bytes(16), digest, "88.300.15907/app")


@pytest.mark.parametrize(
    "data",
    [
        SM2_DATA,
        SM2_PEM,
        SM2_PEM.replace(b"\r\n", b"\n"),
        idis_data("sm2_idis_HS_PUBKEY_value_hex"),
        bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004") + sm2_key().public_key().numbers.point,
    ],
    ids=["named", "PEM", "PEM with LF", "bare PEM of a value", "DER"],
)
def test_an_sm2_key_is_the_same_in_every_encoding(data: bytes) -> None:
    key = read_public_key(data)
    assert key == sm2_key().public_key()
    assert (key.kind, key.is_weak("SM3"), key.data()) == (KeyKind.SM2, False, SM2_DATA)


@pytest.mark.parametrize("name", ["server RSA", "admin RSA", "admin DSA"])
def test_a_key_of_the_reference_is_the_same_in_every_encoding(name: str) -> None:
    binary = bytes.fromhex(vector_named("10", f"key {name}")["public_hex"])
    public = reference_key(name).private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert {read_public_key(data) for data in (binary, pem, der)} == {reference_key(name).public_key()}
    assert read_public_key(pem).data() == binary


def test_pkcs_1_and_the_value_of_teleinfos_sdk_hold_the_same_rsa_key() -> None:
    pem = idis_data("rsa_idis_HS_PUBKEY_value_hex")
    pkcs1 = load_pem_public_key(pem).public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    assert read_public_key(pem) == read_public_key(pkcs1) == reference_key("admin RSA").public_key()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", OutOfBounds),
        (bytes(20_000), OutOfBounds),
        (b"\0\0\0\x0bSM9_PUB_KEY\0\0\0\0\0\3abc", UnsupportedKey),
        (b"\0\0\0\x03abc\0\0", MalformedMessage),
        (encode_public_key(DhPublicKey(5, 23, 2)), UnsupportedKey),
        (encode_public_key(RsaPublicKey(65_537, 2**1_022 + 1)), OutOfBounds),
        (encode_public_key(RsaPublicKey(65_537, 2**8_192 + 1)), OutOfBounds),
        (encode_public_key(RsaPublicKey(2**64 + 1, 2**2_047 + 1)), OutOfBounds),
        (encode_public_key(RsaPublicKey(1, 2**2_047 + 1)), OutOfBounds),
        (encode_public_key(RsaPublicKey(65_536, 2**2_047 + 1)), UnsupportedKey),
        (encode_public_key(RsaPublicKey(65_537, -(2**2_047) - 1)), UnsupportedKey),
        (encode_public_key(DsaPublicKey(2**159 + 1, 2**512 + 1, 2, 3)), OutOfBounds),
        (encode_public_key(DsaPublicKey(7, 2**1_023 + 1, 2, 3)), UnsupportedKey),
        (SM2_PEM.replace(b"MFkw", b"MF*w"), MalformedMessage),
        (SM2_PEM.replace(b"MFkw", b"MFk"), MalformedMessage),
        (SM2_PEM + SM2_PEM, MalformedMessage),
        (b"\x30\x03\x02\x01\x05", MalformedMessage),
        (
            ec.generate_private_key(ec.SECP256R1())
            .public_key()
            .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            UnsupportedKey,
        ),
    ],
)
def test_what_is_no_key_of_ours_is_refused(data: bytes, error: type[ProtocolError]) -> None:
    with pytest.raises(error):
        read_public_key(data)


def test_a_point_beside_the_curve_is_no_key() -> None:
    with pytest.raises(UnsupportedKey, match="point of the SM2 curve"):
        verification_key(Sm2PublicKey(bytes(63) + b"\1"))


def test_dsa_short_rsa_keys_and_old_digests_are_weak() -> None:
    strong, dsa_key = reference_key("admin RSA").public_key(), reference_key("admin DSA").public_key()
    short = verification_key(RsaPublicKey(65_537, 2**1_023 + 1))
    assert [key.is_weak("SHA-256") for key in (strong, dsa_key, short)] == [False, True, True]
    assert [strong.is_weak(name) for name in ("MD5", "SHA1", "sha-1", "SHA256")] == [True, True, True, False]


@pytest.mark.parametrize(("name", "digest"), [("admin RSA", "SM3"), ("admin DSA", "MD5"), ("admin RSA", "SHA-512")])
def test_a_digest_that_does_not_fit_the_key_is_refused(name: str, digest: str) -> None:
    with pytest.raises(UnsupportedAlgorithm):
        reference_key(name).public_key().verify(digest, b"x", b"content")


@pytest.mark.parametrize("signature", [b"", b"x", bytes(256), bytes(1_025), b"\x30\x06\2\1\0\2\1\0"])
def test_what_is_no_signature_is_wrong(signature: bytes) -> None:
    keys = {"SHA-256": [reference_key("admin RSA"), reference_key("admin DSA")], "SM3": [sm2_key()]}
    assert not any(
        key.public_key().verify(digest, signature, b"content") for digest, each in keys.items() for key in each
    )


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\0\0\0\0\0", octets.text("SHA1") + octets.counted(b""), octets.text("S" * 40) + octets.u32(0)]
)
def test_a_proof_without_a_name_or_a_signature_is_none(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_key_proof(data)


def test_only_sm2_keys_verify_sm2() -> None:
    with pytest.raises(UnsupportedKey):
        reference_key("admin RSA").public_key().verify_sm2(b"x", b"content")


def test_without_the_extra_an_sm2_key_is_refused_with_what_to_install() -> None:
    program = (
        "import sys; sys.modules['gmssl'] = None\n"
        "from handle_protocol.security.public_keys import read_public_key\n"
        f"read_public_key(bytes.fromhex('{SM2_DATA.hex()}'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "UnsupportedKey" in done.stderr
    assert "pip install .[gm] / 国密" in done.stderr


def test_a_key_does_not_load_the_extra_that_it_does_not_need() -> None:
    data = reference_key("admin RSA").public_data().hex()
    program = (
        "import sys\nfrom handle_protocol.security.public_keys import read_public_key\n"
        f"read_public_key(bytes.fromhex('{data}'))\nassert not any('gmssl' in name for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_keys_are_values() -> None:
    assert isinstance(reference_key("admin RSA").public_key(), VerificationKey)
    assert reference_key("admin RSA").public_key() == reference_key("admin RSA").public_key()
