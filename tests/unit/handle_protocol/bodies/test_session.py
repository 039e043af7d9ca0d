"""The set-up of sessions by itself."""

import pytest

from handle_protocol.bodies.session import (
    ExchangeMode,
    SessionSetupRequest,
    SessionSetupResponse,
    decode_session_setup,
    decode_session_setup_response,
    encode_session_setup,
    encode_session_setup_response,
)
from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference

IDENTITY = ValueReference(300, "0.NA/88.300.15907")
SETUPS = [
    SessionSetupRequest(ExchangeMode.CLIENT_KEY, 60, IDENTITY, b"key"),
    SessionSetupRequest(ExchangeMode.SERVER_KEY, 60, IDENTITY),
    SessionSetupRequest(ExchangeMode.HANDLE_KEY, 60, IDENTITY, key_reference=ValueReference(2, "88.300/密钥")),
    SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, 2**32 - 1, ValueReference(0, ""), b"key"),
    SessionSetupRequest(9, 60, IDENTITY),
]


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: f"mode {setup.mode:d}")
@pytest.mark.parametrize("spare", [b"", bytes(2)])
def test_a_set_up_is_whole_with_and_without_the_references_spare_octets(
    setup: SessionSetupRequest, spare: bytes
) -> None:
    written = encode_session_setup(setup) + spare
    read = decode_session_setup(OctetReader(written))
    assert read.has_spare_octets == bool(spare)
    assert encode_session_setup(read) == written
    for length in range(len(written) - len(spare)):
        with pytest.raises(MalformedMessage):
            decode_session_setup(OctetReader(written[:length]))


@pytest.mark.parametrize("tail", [b"\0", bytes(3), b"\0\1"])
def test_other_leftovers_stay_for_the_caller_to_refuse(tail: bytes) -> None:
    answer = SessionSetupResponse(ExchangeMode.DIFFIE_HELLMAN, b"data")
    for reader, decode in (
        (OctetReader(encode_session_setup(SETUPS[1]) + tail), decode_session_setup),
        (
            OctetReader(encode_session_setup_response(answer) + tail),
            lambda reader: decode_session_setup_response(reader, None),
        ),
    ):
        assert not decode(reader).has_spare_octets
        assert reader.remaining == len(tail)


def test_keys_are_left_out_of_what_people_see() -> None:
    assert "secret" not in repr(SessionSetupResponse(4, b"secret"))
