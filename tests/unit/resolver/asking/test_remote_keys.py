"""Keys of handles that are not ours: asked of those who are configured or delegated to, remembered for a minute."""

from __future__ import annotations

import pytest

from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.security.secret_proofs import make_secret_proof, read_secret_proof
from handle_protocol.value import ValueReference
from resolver.asking.remote_keys import AskedKeys
from resolver.authentication.evidence import SecretCode
from tests.started_node import free_ports

ALIEN = Handle("88.999.1/管理员")


async def test_who_cannot_be_asked_is_an_outage_and_not_an_absence() -> None:
    (port,) = free_ports(1)
    with pytest.raises(ConnectionError):
        await AskedKeys([("127.0.0.1", port)], lambda _: None).values(ALIEN)
    with pytest.raises(ConnectionError):
        await AskedKeys([], lambda _: None).values(ALIEN)


async def test_a_secret_that_nobody_keeps_for_us_proves_nothing() -> None:
    proof = make_secret_proof(b"s3cret", bytes(16), bytes(32), VERSION_OURS)
    code = SecretCode(
        read_secret_proof(proof, VERSION_OURS),
        bytes(16),
        RequestDigest(DigestAlgorithm.SHA256, bytes(32)),
        octets=proof,
    )
    with pytest.raises(ProtocolError):
        await AskedKeys([], lambda _: None).verifies(ValueReference(301, ALIEN.spelling), code)
