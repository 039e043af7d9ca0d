"""Keys of sessions."""

from typing import Any

import pytest

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.errors import MalformedMessage, ProtocolError
from handle_protocol.predefined.public_key import DhPublicKey, RsaPublicKey, decode_public_key, encode_public_key
from handle_protocol.security.errors import OutOfBounds, UnsupportedAlgorithm, UnsupportedKey
from handle_protocol.security.session_keys import (
    KeyAgreement,
    SessionAlgorithm,
    SessionKey,
    answer_key_agreement,
    decode_session_key,
    encode_session_key,
    finish_key_agreement,
    make_session_key,
    read_agreement_key,
    start_key_agreement,
    usual_session_algorithm,
)
from tests.unit.handle_protocol.security.conftest import cases, vector_named

REQUEST = vector_named("07", "session-setup DH request")
CLIENT_DATA = bytes.fromhex(REQUEST["body"]["public_key_hex"])
P = decode_public_key(CLIENT_DATA).p
CONTENT = "报文内容".encode()


def agreement(private_hex: str) -> KeyAgreement:
    """Return a half of the recorded agreement, from its private number."""
    return KeyAgreement(int(private_hex, 16), P, 2)


@cases("07", "session_key_hex", "session-setup")
def test_both_halves_of_a_recorded_agreement_make_the_recorded_key(vector: dict[str, Any]) -> None:
    server, client = agreement(vector["server_private_x_hex"]), agreement(vector["client_private_x_hex"])
    answer = bytes.fromhex(vector["body"]["data_hex"])
    algorithm = SessionAlgorithm(int.from_bytes(answer[:4], "big"))
    expected = SessionKey(algorithm, bytes.fromhex(vector["session_key_hex"]))
    assert client.public_data() == CLIENT_DATA
    assert octets.u32(algorithm) + server.public_data() == answer
    assert server.session_key(read_agreement_key(CLIENT_DATA), algorithm) == expected
    assert finish_key_agreement(client, answer, Version(2, 11)) == expected


@cases("07", "encrypted_hex")
def test_an_encrypted_message_is_read_and_written_octet_for_octet(vector: dict[str, Any]) -> None:
    key = SessionKey(SessionAlgorithm(vector["alg"]), bytes.fromhex(vector["session_key_hex"]))
    version = Version(*map(int, vector["name"].rpartition(" ")[2].split(".")))
    plain, encrypted = bytes.fromhex(vector["plain_message_hex"]), bytes.fromhex(vector["encrypted_hex"])
    block_octets = 16 if key.algorithm is SessionAlgorithm.AES else 8
    assert key.decrypt(version, encrypted) == plain
    assert key.encrypt(version, plain, start=encrypted[:block_octets]) == encrypted


@pytest.mark.parametrize("version", [Version(2, 1), Version(2, 3), Version(2, 4), Version(2, 11)])
def test_a_client_and_a_server_agree(version: Version) -> None:
    client = start_key_agreement()
    server_key, answer = answer_key_agreement(client.public_data(), version)
    client_key = finish_key_agreement(client, answer, version)
    assert client_key == server_key
    assert client_key.decrypt(version, server_key.encrypt(version, CONTENT)) == CONTENT


def test_a_client_of_the_field_with_1024_bits_is_answered() -> None:
    key, answer = answer_key_agreement(CLIENT_DATA, Version(2, 11), SessionAlgorithm.AES)
    client = agreement(REQUEST["client_private_x_hex"])
    assert finish_key_agreement(client, answer, Version(2, 11)) == key


@pytest.mark.parametrize("zeros", [0, 1, 3, 96, 100, 110])
def test_leading_zeros_are_dropped_for_aes_while_more_than_32_octets_are_left(zeros: int) -> None:
    secret = bytes(zeros) + bytes(range(1, 129 - zeros))
    peer = DhPublicKey(int.from_bytes(secret, "big"), P, 2)
    ours = KeyAgreement(1, P, 2)  # so that the peer's public number is the shared one
    assert ours.session_key(peer, SessionAlgorithm.AES).secret == secret[min(zeros, 96) :][:32]
    assert ours.session_key(peer, SessionAlgorithm.SM4).secret == secret[:16]
    odd = ours.session_key(peer, SessionAlgorithm.DES).secret
    assert [octet & 0xFE for octet in odd] == [octet & 0xFE for octet in secret[:8]]
    assert all(octet.bit_count() % 2 for octet in odd)


def test_a_secret_that_anybody_knows_is_refused() -> None:
    with pytest.raises(UnsupportedKey, match="makes a secret"):
        KeyAgreement(2, 15, 4).session_key(DhPublicKey(4, 15, 4), SessionAlgorithm.AES)


@pytest.mark.parametrize("algorithm", SessionAlgorithm)
def test_a_key_that_is_sent_comes_back(algorithm: SessionAlgorithm) -> None:
    key = make_session_key(algorithm)
    version = Version(2, 11)
    assert decode_session_key(encode_session_key(key, version), version) == key
    assert key.decrypt(version, key.encrypt(version, CONTENT)) == CONTENT
    assert key.is_weak is (algorithm in (SessionAlgorithm.DES, SessionAlgorithm.TRIPLE_DES))


def test_a_session_before_2_2_names_no_algorithm() -> None:
    key = make_session_key(SessionAlgorithm.DES)
    assert encode_session_key(key, Version(2, 1)) == key.secret
    assert decode_session_key(key.secret, Version(2, 1)) == key


def test_aes_is_usual_where_it_can_be_agreed_on() -> None:
    each = [usual_session_algorithm(Version(2, minor)) for minor in (1, 2, 3, 4, 11)]
    des, triple, aes = SessionAlgorithm.DES, SessionAlgorithm.TRIPLE_DES, SessionAlgorithm.AES
    assert each == [des, triple, triple, aes, aes]


def test_sm4_starts_its_chain_with_its_key() -> None:
    key = SessionKey(SessionAlgorithm.SM4, bytes(range(16)))
    assert key.encrypt(Version(2, 11), CONTENT) == key.encrypt(Version(2, 11), CONTENT)
    assert len(key.encrypt(Version(2, 11), CONTENT)) == 16


@pytest.mark.parametrize("encrypted", [b"", bytes(15), bytes(16), bytes(31), bytes(33), bytes(48)])
@pytest.mark.parametrize("version", [Version(2, 3), Version(2, 11)])
def test_octets_of_another_key_are_refused(encrypted: bytes, version: Version) -> None:
    with pytest.raises(MalformedMessage):
        SessionKey(SessionAlgorithm.AES, bytes(range(16))).decrypt(version, encrypted)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (DhPublicKey(5, 23, 2), OutOfBounds),
        (DhPublicKey(5, 2**4_096 + 1, 2), OutOfBounds),
        (DhPublicKey(0, P, 2), UnsupportedKey),
        (DhPublicKey(1, P, 2), UnsupportedKey),
        (DhPublicKey(-5, P, 2), UnsupportedKey),
        (DhPublicKey(P - 1, P, 2), UnsupportedKey),
        (DhPublicKey(P + 5, P, 2), UnsupportedKey),
        (DhPublicKey(5, P, 1), UnsupportedKey),
        (DhPublicKey(5, P, P - 1), UnsupportedKey),
        (DhPublicKey(5, P - 1, 2), UnsupportedKey),
        (DhPublicKey(5, -P, 2), UnsupportedKey),
        (RsaPublicKey(65_537, P), UnsupportedKey),
    ],
)
def test_a_key_whose_secret_anybody_knows_or_that_costs_too_much_is_refused(
    key: DhPublicKey | RsaPublicKey, error: type[ProtocolError]
) -> None:
    with pytest.raises(error):
        answer_key_agreement(encode_public_key(key), Version(2, 11))


def test_an_answer_in_another_group_or_with_an_unknown_algorithm_is_refused() -> None:
    client = start_key_agreement()
    with pytest.raises(UnsupportedKey, match="our group"):
        finish_key_agreement(client, octets.u32(3) + CLIENT_DATA, Version(2, 11))
    with pytest.raises(UnsupportedAlgorithm):
        finish_key_agreement(client, octets.u32(9) + CLIENT_DATA, Version(2, 11))


@pytest.mark.parametrize(("algorithm", "count"), [(3, 15), (3, 33), (2, 8), (1, 16), (4, 15)])
def test_a_key_of_another_length_is_refused(algorithm: int, count: int) -> None:
    with pytest.raises(OutOfBounds):
        decode_session_key(octets.u32(algorithm) + bytes(count), Version(2, 11))


def test_a_session_key_is_not_shown() -> None:
    assert repr(make_session_key(SessionAlgorithm.AES)) == "SessionKey(algorithm=<SessionAlgorithm.AES: 3>)"
