"""Whole messages: against octets that real peers wrote, and against everything that can be said."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from handle_protocol.bodies.administration import HandleRequest, HandleResponse, RemoveRequest, ValuesRequest
from handle_protocol.bodies.challenge import (
    Challenge,
    ChallengeAnswer,
    VerifyChallengeRequest,
    VerifyChallengeResponse,
)
from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest, digest_of, usual_algorithm
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.referral import Referral
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.bodies.session import KeyExchangeRequest, SessionSetupRequest, SessionSetupResponse
from handle_protocol.bodies.site import SiteInfoResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.credential import Credential
from handle_protocol.envelope import Version, decode_envelope, wanted_version
from handle_protocol.errors import InvalidHandle, MalformedMessage, ProtocolError, UnsupportedVersion
from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.handle import Handle
from handle_protocol.limits import ENVELOPE_OCTETS
from handle_protocol.message import (
    Message,
    answer_to,
    decode,
    decode_message,
    encode_header_and_body,
    encode_message,
    encode_sealed,
    error_for_invalid_handle,
    error_for_unreadable,
    holds_request,
    is_sealed,
    open_sealed,
)
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference, decode_value
from tests.unit.handle_protocol.conftest import read_vectors
from tests.unit.handle_protocol.strategies import messages

NOW = 1_700_000_000
QUESTION = bytes.fromhex(read_vectors("01", "wire_hex")[0]["wire_hex"])
ANSWER = bytes.fromhex(read_vectors("02", "wire_hex")[0]["wire_hex"])


def wire(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["wire_hex"])


def question(**fields: Any) -> Message:
    return replace(decode_message(QUESTION), **fields)


def with_flags(message: Message, flags: int) -> Message:
    return replace(message, header=replace(message.header, op_flags=message.header.op_flags | flags))


def test_a_message_re_encodes_to_the_same_octets(message_vector: dict[str, Any]) -> None:
    assert encode_message(decode_message(wire(message_vector))) == wire(message_vector)


def test_a_message_says_what_its_vector_says(message_vector: dict[str, Any]) -> None:
    message = decode_message(wire(message_vector))
    envelope, header = message_vector["envelope"], message_vector["header"]
    assert str(message.version) == envelope["version"]
    assert str(wanted_version(message.version, message.suggested)) == envelope["suggest_version"]
    assert bool(message.flags & EnvelopeFlag.TRUNCATED) == envelope["truncated"]
    assert (message.session_id, message.request_id) == (envelope["session_id"], envelope["request_id"])
    assert message.is_request == (message_vector["kind"] == "request")
    assert {
        "op_code": message.header.op_code,
        "response_code": message.header.response_code,
        "op_flags": f"{message.header.op_flags:08x}",
        "site_info_serial": message.header.site_serial,
        "recursion_count": message.header.recursion_count,
        "expiration": message.header.expires_at,
    } == {name: header[name] for name in header if name not in ("op_flag_names", "body_length")}
    assert len(encode_header_and_body(message)) == 24 + header["body_length"]


def said_by_values(body: Any) -> list[str]:
    return [value.data.hex() for value in body.values]


SAID = {
    ResolutionRequest: lambda body: {"handle": str(body.handle), "indexes": [*body.indexes], "types": [*body.types]},
    ResolutionResponse: lambda body: {"handle": str(body.handle), "values": said_by_values(body)},
    Referral: lambda body: {"referral_handle": body.handle, "values": said_by_values(body)},
    ErrorBody: lambda body: {"message": body.text},
    ValuesRequest: lambda body: {"handle": str(body.handle), "values": said_by_values(body)},
    RemoveRequest: lambda body: {"handle": str(body.handle), "indexes": [*body.indexes]},
    HandleRequest: lambda body: {"handle": str(body.handle)},
    HandleResponse: lambda body: {"handle": str(body.handle)},
    HandleListResponse: lambda body: {"handles": [*map(str, body.handles)]},
    Challenge: lambda body: {"nonce_hex": body.nonce.hex()},
    ChallengeAnswer: lambda body: {
        "auth_type": body.key_type,
        "user_id_handle": body.identity.handle,
        "user_id_index": body.identity.index,
        "signed_response_hex": body.proof.hex(),
    },
    VerifyChallengeRequest: lambda body: {
        "handle": body.identity.handle,
        "handle_index": body.identity.index,
        "nonce_hex": body.nonce.hex(),
        "orig_request_digest_hex": body.digest_octets.hex(),
        "signed_response_hex": body.proof.hex(),
    },
    VerifyChallengeResponse: lambda body: {"is_valid": body.is_valid},
    SessionSetupRequest: lambda body: {
        "key_exchange_mode": body.mode,
        "timeout": body.timeout_seconds,
        "identity_handle": body.identity.handle,
        "identity_index": body.identity.index,
        "public_key_hex": body.public_key.hex(),
    },
    SessionSetupResponse: lambda body: {"key_exchange_mode": body.mode, "data_hex": body.data.hex()},
    KeyExchangeRequest: lambda body: {"encrypted_session_key_hex": body.encrypted_key.hex()},
}
"""How the vectors describe a body of each kind."""


def test_a_body_says_what_its_vector_says(message_vector: dict[str, Any]) -> None:
    body, described = decode_message(wire(message_vector)).body, message_vector.get("body", {})
    if type(body) in SAID and described:
        said = SAID[type(body)](body)
        if "values" in described:
            described = described | {"values": [value["data_hex"] for value in described["values"]]}
        assert {name: said[name] for name in described} == described
    if "request_digest" in message_vector and not isinstance(body, RawBody):
        algorithm, digest = message_vector["request_digest"].values()
        assert body.request_digest == RequestDigest(algorithm, bytes.fromhex(digest))


SHAPES = {
    (OpCode.RESOLUTION, True): ResolutionRequest,
    (OpCode.RESOLUTION, False): ResolutionResponse,
    (OpCode.GET_SITE_INFO, True): HandleRequest,
    (OpCode.GET_SITE_INFO, False): SiteInfoResponse,
    (OpCode.CREATE_HANDLE, True): ValuesRequest,
    (OpCode.CREATE_HANDLE, False): HandleResponse,
    (OpCode.DELETE_HANDLE, True): HandleRequest,
    (OpCode.ADD_VALUE, True): ValuesRequest,
    (OpCode.REMOVE_VALUE, True): RemoveRequest,
    (OpCode.MODIFY_VALUE, True): ValuesRequest,
    (OpCode.LIST_HANDLES, True): HandleRequest,
    (OpCode.LIST_HANDLES, False): HandleListResponse,
    (OpCode.CHALLENGE_ANSWER, True): ChallengeAnswer,
    (OpCode.VERIFY_CHALLENGE, True): VerifyChallengeRequest,
    (OpCode.VERIFY_CHALLENGE, False): VerifyChallengeResponse,
    (OpCode.HOME_PREFIX, True): HandleRequest,
    (OpCode.UNHOME_PREFIX, True): HandleRequest,
    (OpCode.LIST_HOMED_PREFIXES, True): HandleRequest,
    (OpCode.LIST_HOMED_PREFIXES, False): HandleListResponse,
    (OpCode.SESSION_SETUP, True): SessionSetupRequest,
    (OpCode.SESSION_SETUP, False): SessionSetupResponse,
    (OpCode.SESSION_TERMINATE, True): HandleRequest,
    (OpCode.SESSION_EXCHANGE_KEY, True): KeyExchangeRequest,
    (OpCode.PASSWORD_LOGIN, True): ResolutionRequest,
    (OpCode.PASSWORD_LOGIN, False): ResolutionResponse,
    (OpCode.KEY_LOGIN, True): KeyLoginRequest,
}
"""The body of a request (True) or of a success; whatever is not listed stays octets."""

OTHER_SHAPES = {402: Challenge, 302: Referral, 303: Referral}
"""The body of an answer that is neither a success nor an error."""


def test_a_body_has_the_shape_of_its_operation(message_vector: dict[str, Any]) -> None:
    message = decode_message(wire(message_vector))
    if message.response_code in (ResponseCode.REQUEST, ResponseCode.SUCCESS):
        shape = SHAPES.get((message.header.op_code, message.is_request), RawBody)
    else:
        shape = OTHER_SHAPES.get(message.response_code, ErrorBody)
    assert type(message.body) is shape


@pytest.mark.parametrize(
    "vector", [v for v in read_vectors("15", "wire_hex") if "login_user" in v], ids=lambda v: v["name"]
)
def test_a_login_names_the_identity_that_its_vector_names(vector: dict[str, Any]) -> None:
    assert decode_message(wire(vector)).body == KeyLoginRequest(ValueReference.parse(vector["login_user"]))


def test_an_octet_more_in_a_body_is_malformed(message_vector: dict[str, Any]) -> None:
    message = decode_message(wire(message_vector))
    if not isinstance(message.body, RawBody):
        length = message_vector["header"]["body_length"]
        with pytest.raises(MalformedMessage):
            decode_message(longer(message, ENVELOPE_OCTETS + 24 + length, (40, length)))


def test_a_credential_says_what_its_vector_says(message_vector: dict[str, Any]) -> None:
    credential = decode_message(wire(message_vector)).credential
    described = message_vector.get("credential")
    if described is None:
        assert credential is None
        return
    assert credential is not None
    assert {
        "version": credential.version,
        "reserved": credential.reserved,
        "flags": credential.options,
        "signer_handle": credential.signer_handle,
        "signer_index_or_session_counter": credential.signer_index,
        "type": credential.credential_type,
        "section_length": 8 + len(credential.digest_name) + len(credential.signature),
        "digest_alg_hex": credential.digest_name.hex(),
        "signature_hex": credential.signature.hex(),
    } == {name: value for name, value in described.items() if name != "digest_alg"}


def test_a_returned_digest_is_that_of_the_request(message_vector: dict[str, Any]) -> None:
    if "request_message_hex" in message_vector and isinstance(
        body := decode_message(wire(message_vector)).body, ResolutionResponse
    ):
        header_and_body = bytes.fromhex(message_vector["request_message_hex"])
        assert body.request_digest is not None
        assert body.request_digest == digest_of(header_and_body, body.request_digest.algorithm)


def test_a_message_cut_anywhere_is_refused(message_vector: dict[str, Any]) -> None:
    message_octets = wire(message_vector)
    for length in range(len(message_octets)):
        with pytest.raises(ProtocolError):
            decode_message(message_octets[:length])


def test_a_message_with_a_tail_is_refused(message_vector: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        decode_message(wire(message_vector) + b"\0")


def test_content_cut_anywhere_raises_nothing_but_protocol_errors(message_vector: dict[str, Any]) -> None:
    message_octets = wire(message_vector)
    for length in range(len(message_octets) - ENVELOPE_OCTETS):
        shortened = message_octets[:16] + length.to_bytes(4, "big") + message_octets[20 : 20 + length]
        try:
            decode_message(shortened)
        except ProtocolError:
            continue
        assert length == 24 + message_vector["header"]["body_length"], "just the credential may be missing altogether"


SIGNED = replace(decode_message(QUESTION), credential=Credential("88.1/签", 1, "HS_SIGNED", b"SHA-256", b"signature"))


def longer(message: Message, position: int, *lengths: tuple[int, int]) -> bytes:
    """Put an octet more at `position`, and count it in each 4-octet length, given by position and value."""
    octets = bytearray(encode_message(message))
    for at, length in ((16, len(octets) - ENVELOPE_OCTETS), *lengths):
        assert octets[at : at + 4] == length.to_bytes(4, "big")
        octets[at : at + 4] = (length + 1).to_bytes(4, "big")
    octets.insert(position, 0)
    return bytes(octets)


SIZE = len(encode_message(SIGNED))
SIGNATURE_PART = 4 + len(b"SHA-256") + 4 + len(b"signature")


@pytest.mark.parametrize(
    "octets",
    [
        longer(SIGNED, SIZE),
        longer(SIGNED, 77, (40, 33)),
        longer(SIGNED, SIZE, (77, SIZE - 81)),
        longer(SIGNED, SIZE, (77, SIZE - 81), (SIZE - SIGNATURE_PART - 4, SIGNATURE_PART)),
        longer(question(), len(QUESTION)),
    ],
    ids=["message", "body", "credential", "signed information", "unsigned message"],
)
def test_a_region_with_leftovers_is_refused(octets: bytes) -> None:
    with pytest.raises(MalformedMessage, match="the end of"):
        decode_message(octets)


@given(messages())
def test_whatever_is_said_is_understood(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@given(st.binary(max_size=200))
def test_random_octets_raise_nothing_but_protocol_errors(message_octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_message(message_octets)


@given(st.data(), messages())
@settings(max_examples=300)
def test_mutated_octets_raise_nothing_but_protocol_errors(data: st.DataObject, message: Message) -> None:
    mutated = bytearray(encode_message(message))
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(16, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_message(bytes(mutated))
    except ProtocolError:
        return
    assert encode_message(decoded)[16:] == bytes(mutated)[16:]


def test_a_message_is_read_after_its_envelope() -> None:
    envelope = decode_envelope(OctetReader(QUESTION))
    assert decode(envelope, QUESTION[ENVELOPE_OCTETS:]) == decode_message(QUESTION)
    with pytest.raises(MalformedMessage):
        decode(envelope, QUESTION[ENVELOPE_OCTETS:-1])


@pytest.mark.parametrize("major", [0, 1, 3, 5, 255])
def test_another_generation_is_unsupported(major: int) -> None:
    octets = bytes([major]) + QUESTION[1:]
    assert decode_envelope(OctetReader(octets)).version == (major, 11)
    with pytest.raises(UnsupportedVersion):
        decode_message(octets)


@pytest.mark.parametrize("flag", [EnvelopeFlag.COMPRESSED, EnvelopeFlag.ENCRYPTED])
def test_what_is_not_in_clear_is_refused(flag: EnvelopeFlag) -> None:
    with pytest.raises(MalformedMessage):
        decode_message(QUESTION[:2] + bytes([QUESTION[2] | flag]) + QUESTION[3:])


def test_a_name_that_can_be_no_handle_is_told_from_other_mistakes() -> None:
    octets = encode_message(question(body=ResolutionRequest(Handle(""))))
    with pytest.raises(InvalidHandle):
        decode_message(octets)
    answer = error_for_invalid_handle(decode_envelope(OctetReader(octets)), octets[ENVELOPE_OCTETS:], now=NOW)
    assert answer.response_code == ResponseCode.INVALID_HANDLE
    assert answer.request_id == question().request_id
    assert decode_message(encode_message(answer)) == answer


@pytest.mark.parametrize(
    ("op_code", "body"),
    [
        (OpCode.CREATE_HANDLE, ValuesRequest(Handle(""), bytes(4))),
        (OpCode.REMOVE_VALUE, RemoveRequest(Handle("x" * 2_049), (1,))),
        (OpCode.DELETE_HANDLE, RawBody(b"\0\0\0\1\xff")),
        (OpCode.KEY_LOGIN, RawBody(b"\0\0\0\1\xff\0\0\1\x2c")),
    ],
)
def test_an_invalid_handle_of_any_operation_is_answered_with_its_own_code(op_code: OpCode, body: Any) -> None:
    octets = encode_message(question(header=replace(question().header, op_code=op_code), body=body))
    with pytest.raises(InvalidHandle):
        decode_message(octets)
    answer = error_for_invalid_handle(decode_envelope(OctetReader(octets)), octets[ENVELOPE_OCTETS:], now=NOW)
    assert (answer.header.op_code, answer.response_code) == (op_code, ResponseCode.INVALID_HANDLE)


@pytest.mark.parametrize("code", [407, 408, 603, 604, 605, 3001])
def test_the_codes_of_the_industrial_dialect_are_errors(code: int) -> None:
    answer = answer_to(question(), code, ErrorBody("请先登录"), now=NOW)
    assert decode_message(encode_message(answer)) == answer


@pytest.mark.parametrize(
    ("version", "suggested", "answered"),
    [
        ((2, 11), (2, 11), (2, 11)),
        ((2, 3), (2, 10), (2, 10)),
        ((2, 3), (2, 200), (2, 11)),
        ((2, 3), (3, 0), (2, 11)),
        ((2, 1), (0, 0), (2, 1)),
        ((2, 12), (0, 0), (2, 11)),
        ((2, 5), (1, 0), (2, 0)),
    ],
)
def test_an_answer_is_in_the_newest_common_version(
    version: tuple[int, int], suggested: tuple[int, int], answered: tuple[int, int]
) -> None:
    request = question(version=Version(*version), suggested=Version(*suggested))
    assert answer_to(request, ResponseCode.ERROR, ErrorBody(), now=NOW).version == answered


def test_an_answer_has_what_its_request_has() -> None:
    request = question(session_id=77, header=replace(question().header, reserved=9))
    answer = answer_to(request, ResponseCode.HANDLE_NOT_FOUND, ErrorBody("找不到"), now=NOW + 0.9)
    assert answer == Message(
        version=Version(2, 11),
        suggested=Version(2, 11),
        flags=0,
        session_id=77,
        request_id=request.request_id,
        header=replace(
            request.header,
            reserved=0,
            response_code=100,
            op_flags=request.header.op_flags | OpFlag.AUTHORITATIVE,
            expires_at=NOW + 12 * 3_600,
        ),
        body=ErrorBody("找不到"),
    )


def test_an_answer_from_memory_is_not_authoritative() -> None:
    request = with_flags(question(), OpFlag.AUTHORITATIVE)
    answer = answer_to(request, ResponseCode.ERROR, ErrorBody(), now=NOW, is_authoritative=False)
    assert not answer.has_flag(OpFlag.AUTHORITATIVE)


@pytest.mark.parametrize(
    ("version", "algorithm"),
    [((2, 0), 1), ((2, 1), 2), ((2, 6), 2), ((2, 7), 3), ((2, 11), 3)],
)
def test_an_answer_returns_the_digest_that_is_asked_for(version: tuple[int, int], algorithm: int) -> None:
    request = with_flags(question(version=Version(*version), suggested=Version(0, 0)), OpFlag.RETURN_REQUEST_DIGEST)
    answer = answer_to(request, ResponseCode.HANDLE_NOT_FOUND, ErrorBody(), now=NOW)
    digest = digest_of(encode_message(request)[20:-4], DigestAlgorithm(algorithm))
    assert decode_message(encode_message(answer)).body == ErrorBody("", digest)


@pytest.mark.parametrize("version", [(2, 0), (2, 3), (2, 11)])
def test_a_challenge_returns_the_digest_unasked(version: tuple[int, int]) -> None:
    request = question(version=Version(*version), suggested=Version(0, 0))
    challenge = answer_to(request, ResponseCode.AUTHENTICATION_NEEDED, Challenge(bytes(16)), now=NOW)
    digest = digest_of(encode_message(request)[20:-4], usual_algorithm(version))
    assert challenge.has_flag(OpFlag.RETURN_REQUEST_DIGEST)
    assert decode_message(encode_message(challenge)).body == Challenge(bytes(16), digest)


def test_the_digest_of_a_challenge_is_read_where_the_flag_is_not_set() -> None:
    vector = next(v for v in read_vectors("02", "wire_hex") if v["name"] == "challenge-2.11")
    challenge = decode_message(wire(vector))
    flags = challenge.header.op_flags & ~OpFlag.RETURN_REQUEST_DIGEST
    unflagged = replace(challenge, header=replace(challenge.header, op_flags=flags))
    assert decode_message(encode_message(unflagged)) == unflagged


def test_a_digest_stands_first_in_a_raw_body() -> None:
    request = with_flags(question(), OpFlag.RETURN_REQUEST_DIGEST)
    digest = digest_of(encode_header_and_body(request), DigestAlgorithm.SHA256)
    answer = answer_to(request, ResponseCode.AUTHENTICATION_NEEDED, RawBody(b"nonce"), now=NOW)
    assert answer.body == RawBody(b"\3" + digest.octets + b"nonce")


@pytest.mark.parametrize(
    ("version", "code", "number", "read_back"),
    [
        ((2, 4), ResponseCode.INVALID_VALUE, 201, ResponseCode.VALUE_ALREADY_EXISTS),
        ((2, 4), ResponseCode.SERVER_BACKUP, 303, ResponseCode.SERVER_BACKUP),
        ((2, 5), ResponseCode.INVALID_VALUE, 202, ResponseCode.INVALID_VALUE),
        ((2, 5), ResponseCode.SERVER_BACKUP, 7, ResponseCode.SERVER_BACKUP),
    ],
)
def test_codes_are_numbered_as_the_version_does(
    version: tuple[int, int], code: ResponseCode, number: int, read_back: ResponseCode
) -> None:
    request = question(version=Version(*version), suggested=Version(*version))
    answer = answer_to(request, code, ErrorBody("备份中"), now=NOW)
    decoded = decode_message(encode_message(answer))
    assert (decoded.header.response_code, decoded.response_code, decoded.body) == (number, read_back, answer.body)


def test_the_protocols_own_error_is_the_references() -> None:
    vector = next(v for v in read_vectors("03", "wire_hex") if v["name"] == "protocol-error-before-decode")
    reference = decode_message(wire(vector))
    ours = error_for_unreadable(None, now=reference.header.expires_at - 12 * 3_600, text="Invalid message length")
    assert replace(ours, request_id=0) == reference
    assert ours.request_id == 0xFFFF_FFFF


def test_the_protocols_own_error_names_the_request_and_is_small() -> None:
    error = error_for_unreadable(decode_envelope(OctetReader(QUESTION)), now=NOW)
    assert error.request_id == 16_909_060
    assert len(encode_message(error)) <= 120


def test_answers_and_stumps_are_never_answered() -> None:
    assert holds_request(QUESTION)
    assert not holds_request(ANSWER)
    assert not holds_request(QUESTION[:27])


def test_an_unsigned_value_of_a_vector_reads_like_a_value() -> None:
    body = decode_message(ANSWER).body
    assert isinstance(body, ResolutionResponse)
    first = decode_value(OctetReader(body.value_list[4:]))
    assert body.values[0] == first


def test_an_encrypted_message_is_opened_to_the_octets_that_were_sealed(message_vector: dict[str, Any]) -> None:
    message = decode_message(wire(message_vector))
    sealed = encode_sealed(message, lambda content: b"\0" + content[::-1])
    assert is_sealed(sealed)
    assert not is_sealed(wire(message_vector))
    with pytest.raises(MalformedMessage):
        decode_message(sealed)
    assert open_sealed(sealed, lambda content: content[:0:-1]) == wire(message_vector)
    with pytest.raises(MalformedMessage):
        open_sealed(sealed[:-1], lambda content: content[:0:-1])
