"""Row 15: twenty-five shapes of forged codes, signatures and confused kinds of keys are each refused within 2 s."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from handle_protocol import octets
from handle_protocol.bodies.challenge import ChallengeAnswer
from handle_protocol.codes import ResponseCode
from handle_protocol.message import Message
from handle_protocol.security.message_authentication import mac_message
from handle_protocol.security.secret_proofs import ProofAlgorithm
from handle_protocol.security.session_keys import SessionAlgorithm, make_session_key
from handle_protocol.value import ValueReference
from registry.database import Database
from registry.records import RecordReader
from tests.reliability.claimant import answer_to_challenge, challenge_for, creation, exchange, reading, stream
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, SecretKey
from tests.reliability.session_client import open_session
from tests.started_node import StartedNode

REFUSED_SECONDS_MAX = 2.0
REFUSALS = frozenset(
    {
        ResponseCode.PROTOCOL_ERROR,
        ResponseCode.INVALID_HANDLE,
        ResponseCode.INVALID_ADMIN,
        ResponseCode.AUTHENTICATION_FAILED,
        ResponseCode.INVALID_CREDENTIAL,
        ResponseCode.AUTHENTICATION_ERROR,
    }
)

Forge = Callable[[Enterprise, Message], ChallengeAnswer]


def by_secret(change: Callable[[bytes], bytes]) -> Forge:
    """Return a forger who changes the octets of a proof by secret key."""
    return lambda enterprise, challenge: changed(enterprise.secret.answer(challenge), change)


def by_signature(change: Callable[[bytes], bytes]) -> Forge:
    """Return a forger who changes the octets of a proof by signature."""
    return lambda enterprise, challenge: changed(enterprise.signing.answer(challenge), change)


def changed(answer: ChallengeAnswer, change: Callable[[bytes], bytes]) -> ChallengeAnswer:
    return replace(answer, proof=change(answer.proof))


def flipped(proof: bytes, position: int = -1) -> bytes:
    """Return a proof with one bit of one octet changed."""
    spoiled = bytearray(proof)
    spoiled[position] ^= 1
    return bytes(spoiled)


def signature(name: str, octet_count: int, filling: int = 0) -> bytes:
    return octets.text(name) + octets.counted(bytes([filling]) * octet_count)


def short_code(algorithm: int, octet_count: int) -> bytes:
    return octets.u8(algorithm) + bytes(octet_count)


def named(kind: str, index: int, handle: str | None = None) -> Forge:
    """Return a forger whose proof by secret key is right, and who names another kind of key or another value."""

    def forge(enterprise: Enterprise, challenge: Message) -> ChallengeAnswer:
        spelling = enterprise.prefix.handle.spelling if handle is None else handle
        return replace(enterprise.secret.answer(challenge), key_type=kind, identity=ValueReference(index, spelling))

    return forge


def keyed_with_public_key(enterprise: Enterprise, challenge: Message) -> ChallengeAnswer:
    """Use what everybody may read as if it were the secret."""
    public = SecretKey(enterprise.signing.identity, enterprise.signing.key.public_data())
    return public.answer(challenge)


def keyed_with(secret: bytes) -> Forge:
    return lambda enterprise, challenge: replace(enterprise.secret, secret=secret).answer(challenge)


SHAPES: dict[str, Forge] = {
    "empty": by_secret(lambda _: b""),
    "algorithm alone": by_secret(lambda proof: proof[:1]),
    "unknown algorithm": by_secret(lambda proof: b"\x7f" + proof[1:]),
    "one bit": by_secret(flipped),
    "first octet of the code": by_secret(lambda proof: flipped(proof, -20)),
    "one bit of the salt": by_secret(lambda proof: flipped(proof, 5)),
    "code cut": by_secret(lambda proof: proof[:-1]),
    "code too long": by_secret(lambda proof: proof + b"\x00"),
    "code of zeros": by_secret(lambda proof: proof[:-20] + bytes(20)),
    "empty code": by_secret(lambda proof: proof[:-24] + octets.u32(0)),
    "HMAC of zeros": by_secret(lambda _: short_code(ProofAlgorithm.HMAC_SHA256, 32)),
    "SHA-256 of nothing": by_secret(lambda _: short_code(ProofAlgorithm.SHA256, 0)),
    "wrong secret": keyed_with("口令-猜".encode()),
    "empty secret": keyed_with(b""),
    "public key as secret": keyed_with_public_key,
    "secret's proof called a signature": named("HS_PUBKEY", 301),
    "secret's proof for the public key": named("HS_SECKEY", 300),
    "HS_ADMIN as key": named("HS_SECKEY", 100),
    "unknown kind of key": named("HS_NOKEY", 301),
    "empty kind of key": named("", 301),
    "key of a handle that is not there": named("HS_SECKEY", 301, "0.NA/88.118.13.404"),
    "one bit of the signature": by_signature(flipped),
    "empty signature": by_signature(lambda _: signature("SHA-256", 0)),
    "signature of ones": by_signature(lambda _: signature("SHA-256", 256, 0xFF)),
    "unknown digest": by_signature(lambda _: signature("SHA-0", 256)),
}


def test_there_are_twenty_five_shapes() -> None:
    assert len(SHAPES) == 25


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_forged_proof_is_refused_soon(
    node: StartedNode, register: Database, enterprise: Enterprise, shape: str
) -> None:
    handle = enterprise.handle(f"伪造-{shape.replace(' ', '-')}")
    # Each shape from a network of its own: who guesses ten times would not be listened to.
    async with stream(node, f"127.15.{list(SHAPES).index(shape)}.1") as forger:
        challenge = await challenge_for(forger, creation(handle, *enterprise.product_values("伪造")))
        began_at = time.monotonic()
        answer = await exchange(forger, answer_to_challenge(challenge, SHAPES[shape](enterprise, challenge)))
        assert time.monotonic() - began_at < REFUSED_SECONDS_MAX
        assert answer.response_code in REFUSALS, answer
    assert not await RecordReader(register).fetch([handle.key()])


async def test_a_code_of_a_session_that_another_key_made_is_refused(node: StartedNode, enterprise: Enterprise) -> None:
    asked = reading(enterprise.handle("水泵"))
    async with stream(node, "127.15.100.1") as forger:
        session = await open_session(forger)
        right = session.message(asked)
        other_key = make_session_key(SessionAlgorithm.AES)
        forged = (
            mac_message(session.unsealed(asked.message()), other_key, 2),
            replace(right, credential=replace(right.credential, signature=flipped(right.credential.signature))),
            replace(right, credential=replace(right.credential, signature=b"")),
            replace(right, body=replace(right.body, handle=enterprise.handle("另一个"))),
        )
        for message in forged:
            assert (await exchange(forger, message)).response_code == ResponseCode.INVALID_SESSION_KEY
        assert (await exchange(forger, right)).response_code == ResponseCode.AUTHENTICATION_NEEDED
        assert (await exchange(forger, right)).response_code == ResponseCode.SESSION_MESSAGE_REJECTED


async def test_an_empty_secret_in_the_register_is_nobodys(node: StartedNode) -> None:
    careless = Enterprise.of("88.118.15")
    careless = replace(careless, secret=replace(careless.secret, secret=b""))
    await settle(node, careless)
    async with stream(node, "127.15.101.1") as forger:
        challenge = await challenge_for(forger, reading(careless.handle("水泵")))
        answer = await exchange(forger, answer_to_challenge(challenge, careless.secret.answer(challenge)))
    assert answer.response_code == ResponseCode.AUTHENTICATION_FAILED
