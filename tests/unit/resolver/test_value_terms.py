"""Terms read from octets are those of the decoded values."""

from __future__ import annotations

import pytest

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord, encode_value_list
from handle_protocol.value import HandleValue, Permissions, Ttl, TtlKind, ValueReference
from resolver.value_terms import terms_of
from tests.builders import text_value

PUBLIC = text_value(1, "URL", "https://example.cn/轴承")
ABSOLUTE = text_value(2, "名称", "深沟球轴承", ttl=Ttl(1_900_000_000, TtlKind.ABSOLUTE))
BRIEF = text_value(3, "规格", "", ttl=Ttl(60))
REFERRING = text_value(4, "型号", "6205", references=(ValueReference(300, "0.NA/88.118.8"), ValueReference(1, "")))
SECRET = text_value(301, "HS_SECKEY", "秘密", permissions=Permissions.ADMIN_READ)


@pytest.mark.parametrize(
    "values",
    [(), (PUBLIC,), (PUBLIC, ABSOLUTE), (REFERRING, BRIEF, PUBLIC), (SECRET,), (PUBLIC, SECRET, REFERRING, BRIEF)],
)
def test_terms_are_those_of_the_values(values: tuple[HandleValue, ...]) -> None:
    record = HandleRecord.of(Handle("88.118.8/轴承"), values)
    terms = terms_of(record.value_list)
    assert set(terms.ttls) == {value.ttl for value in values}
    assert terms.public_list == encode_value_list(tuple(value for value in values if value.is_public))


def test_a_wholly_public_list_is_kept_once() -> None:
    value_list = encode_value_list((PUBLIC, REFERRING))
    assert terms_of(value_list).public_list is value_list
