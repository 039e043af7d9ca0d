"""Administrators and groups of them."""

import pytest

from handle_protocol.errors import MalformedMessage
from handle_protocol.predefined.admin import (
    Administrator,
    AdminPermission,
    decode_administrator,
    encode_administrator,
)
from handle_protocol.predefined.vlist import AdministratorGroup, decode_group, encode_group
from handle_protocol.value import ValueReference
from tests.unit.handle_protocol.conftest import read_vectors

REFERENCE = ValueReference(300, "0.NA/88.300.15907")


def test_two_spare_octets_of_old_writers_are_kept() -> None:
    vector = next(v for v in read_vectors("04", "data_hex") if v["name"] == "HS_ADMIN legacy length (2 spare octets)")
    data = bytes.fromhex(vector["data_hex"])
    administrator = Administrator(0xFFF, REFERENCE, has_spare_octets=True)
    assert decode_administrator(data) == administrator
    assert encode_administrator(administrator) == data


def test_permissions_are_the_references() -> None:
    assert sum(AdminPermission) == 0xFFF
    assert AdminPermission.LIST_HANDLES == 0x800


@pytest.mark.parametrize("tail", [b"\0", b"\0\1", bytes(3)])
def test_an_administrator_with_another_tail_is_refused(tail: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_administrator(encode_administrator(Administrator(0xFFF, REFERENCE)) + tail)


def test_a_group_with_a_tail_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        decode_group(encode_group(AdministratorGroup((REFERENCE,))) + b"\0")
