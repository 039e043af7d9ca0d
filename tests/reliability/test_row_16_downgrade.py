"""Row 16: MD5, SHA-1, DSA, RSA with 1,024 bits and old versions prove nothing by default; where they are accepted by
setting, every use is counted. Another major version is a protocol error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from handle_protocol import octets
from handle_protocol.bodies.challenge import ChallengeAnswer
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import Version
from handle_protocol.message import Message, encode_message
from handle_protocol.security import digests
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.value import ValueReference
from tests.reliability.claimant import answer_to_challenge, exchange, reading, stream
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, Key, PrivateKey, admin_value, asked_for
from tests.reliability.octets_client import Stream
from tests.started_node import StartedNode, until

SOURCE = "127.0.16.1"
METRICS_SECONDS = 5.0
PREFIX = "88.118.16"
HOLDER = f"0.NA/{PREFIX}"

SHORT_BITS = 1_024
SHORT_RSA = PrivateKey(ValueReference(302, HOLDER), SigningKey(rsa.generate_private_key(65_537, SHORT_BITS)))
OLD_DSA = PrivateKey(ValueReference(303, HOLDER), SigningKey(dsa.generate_private_key(2_048)))
OLD_FASHIONED = Enterprise.of(PREFIX)
LEGACY = {"IDNODE_LEGACY_AUTHENTICATION": "1"}


@dataclass(frozen=True)
class Wrapped:
    """A secret key that proves itself with one digest of secret, nonce, digest and secret (reference, old versions)."""

    key: Enterprise
    algorithm: int | None

    def answer(self, challenge: Message) -> ChallengeAnswer:
        secret = self.key.secret.secret
        content = secret + b"".join(asked_for(challenge)) + secret
        code = digests.sha1(content) if self.algorithm == 2 else digests.md5(content)
        named = b"" if self.algorithm is None else octets.u8(self.algorithm)
        return ChallengeAnswer("HS_SECKEY", self.key.secret.identity, named + code)


@dataclass(frozen=True)
class SignedWith:
    """A private key that signs with a digest of choice."""

    key: PrivateKey
    digest_name: str

    def answer(self, challenge: Message) -> ChallengeAnswer:
        signature = self.key.key.sign_digest(self.digest_name, b"".join(asked_for(challenge)))
        proof = octets.text(self.digest_name) + octets.counted(signature)
        return ChallengeAnswer("HS_PUBKEY", self.key.identity, proof)


WEAK: dict[str, tuple[Key | Wrapped | SignedWith, Version]] = {
    "MD5 code": (Wrapped(OLD_FASHIONED, 1), Version(2, 11)),
    "SHA-1 code": (Wrapped(OLD_FASHIONED, 2), Version(2, 11)),
    "MD5 signature": (SignedWith(OLD_FASHIONED.signing, "MD5"), Version(2, 11)),
    "SHA-1 signature": (SignedWith(OLD_FASHIONED.signing, "SHA1"), Version(2, 11)),
    "RSA with 1,024 bits": (SignedWith(SHORT_RSA, "SHA-256"), Version(2, 11)),
    "DSA": (SignedWith(OLD_DSA, "SHA-256"), Version(2, 11)),
    "version 2.6": (OLD_FASHIONED.signing, Version(2, 6)),
    "version 2.1": (Wrapped(OLD_FASHIONED, 2), Version(2, 1)),
    "version 2.0": (Wrapped(OLD_FASHIONED, None), Version(2, 0)),
}


async def settle_old_fashioned(node: StartedNode) -> None:
    """Give a node an enterprise with weak keys beside strong ones."""
    admins = (admin_value(102, SHORT_RSA.identity), admin_value(103, OLD_DSA.identity))
    await settle(
        node,
        OLD_FASHIONED,
        OLD_FASHIONED.description(SHORT_RSA.value(), OLD_DSA.value(), *admins),
        OLD_FASHIONED.product("老设备", admin_value(102, SHORT_RSA.identity), admin_value(103, OLD_DSA.identity)),
    )


@pytest_asyncio.fixture(scope="module")
async def strict(node: StartedNode) -> StartedNode:
    await settle_old_fashioned(node)
    return node


@pytest_asyncio.fixture(scope="module")
async def tolerant(server_data_dir: Path) -> AsyncIterator[StartedNode]:
    with StartedNode.run(server_data_dir / "tolerant", LEGACY) as node:
        await settle_old_fashioned(node)
        yield node


async def prove_weakly(mine: Stream, weak: str) -> Message:
    """Ask for a value that not everybody may read, and prove it as old clients do."""
    key, version = WEAK[weak]
    challenge = await challenge_of(mine, version)
    spoken = replace(challenge, suggested=version)  # An old client does not see that we speak something newer.
    answer = answer_to_challenge(spoken, key.answer(spoken))
    return await exchange(mine, replace(answer, suggested=version))


async def challenge_of(mine: Stream, version: Version) -> Message:
    """Ask for the value in some version, and return the challenge."""
    asked = reading(OLD_FASHIONED.handle("老设备"), 6).message()
    challenge = await exchange(mine, replace(asked, version=version, suggested=version))
    assert challenge.response_code == ResponseCode.AUTHENTICATION_NEEDED, challenge
    return challenge


@pytest.mark.parametrize("weak", WEAK)
async def test_a_weak_proof_is_refused_by_default(strict: StartedNode, weak: str) -> None:
    async with stream(strict, SOURCE) as mine:
        answer = await prove_weakly(mine, weak)
    assert answer.response_code in {ResponseCode.INVALID_CREDENTIAL, ResponseCode.PROTOCOL_ERROR}, answer


@pytest.mark.parametrize("version", [Version(2, 6), Version(2, 0)])
async def test_a_strong_proof_of_a_request_that_was_digested_weakly_is_refused(
    strict: StartedNode, version: Version
) -> None:
    """The digest that is proved is SHA-1 or MD5 when the request wants an old version, whatever its answer says."""
    async with stream(strict, SOURCE) as mine:
        challenge = await challenge_of(mine, version)
        answer = await exchange(mine, answer_to_challenge(challenge, OLD_FASHIONED.signing.answer(challenge)))
    assert answer.response_code == ResponseCode.INVALID_CREDENTIAL, answer


@pytest.mark.parametrize("weak", WEAK)
async def test_where_it_is_accepted_a_weak_proof_is_counted(tolerant: StartedNode, weak: str) -> None:
    before = tolerant.metric("idnode_legacy_authentications_total")
    async with stream(tolerant, SOURCE) as mine:
        answer = await prove_weakly(mine, weak)
    assert answer.response_code == ResponseCode.SUCCESS, answer
    await until(lambda: tolerant.metric("idnode_legacy_authentications_total") == before + 1, METRICS_SECONDS)


async def test_a_strong_proof_is_not_counted_as_weak(tolerant: StartedNode) -> None:
    before = tolerant.metric("idnode_legacy_authentications_total")
    proved = tolerant.metric("idnode_authentications_total")
    asked = reading(OLD_FASHIONED.handle("老设备"), 6).message()
    async with stream(tolerant, SOURCE) as mine:
        challenge = await exchange(mine, asked)
        answer = await exchange(mine, answer_to_challenge(challenge, OLD_FASHIONED.signing.answer(challenge)))
    assert answer.response_code == ResponseCode.SUCCESS
    await until(lambda: tolerant.metric("idnode_authentications_total") == proved + 1, METRICS_SECONDS)
    assert tolerant.metric("idnode_legacy_authentications_total") == before


@pytest.mark.parametrize("version", [Version(1, 0), Version(3, 0), Version(5, 0)])
async def test_another_major_version_is_a_protocol_error(strict: StartedNode, version: Version) -> None:
    octets_sent = bytearray(encode_message(reading(OLD_FASHIONED.handle("老设备")).message()))
    octets_sent[:2] = bytes(version)
    async with stream(strict, SOURCE) as mine:
        await mine.send(bytes(octets_sent))
        answer = await mine.receive()
    assert (answer.header.op_code, answer.response_code) == (OpCode.NONE, ResponseCode.PROTOCOL_ERROR)
