"""SM2, and what is checked around the library that computes it."""

import base64
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from handle_protocol.security import national
from handle_protocol.security.errors import UnsupportedKey
from handle_protocol.security.national import check_sm2_is_installed, sm2_public_key
from handle_protocol.security.private_keys import read_private_key, write_private_pem
from handle_protocol.security.sm2_forms import Sm2PrivateKey, decode_sm2_private_key, encode_sm2_private_key, pem
from tests.unit.handle_protocol.security.conftest import sm2_key

ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
NUMBER = sm2_key().private.number


def test_the_public_key_is_computed_when_a_file_does_not_tell_it() -> None:
    der = encode_sm2_private_key(Sm2PrivateKey(NUMBER, None))
    assert decode_sm2_private_key(der) == Sm2PrivateKey(NUMBER, None)
    assert read_private_key(pem(der, "PRIVATE KEY"), None) == sm2_key()


@pytest.mark.parametrize("number", [0, ORDER - 1, ORDER, 2**256 - 1])
def test_a_number_beyond_the_order_is_no_private_key(number: int) -> None:
    with pytest.raises(UnsupportedKey, match="below the order"):
        sm2_public_key(Sm2PrivateKey(number, None))


def test_a_compressed_point_is_refused() -> None:
    der = base64.b64decode(b"".join(write_private_pem(sm2_key(), None).splitlines()[1:-1]))
    with pytest.raises(UnsupportedKey, match="uncompressed"):
        decode_sm2_private_key(der.replace(b"\3\x42\0\4", b"\3\x42\0\2"))


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (1, ORDER - 1), (-1, 1), (2**300, 1)])
def test_a_number_of_a_signature_is_below_the_order(r: int, s: int) -> None:
    assert not sm2_key().public_key().verify_sm2(encode_dss_signature(r, s) if r >= 0 else b"\x30\6\2\1\xff\2\1\1", b"")


def test_a_signature_has_one_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    r, s = 2, 5
    point = sm2_public_key(Sm2PrivateKey((s + (r + s) * NUMBER) % ORDER, None)).point
    fitting = (r - int.from_bytes(point[:32], "big")) % ORDER
    monkeypatch.setattr(national, "_digest", lambda *_: fitting.to_bytes(32, "big"))
    key = sm2_key().public_key()
    assert key.verify_sm2(encode_dss_signature(r, s), b"")
    assert not key.verify_sm2(encode_dss_signature(r, s + ORDER), b"")


def test_a_signature_that_leads_to_infinity_is_wrong() -> None:
    s = -NUMBER * pow(1 + NUMBER, -1, ORDER) % ORDER
    assert not sm2_key().public_key().verify_sm2(encode_dss_signature(1, s), b"content")


def test_the_length_of_a_user_id_is_bounded() -> None:
    assert sm2_key().sign_sm2(b"content", bytes(8_191))
    with pytest.raises(UnsupportedKey, match="8191 octets"):
        sm2_key().sign_sm2(b"content", bytes(8_192))


def test_a_point_that_begins_like_a_prefix_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    number = next(n for n in range(1, 2_000) if sm2_public_key(Sm2PrivateKey(n, None)).point.startswith(b"\4"))
    key = sm2_public_key(Sm2PrivateKey(number, None))
    monkeypatch.setattr(national, "_random_number", lambda: 7)
    signature = national.sign_sm2(Sm2PrivateKey(number, key), b"content", b"id")
    assert national.verify_sm2(key, signature, b"content", b"id")


def test_the_extra_is_told_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    check_sm2_is_installed()
    monkeypatch.setitem(sys.modules, "gmssl.sm2", None)
    with pytest.raises(UnsupportedKey, match=r"pip install \.\[gm\] / 国密算法 SM2 需要可选组件"):
        check_sm2_is_installed()
