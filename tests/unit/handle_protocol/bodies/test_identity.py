"""Identities inside bodies: in a proof, a verification, a login and the set-up of a session."""

from collections.abc import Callable

import pytest

from handle_protocol import octets
from handle_protocol.bodies.challenge import decode_challenge_answer, decode_verify_request
from handle_protocol.bodies.identity import decode_identity, encode_identity
from handle_protocol.bodies.login import decode_key_login
from handle_protocol.bodies.session import decode_session_setup
from handle_protocol.errors import InvalidHandle, MalformedMessage
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference

BEFORE = {
    decode_challenge_answer: octets.text("HS_SECKEY"),
    decode_verify_request: b"",
    decode_key_login: b"",
    decode_session_setup: octets.u16(4) + octets.u32(3_600),
}
"""What stands before the identity in each body."""


@pytest.mark.parametrize("identity", [ValueReference(300, "0.NA/88.300.15907"), ValueReference(0, "88.1/管理员")])
def test_an_identity_comes_back_and_is_whole_or_malformed(identity: ValueReference) -> None:
    written = encode_identity(identity)
    assert decode_identity(OctetReader(written)) == identity
    for length in range(len(written)):
        with pytest.raises(MalformedMessage):
            decode_identity(OctetReader(written[:length]))


def test_a_session_may_be_set_up_for_nobody_yet() -> None:
    assert decode_identity(OctetReader(bytes(8))) == ValueReference(0, "")


@pytest.mark.parametrize("name", [b"0.NA/\xff", b"x" * 2_049])
@pytest.mark.parametrize(("decode", "before"), BEFORE.items())
def test_an_identity_that_can_be_no_handle_is_invalid(
    name: bytes, decode: Callable[[OctetReader], object], before: bytes
) -> None:
    with pytest.raises(InvalidHandle):
        decode(OctetReader(before + octets.counted(name) + bytes(4)))
