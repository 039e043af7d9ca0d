"""Envelopes, those that are refused included."""

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, strategies as st

from handle_protocol.envelope import Envelope, Version, decode_envelope, encode_envelope, wanted_version
from handle_protocol.errors import MalformedMessage
from handle_protocol.flags import EnvelopeFlag
from handle_protocol.limits import MESSAGE_OCTETS_MAX
from handle_protocol.octets import OctetReader
from tests.unit.handle_protocol.strategies import u8, u32

PLAIN = Envelope(Version(2, 11), Version(2, 11), 0, 9, 16_909_060, 2, 100)


def test_an_envelope_is_what_its_vector_says(envelope_vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(envelope_vector["envelope_hex"])
    described = envelope_vector.get("decoded")
    if described is None:
        with pytest.raises(MalformedMessage):
            decode_envelope(OctetReader(octets))
        return
    envelope = decode_envelope(OctetReader(octets))
    flags = {flag.name.lower(): bool(envelope.flags & flag) for flag in EnvelopeFlag}
    wanted = wanted_version(envelope.version, envelope.suggested)
    numbers = {name: number for name, number in asdict(envelope).items() if name in described}
    assert numbers | flags | {"version": str(envelope.version), "suggest_version": str(wanted)} == described
    assert encode_envelope(envelope) == octets


@given(
    st.builds(
        Envelope,
        version=st.builds(Version, u8, u8),
        suggested=st.builds(Version, st.integers(0, 3), u8),
        flags=u8.map(lambda flags: flags & 0xFC),
        session_id=u32,
        request_id=u32,
        sequence_number=u32,
        message_length=st.integers(0, MESSAGE_OCTETS_MAX),
    )
)
def test_every_envelope_comes_back(envelope: Envelope) -> None:
    assert decode_envelope(OctetReader(encode_envelope(envelope))) == envelope


def test_an_envelope_cut_anywhere_is_refused() -> None:
    octets = encode_envelope(PLAIN)
    for length in range(len(octets)):
        with pytest.raises(MalformedMessage):
            decode_envelope(OctetReader(octets[:length]))


def test_an_envelope_names_where_its_length_is_too_large() -> None:
    octets = encode_envelope(PLAIN)[:16] + (MESSAGE_OCTETS_MAX + 1).to_bytes(4, "big")
    with pytest.raises(MalformedMessage, match="at octet 16"):
        decode_envelope(OctetReader(octets))


def test_versions_compare_as_numbers() -> None:
    assert Version(2, 9) < Version(2, 11)
    assert str(Version(2, 11)) == "2.11"
