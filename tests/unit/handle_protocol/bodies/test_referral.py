"""Referrals by themselves."""

import pytest

from handle_protocol import octets
from handle_protocol.bodies.referral import Referral, decode_referral, encode_referral
from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader


def test_a_referral_may_come_without_values() -> None:
    referral = decode_referral(OctetReader(octets.text("0.SERV/88.300")), None)
    assert referral == Referral("0.SERV/88.300")
    assert referral.values == ()
    assert encode_referral(referral) == octets.text("0.SERV/88.300")


def test_an_empty_list_of_values_is_kept_apart_from_none() -> None:
    referral = decode_referral(OctetReader(octets.text("") + bytes(4)), None)
    assert referral.value_list == bytes(4)
    assert referral.values == ()


def test_leftovers_after_the_values_are_malformed() -> None:
    with pytest.raises(MalformedMessage):
        decode_referral(OctetReader(octets.text("") + bytes(5)), None)
