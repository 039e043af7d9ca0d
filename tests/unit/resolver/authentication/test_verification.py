"""Proofs of every form are verified against the key that is stored now, within bounds."""

from __future__ import annotations

import asyncio
import json

import pytest

from handle_protocol import octets
from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.envelope import VERSION_OURS, Version
from handle_protocol.octets import OctetReader
from handle_protocol.security.secret_proofs import make_secret_proof
from handle_protocol.value import HandleValue, ValueReference, decode_value
from resolver.authentication import verification
from resolver.authentication.authentication import Authentication
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import CertificateKey, Evidence, Password, Signature, read_evidence
from tests.unit.resolver.authentication.conftest import (
    ADMINISTRATOR,
    FAILURES_MAX,
    SECRET,
    VECTORS,
    FakeKeys,
    guard,
    secret_value,
    vectors,
)

ADDRESS = "192.0.2.7"
IDENTITY = ValueReference(301, ADMINISTRATOR)
FOREIGN = "88.999/管理员"
NONCE = bytes(range(16))
DIGEST = RequestDigest(DigestAlgorithm.SHA256, bytes(32))
RIGHT = Password(SECRET)
WRONG = Password("猜".encode())

ANSWERS = [each for each in vectors("05-auth") if each.get("class") == "ChallengeAnswerRequest"]
CODES = [each for each in vectors("05-auth") if "alg_code" in each and each["alg_code"] not in {None, 0}]
LOGINS = {each["conversation"]: each for each in vectors("15-teleinfo") if "challenge-answer request" in each["name"]}
CHALLENGES = {each["conversation"]: each for each in vectors("15-teleinfo") if "login challenge" in each["name"]}
NATIONAL_KEYS = json.loads((VECTORS / "15-teleinfo.json").read_text())["keys"]


def secret_code(secret: bytes = SECRET, nonce: bytes = NONCE, version: Version = VERSION_OURS) -> Evidence | Proof:
    proof = make_secret_proof(secret, nonce, DIGEST.octets, version)
    return read_evidence("HS_SECKEY", proof, NONCE, DIGEST, version)


def answered(vector: dict) -> Evidence | Proof:
    algorithm = DigestAlgorithm(vector["request_digest_hash_code"] or 1)
    digest = RequestDigest(algorithm, bytes.fromhex(vector["request_digest_hex"]))
    version = Version(*map(int, vector["protocol"].split(".")))
    body = vector["body"]
    response = bytes.fromhex(body["signed_response_hex"])
    return read_evidence(body["auth_type"], response, bytes.fromhex(vector["nonce_hex"]), digest, version)


def login_answer(conversation: str) -> tuple[ValueReference, Evidence | Proof]:
    challenge, answer = CHALLENGES[conversation], LOGINS[conversation]
    reader = OctetReader(bytes.fromhex(answer["body_hex"]))
    value_type, handle, index = reader.text("type"), reader.text("handle"), reader.u32("index")
    digest = RequestDigest(DigestAlgorithm.SHA256, bytes.fromhex(challenge["request_digest_hex"]))
    nonce = bytes.fromhex(challenge["nonce_hex"])
    return ValueReference(index, handle), read_evidence(
        value_type, reader.counted("response"), nonce, digest, Version(2, 10)
    )


def store_key_of(vector: dict, keys: FakeKeys) -> ValueReference:
    body = vector["body"]
    data = vector["secret_key"].encode() if "secret_key" in vector else bytes.fromhex(vector["public_key_hex"])
    keys.ours[body["user_id_handle"]] = (HandleValue(body["user_id_index"], body["auth_type"], data),)
    return ValueReference(body["user_id_index"], body["user_id_handle"])


async def prove(guarded: Authentication, evidence: Evidence | Proof, identity: ValueReference = IDENTITY) -> Proof:
    return await guarded.present(identity, evidence, ADDRESS).prove()


@pytest.mark.parametrize("vector", ANSWERS, ids=lambda vector: vector["name"])
async def test_every_recorded_answer_is_valid_where_weak_ones_are_accepted(vector, keys, lenient) -> None:
    identity = store_key_of(vector, keys)
    assert await prove(lenient, answered(vector), identity) is Proof.VALID


@pytest.mark.parametrize("vector", ANSWERS, ids=lambda vector: vector["name"])
async def test_weak_answers_are_refused_unless_they_are_accepted(vector, keys, authentication) -> None:
    identity = store_key_of(vector, keys)
    is_strong = vector["protocol"] in {"2.7", "2.10", "2.11"} and "DSA" not in vector["name"]
    proof = await prove(authentication, answered(vector), identity)
    assert proof is (Proof.VALID if is_strong else Proof.TOO_WEAK)


@pytest.mark.parametrize("conversation", LOGINS)
async def test_recorded_logins_of_industrial_clients_are_valid(conversation, keys, authentication) -> None:
    identity, evidence = login_answer(conversation)
    name = "sm2" if conversation.startswith("sm2") else "rsa"
    stored = decode_value(OctetReader(bytes.fromhex(NATIONAL_KEYS[f"{name}_idis_HS_PUBKEY_value_hex"])))
    keys.ours[identity.handle] = (stored,)
    assert await prove(authentication, evidence, identity) is Proof.VALID
    keys.ours[identity.handle.replace("app", "另一")] = (stored,)
    if name == "sm2":  # The name of the identity is signed as well.
        other = ValueReference(identity.index, identity.handle.replace("app", "另一"))
        assert await prove(authentication, evidence, other) is Proof.WRONG


@pytest.mark.parametrize(
    ("evidence", "proof"),
    [
        (RIGHT, Proof.VALID),
        (secret_code(), Proof.VALID),
        (WRONG, Proof.WRONG),
        (Password(b""), Proof.WRONG),
        (secret_code(b"other"), Proof.WRONG),
        (secret_code(nonce=bytes(16)), Proof.WRONG),
        (secret_code(version=Version(2, 1)), Proof.TOO_WEAK),
        (Signature("SHA-256", b"x", NONCE, DIGEST), Proof.UNKNOWN),
    ],
)
async def test_a_proof_is_worth(evidence, proof, authentication) -> None:
    assert await prove(authentication, evidence) is proof


@pytest.mark.parametrize(
    ("value_type", "response"),
    [
        ("HS_SECKEY", b""),
        ("HS_SECKEY", b"\x22" + bytes(3)),
        ("HS_SECKEY", b"\x77" + bytes(20)),
        ("HS_SECKEY", b"\x03" + bytes(31)),
        ("HS_PUBKEY", b"\xff" * 9),
        ("HS_PUBKEY", octets.text("SHA-256") + octets.text("")),
        ("HS_PUBKEY", octets.text("SHA-256") + octets.text("s") + b"more"),
        ("HS_ADMIN", b""),
        ("密钥", b""),
    ],
)
async def test_an_answer_without_shape_is_unusable(value_type, response, authentication) -> None:
    evidence = read_evidence(value_type, response, NONCE, DIGEST, VERSION_OURS)
    assert await prove(authentication, evidence) is Proof.UNUSABLE


@pytest.mark.parametrize(
    ("iterations", "bits", "salt"),
    [
        (2**32 - 1, 160, 16),
        (100_001, 160, 16),
        (999, 160, 16),
        (0, 160, 16),
        (1_000, 2**31, 16),
        (1_000, 0, 16),
        (1_000, 160, 65),
    ],
)
async def test_a_demand_on_our_time_is_too_weak_at_once(iterations, bits, salt, authentication) -> None:
    hostile = (
        b"\x22" + octets.counted(bytes(salt)) + octets.u32(iterations) + octets.u32(bits) + octets.counted(bytes(20))
    )
    async with asyncio.timeout(1):
        assert (
            await prove(authentication, read_evidence("HS_SECKEY", hostile, NONCE, DIGEST, VERSION_OURS))
            is Proof.TOO_WEAK
        )


@pytest.mark.parametrize(
    ("identity", "proof"),
    [
        (ValueReference(0, ADMINISTRATOR), Proof.VALID),
        (ValueReference(302, ADMINISTRATOR), Proof.UNKNOWN),
        (ValueReference(300, ADMINISTRATOR), Proof.UNKNOWN),
        (ValueReference(301, "0.NA/88.300.15908"), Proof.UNKNOWN),
        (ValueReference(301, ""), Proof.UNKNOWN),
        (ValueReference(301, "长" * 1_000), Proof.UNKNOWN),
    ],
)
async def test_the_key_is_the_value_of_that_index_and_type(identity, proof, keys, authentication) -> None:
    keys.ours[ADMINISTRATOR] = (secret_value(300, value_type="URL"), secret_value(301))
    assert await prove(authentication, RIGHT, identity) is proof


async def test_index_0_tries_a_few_keys_and_tells_which_it_was(keys, authentication) -> None:
    keys.ours[ADMINISTRATOR] = (secret_value(5, b"other"), secret_value(301))
    claim = authentication.present(ValueReference(0, ADMINISTRATOR), RIGHT, ADDRESS)
    assert (await claim.prove(), claim.proved.identity) == (Proof.VALID, IDENTITY)
    keys.ours[ADMINISTRATOR] = (*(secret_value(index, b"other") for index in range(1, 5)), secret_value(301))
    assert await prove(authentication, RIGHT, ValueReference(0, ADMINISTRATOR)) is Proof.WRONG


async def test_a_claim_is_looked_at_once(keys, authentication) -> None:
    claim = authentication.present(IDENTITY, RIGHT, ADDRESS)
    assert claim.proved is None
    assert await claim.prove() is Proof.VALID
    keys.ours.clear()
    assert await claim.prove() is Proof.VALID


@pytest.mark.parametrize(
    ("values", "proof"),
    [
        ((secret_value(301),), Proof.VALID),
        ((HandleValue(301, "hs_seckey", SECRET, modified_at=9),), Proof.VALID),
        ((secret_value(301, b"rotated"),), Proof.UNKNOWN),
        ((secret_value(302),), Proof.UNKNOWN),
        ((secret_value(301, value_type="URL"),), Proof.UNKNOWN),
        ((), Proof.UNKNOWN),
    ],
)
async def test_who_proved_a_key_is_believed_while_it_is_there_unchanged(values, proof, keys, authentication) -> None:
    claim = authentication.present(IDENTITY, RIGHT, ADDRESS)
    await claim.prove()
    keys.ours[ADMINISTRATOR] = values
    assert await claim.proved.prove() is proof
    keys.ours[ADMINISTRATOR] = (secret_value(301),)
    assert await claim.proved.prove() is Proof.VALID


async def test_a_wrong_claim_never_lasts(authentication) -> None:
    claim = authentication.present(IDENTITY, WRONG, ADDRESS)
    await claim.prove()
    assert claim.proved is None


@pytest.mark.parametrize("error", [ConnectionError(), TimeoutError()])
async def test_an_outage_is_neither_right_nor_wrong(error, keys, authentication) -> None:
    claim = authentication.present(IDENTITY, RIGHT, ADDRESS)
    await claim.prove()
    keys.outage = error
    assert [await claim.proved.prove(), await prove(authentication, RIGHT)] == [Proof.BUSY, Proof.BUSY]


async def test_secrets_elsewhere_are_verified_by_their_service_and_believed_for_a_while(keys, authentication) -> None:
    identity = ValueReference(1, FOREIGN)
    keys.elsewhere[FOREIGN] = (secret_value(1),)
    evidence = secret_code()
    claim = authentication.present(identity, evidence, ADDRESS)
    assert (await claim.prove(), keys.asked) == (Proof.VALID, [(identity, evidence)])
    assert await claim.proved.prove() is Proof.VALID
    assert await prove(authentication, secret_code(b"other"), identity) is Proof.WRONG
    assert await prove(authentication, RIGHT, identity) is Proof.UNKNOWN


async def test_public_keys_elsewhere_are_fetched(keys, authentication) -> None:
    vector = next(each for each in ANSWERS if each["name"] == "challenge-answer PUBKEY RSA protocol 2.11")
    identity = store_key_of(vector, keys)
    keys.elsewhere[identity.handle] = keys.ours.pop(identity.handle)
    assert await prove(authentication, answered(vector), identity) is Proof.VALID


async def test_the_key_of_a_client_certificate_is_compared_however_it_is_encoded(keys, authentication) -> None:
    rsa = decode_value(OctetReader(bytes.fromhex(NATIONAL_KEYS["rsa_idis_HS_PUBKEY_value_hex"])))
    binary = next(each for each in ANSWERS if "RSA" in each["name"])["public_key_hex"]
    keys.ours[ADMINISTRATOR] = (HandleValue(300, "HS_PUBKEY", bytes.fromhex(binary)),)
    identity = ValueReference(300, ADMINISTRATOR)
    assert await prove(authentication, CertificateKey(rsa.data), identity) is Proof.VALID
    sm2 = bytes.fromhex(NATIONAL_KEYS["sm2_HS_PUBKEY_data_hex"])
    assert await prove(authentication, CertificateKey(sm2), identity) is Proof.WRONG
    assert await prove(authentication, CertificateKey(b"?"), identity) is Proof.UNUSABLE


async def test_who_guesses_is_refused_with_a_delay_and_the_owner_elsewhere_is_not(monkeypatch, authentication) -> None:
    monkeypatch.setattr(verification, "DELAY_SECONDS", 0.1)
    assert [await prove(authentication, WRONG) for _ in range(FAILURES_MAX)] == [Proof.WRONG] * FAILURES_MAX
    began = asyncio.get_running_loop().time()
    assert await prove(authentication, RIGHT) is Proof.TOO_MANY
    assert asyncio.get_running_loop().time() - began > 0.09
    assert await authentication.present(IDENTITY, RIGHT, "203.0.113.5").prove() is Proof.VALID


async def test_guesses_that_are_made_at_once_tell_no_more_than_one_after_the_other(monkeypatch, authentication) -> None:
    monkeypatch.setattr(verification, "DELAY_SECONDS", 0.0)
    guesses = [WRONG] * 30 + [RIGHT]
    proofs = await asyncio.gather(*(prove(authentication, each) for each in guesses))
    assert proofs == [Proof.WRONG] * FAILURES_MAX + [Proof.TOO_MANY] * (31 - FAILURES_MAX)


@pytest.mark.parametrize("evidence", [Password(b""), secret_code(b"")])
async def test_an_empty_key_is_nobodys(evidence, keys, authentication) -> None:
    keys.ours[ADMINISTRATOR] = (secret_value(301, b""),)
    assert await prove(authentication, evidence) is Proof.WRONG


async def test_more_proofs_than_can_wait_are_told_to_come_later(keys) -> None:
    authentication = guard(keys)
    proofs = await asyncio.gather(*(prove(authentication, secret_code()) for _ in range(100)))
    authentication.close()
    assert (proofs.count(Proof.VALID), proofs.count(Proof.BUSY)) == (65, 35)


def test_what_is_presented_is_not_shown() -> None:
    assert "cret" not in repr(RIGHT)
