"""Enterprises beside each other in one register: their keys, what names them administrators, and their records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import Message, answer_version
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.record import HandleRecord
from handle_protocol.security.key_proofs import make_key_proof
from handle_protocol.security.private_keys import SigningKey, make_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.security.secret_proofs import make_secret_proof
from handle_protocol.value import HandleValue, Permissions, ValueReference
from tests.builders import text_value

EVERYTHING = 0xFFF
"""All permissions of an administrator."""

CONFIDENTIAL = Permissions.ADMIN_READ | Permissions.ADMIN_WRITE
SECRET_INDEX = 301
SIGNING_INDEX = 300


@dataclass(frozen=True)
class SecretKey:
    """A secret key, and whose it is."""

    identity: ValueReference
    secret: bytes

    def answer(self, challenge: Message) -> ChallengeAnswer:
        """Return the answer that proves it."""
        nonce, digest = asked_for(challenge)
        proof = make_secret_proof(self.secret, nonce, digest, answer_version(challenge))
        return ChallengeAnswer("HS_SECKEY", self.identity, proof)

    def value(self) -> HandleValue:
        """Return the value that holds it."""
        return HandleValue(self.identity.index, "HS_SECKEY", self.secret, permissions=CONFIDENTIAL)


@dataclass(frozen=True)
class PrivateKey:
    """A private key, and whose it is."""

    identity: ValueReference
    key: SigningKey

    def answer(self, challenge: Message) -> ChallengeAnswer:
        """Return the answer that proves it."""
        nonce, digest = asked_for(challenge)
        proof = make_key_proof(self.key, nonce, digest, answer_version(challenge), self.identity.handle)
        return ChallengeAnswer("HS_PUBKEY", self.identity, proof)

    def value(self) -> HandleValue:
        """Return the value that holds its public half."""
        return HandleValue(self.identity.index, "HS_PUBKEY", self.key.public_data())


Key = SecretKey | PrivateKey


def asked_for(challenge: Message) -> tuple[bytes, bytes]:
    """Return nonce and digest of a challenge."""
    assert isinstance(challenge.body, Challenge), challenge
    assert challenge.body.request_digest is not None
    return challenge.body.nonce, challenge.body.request_digest.octets


def admin_value(index: int, reference: ValueReference, permissions: int = EVERYTHING) -> HandleValue:
    """Return the value that makes somebody an administrator."""
    return HandleValue(index, "HS_ADMIN", encode_administrator(Administrator(permissions, reference)))


@dataclass(frozen=True)
class Enterprise:
    """One enterprise with a prefix of its own; its prefix handle holds its keys."""

    prefix: Prefix
    secret: SecretKey
    signing: PrivateKey

    @classmethod
    def of(cls, prefix: str, key: SigningKey | None = None) -> Enterprise:
        """Return an enterprise with new keys, or one whose private key is given: making them takes long."""
        parsed = Prefix.parse(prefix)
        handle = parsed.handle.spelling
        return cls(
            parsed,
            SecretKey(ValueReference(SECRET_INDEX, handle), f"口令-{prefix}".encode()),
            PrivateKey(ValueReference(SIGNING_INDEX, handle), key or make_key(KeyKind.RSA)),
        )

    def handle(self, suffix: str) -> Handle:
        """Return a handle below its prefix."""
        return Handle(f"{self.prefix}/{suffix}")

    def description(self, *more: HandleValue) -> HandleRecord:
        """Return the record of its prefix: keys, administrators, and what else there should be."""
        named = (admin_value(100, self.signing.identity), admin_value(101, self.secret.identity))
        return HandleRecord.of(self.prefix.handle, (*named, self.signing.value(), self.secret.value(), *more))

    def product(self, suffix: str, *more: HandleValue) -> HandleRecord:
        """Return the record of a product that both of its keys administer."""
        return HandleRecord.of(self.handle(suffix), self.product_values(suffix, more))

    def product_values(self, suffix: str, more: Iterable[HandleValue] = ()) -> tuple[HandleValue, ...]:
        """Return the values of such a record."""
        return (
            text_value(1, "URL", f"https://example.cn/{suffix}"),
            text_value(6, "出厂价", f"机密-{self.prefix}-{suffix}", permissions=CONFIDENTIAL),
            admin_value(100, self.signing.identity),
            admin_value(101, self.secret.identity),
            *more,
        )
