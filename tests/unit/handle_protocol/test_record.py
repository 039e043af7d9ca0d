"""Records and value lists."""

import pytest
from hypothesis import given

from handle_protocol.errors import MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord, decode_value_list
from handle_protocol.value import HandleValue
from tests.unit.handle_protocol.strategies import tuples, values


@given(tuples(values))
def test_a_record_keeps_its_values(kept: tuple[HandleValue, ...]) -> None:
    assert HandleRecord.of(Handle("88.118.8/泵"), kept).values == kept


@pytest.mark.parametrize(
    "octets", [b"", b"\0\0\0\1", bytes(5), b"\0\1\0\0" + bytes(26), b"\0\0\x08\1" + bytes(2_049 * 26)]
)
def test_what_is_no_value_list_is_refused(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_value_list(octets)
