"""What may be written at all."""

from __future__ import annotations

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.limits import VALUES_MAX
from handle_protocol.security.private_keys import make_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.value import HandleValue
from resolver.administration.outcomes import Refused
from resolver.administration.value_rules import (
    GROUP_OCTETS_MAX,
    INDEX_MAX,
    TOO_LONG,
    find_conflict,
    find_fault,
    index_conflict,
)
from tests.builders import text_value
from tests.unit.resolver.administration.administered_world import OWNER, admin_value, group_value

KEY = make_key(KeyKind.RSA).public_data()
GOOD = [
    HandleValue(300, "HS_PUBKEY", KEY),
    HandleValue(301, "HS_PUBKEY", b"\0\0\0\x0bSM9_PUB_KEY\0\0\0\0\0\x01x"),  # Of a kind that is read elsewhere.
    text_value(1, "URL", "https://例子.cn/泵?型号=IS80&x=%0d%0a"),
    text_value(INDEX_MAX, "产品名称", "多行\r\n文本\t\\"),
    text_value(2, "URLX", "a\\b"),
    text_value(3, "X", ""),
    admin_value(OWNER),
    group_value(200, OWNER),
    group_value(201),
]
INVALID = ResponseCode.INVALID_VALUE
NO_URL = "is no URL: control characters and backslashes are refused"
NO_URL_CHINESE = "不是 URL:含控制字符或反斜杠"
BAD = [
    (text_value(0, "X", ""), "Value indexes must be positive"),
    (text_value(INDEX_MAX + 1, "X", ""), "Value indexes must be positive"),
    (text_value(2**32 - 1, "X", ""), "Value indexes must be positive"),
    (text_value(7, "", "x"), "Value 7 has no type 值 7 没有类型"),
    *(
        (text_value(7, value_type, f"https://a{character}b"), f"Value 7 {NO_URL} 值 7 {NO_URL_CHINESE}")
        for value_type in ("URL", "url", "URL.CN")
        for character in "\r\n\0\t\\\x7f\x1b"
    ),
    (HandleValue(7, "HS_ADMIN", b""), "Value 7 is no HS_ADMIN 值 7 不是有效的 HS_ADMIN"),
    (HandleValue(7, "HS_ADMIN", admin_value(OWNER).data + b"\0"), "Value 7 is no HS_ADMIN 值 7 不是有效的 HS_ADMIN"),
    (HandleValue(7, "hs_admin.x", b"\x0f"), "Value 7 is no hs_admin.x 值 7 不是有效的 hs_admin.x"),
    (HandleValue(7, "HS_VLIST", b"\0\0\0\xff"), "Value 7 is no HS_VLIST 值 7 不是有效的 HS_VLIST"),
    (HandleValue(7, "HS_PUBKEY", b"garbage"), "Value 7 is no public key 值 7 不是有效的公钥"),
    (HandleValue(7, "HS_PUBKEY", b"0garbage"), "Value 7 is no public key 值 7 不是有效的公钥"),
    (HandleValue(7, "hs_pubkey.rsa", b""), "Value 7 is no public key 值 7 不是有效的公钥"),
    (HandleValue(7, "HS_PUBKEY", KEY[:-8]), "Value 7 is no public key 值 7 不是有效的公钥"),
    (
        HandleValue(7, "HS_VLIST", bytes(GROUP_OCTETS_MAX + 1)),
        "Value 7 is longer than 65536 octets 值 7 超过 65536 字节",
    ),
]


def test_good_values_have_no_fault() -> None:
    assert find_fault(GOOD) is None


@pytest.mark.parametrize(("value", "text"), BAD, ids=ascii)
def test_a_bad_value_is_refused_with_its_reason(value, text) -> None:
    assert find_fault([text_value(1, "URL", "x"), value]) == Refused(INVALID, text)


def test_an_index_given_twice_is_a_conflict() -> None:
    assert find_fault([*GOOD, text_value(3, "Y", "")]) == Refused(
        ResponseCode.VALUE_ALREADY_EXISTS, "Index conflict for 3"
    )


def test_the_lowest_index_that_is_taken_is_the_conflict() -> None:
    values = [text_value(index, "X", "") for index in (9, 4, 7)]
    assert find_conflict({7, 4, 5}, values) == index_conflict(4)
    assert find_conflict({5}, values) is None


def test_more_values_than_a_record_can_have_are_refused_without_a_look_at_them() -> None:
    assert find_fault([text_value(0, "", "")] * (VALUES_MAX + 1)) == TOO_LONG
