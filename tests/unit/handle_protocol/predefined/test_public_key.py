"""Public keys."""

from typing import Any

import pytest

from handle_protocol.errors import MalformedMessage
from handle_protocol.predefined import parse_data
from handle_protocol.predefined.public_key import (
    DhPublicKey,
    RsaPublicKey,
    decode_public_key,
    encode_public_key,
)
from handle_protocol.predefined.secret_key import SecretKey
from handle_protocol.value import HandleValue
from tests.unit.handle_protocol.conftest import read_vectors

PEM = b"-----BEGIN PUBLIC KEY-----\r\nMFkw\r\n-----END PUBLIC KEY-----\r\n"


def test_a_key_of_a_vector_comes_back(key_vector: dict[str, Any]) -> None:
    data = bytes.fromhex(key_vector["public_hex"])
    assert encode_public_key(decode_public_key(data)) == data


def test_an_rsa_key_has_four_spare_octets_from_the_reference() -> None:
    data = encode_public_key(RsaPublicKey(65_537, 2**1_023 + 1))
    assert data.endswith(bytes(4))
    assert decode_public_key(data[:-4]) == RsaPublicKey(65_537, 2**1_023 + 1, has_spare_octets=False)


def test_a_diffie_hellman_key_of_a_session_is_read() -> None:
    vector = next(v for v in read_vectors("07", "body") if "public_key_hex" in v["body"])
    data = bytes.fromhex(vector["body"]["public_key_hex"])
    key = decode_public_key(data)
    assert isinstance(key, DhPublicKey)
    assert encode_public_key(key) == data


@pytest.mark.parametrize("data", [PEM, b"", b"\0\0\0\x0bSM2_PUB_KEY\0\0\0\0\0\3pem"])
def test_keys_in_other_forms_stay_octets(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_public_key(data)
    assert parse_data(HandleValue(300, "HS_PUBKEY", data)) == data


def test_a_key_with_flags_is_refused() -> None:
    data = bytearray(encode_public_key(RsaPublicKey(3, 5)))
    data[16] = 1
    with pytest.raises(MalformedMessage, match="key flags 0"):
        decode_public_key(bytes(data))


def test_a_number_with_needless_octets_stays_octets() -> None:
    data = encode_public_key(RsaPublicKey(3, 5)).replace(b"\0\0\0\1\3", b"\0\0\0\2\0\3")
    assert decode_public_key(data) == RsaPublicKey(3, 5)
    assert parse_data(HandleValue(300, "HS_PUBKEY", data)) == data


def test_a_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(SecretKey(b"s3cret"))
