"""Whole messages against octets that real peers wrote."""

from typing import Any

import pytest

from handle_protocol.message import decode_message, encode_message


def test_a_message_re_encodes_to_the_same_octets(message_vector: dict[str, Any]) -> None:
    wire = bytes.fromhex(message_vector["wire_hex"])
    assert encode_message(decode_message(wire)) == wire
