"""A client's decisions, told as stories without a network."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from handle_protocol.bodies.administration import HandleRequest, ValuesRequest
from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.bodies.digest import DigestAlgorithm, digest_of
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS, VERSION_UNKNOWN_PEER
from handle_protocol.errors import ProtocolError
from handle_protocol.exchange import Exchange, challenge_answer_request, request, resolution_request
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.limits import UDP_WAITS_SECONDS
from handle_protocol.message import (
    OP_FLAGS_USUAL,
    Message,
    answer_to,
    decode_message,
    encode_header_and_body,
    encode_message,
    error_for_unreadable,
    error_instead,
)
from handle_protocol.record import encode_value_list
from handle_protocol.transmission import split
from handle_protocol.value import HandleValue, ValueReference

NOW = 1_700_000_000.0
QUESTION = ResolutionRequest(Handle("88.118.8/轴承"), types=("URL",))
REQUEST = resolution_request(QUESTION, request_id=4_711, now=NOW)


def answer(size: int = 10, request: Message = REQUEST, handle: Handle = QUESTION.handle) -> Message:
    values = encode_value_list((HandleValue(1, "URL", b"x" * size),))
    return answer_to(request, ResponseCode.SUCCESS, ResolutionResponse(handle, values), now=NOW)


def unflagged(datagram: bytes) -> bytes:
    """As a server of version 9.2.0 sends it."""
    return bytes([*datagram[:2], datagram[2] & ~0x20, *datagram[3:]])


SHORT = answer()
LONG = answer(3_000)


def test_an_unknown_server_is_asked_as_the_reference_does() -> None:
    sent = decode_message(Exchange(REQUEST).request_octets)
    assert sent == REQUEST
    assert (str(sent.version), str(sent.suggested)) == ("2.3", "2.11")
    assert (sent.header.op_flags, sent.header.site_serial) == (OP_FLAGS_USUAL, 0xFFFF)


def test_three_tries_over_udp_and_then_it_is_tcps_turn() -> None:
    exchange = Exchange(REQUEST)
    waits = []
    while (this_try := exchange.next_try()) is not None:
        assert this_try.datagrams == (exchange.request_octets,)
        waits.append(this_try.wait_seconds)
    assert tuple(waits) == UDP_WAITS_SECONDS == (0.5, 1.0, 1.5)
    assert exchange.next_try() is None


def test_a_long_question_is_sent_in_several_datagrams() -> None:
    long_question = ResolutionRequest(QUESTION.handle, types=tuple(f"类型{number}" for number in range(60)))
    this_try = Exchange(resolution_request(long_question, request_id=1, now=NOW)).next_try()
    assert this_try is not None
    assert len(this_try.datagrams) > 1


def test_the_answer_is_accepted() -> None:
    assert Exchange(REQUEST).accept_datagram(encode_message(SHORT), NOW) == SHORT


@pytest.mark.parametrize(
    "foreign",
    [
        replace(SHORT, request_id=4_712),
        answer(handle=Handle("88.118.8/齿轮")),
        replace(SHORT, header=replace(SHORT.header, expires_at=int(NOW) - 1)),
        replace(SHORT, header=replace(SHORT.header, op_code=OpCode.DELETE_HANDLE), body=RawBody()),
        REQUEST,
        replace(SHORT, header=replace(SHORT.header, op_code=OpCode.NONE), body=RawBody()),
        replace(
            SHORT,
            body=replace(SHORT.body, request_digest=digest_of(b"another request", DigestAlgorithm.SHA256)),
            header=replace(SHORT.header, op_flags=SHORT.header.op_flags | OpFlag.RETURN_REQUEST_DIGEST),
        ),
    ],
    ids=["request id", "handle", "expired", "operation", "a request", "operation 0 as a success", "digest"],
)
def test_what_is_not_the_answer_is_ignored_and_the_answer_still_taken(foreign: Message) -> None:
    exchange = Exchange(REQUEST)
    exchange.next_try()
    for datagram in split(encode_message(foreign)):
        assert exchange.accept_datagram(datagram, NOW) is None
    assert exchange.accept_message(encode_message(foreign), NOW) is None
    assert exchange.accept_datagram(encode_message(SHORT), NOW) == SHORT


def test_a_server_that_folds_may_answer_in_its_own_spelling() -> None:
    request = resolution_request(ResolutionRequest(Handle("88.118.8/pump")), request_id=4_711, now=NOW)
    folded = answer(request=request, handle=Handle("88.118.8/PUMP"))
    assert Exchange(request).accept_datagram(encode_message(folded), NOW) == folded


@pytest.mark.parametrize("code", [ResponseCode.HANDLE_NOT_FOUND, ResponseCode.SERVER_TOO_BUSY])
def test_an_error_is_an_answer(code: ResponseCode) -> None:
    error = answer_to(REQUEST, code, ErrorBody("稍后再试"), now=NOW)
    assert Exchange(REQUEST).accept_datagram(encode_message(error), NOW) == error


def test_a_challenge_is_an_answer() -> None:
    digest = digest_of(encode_header_and_body(REQUEST), DigestAlgorithm.SHA256)
    challenge = answer_to(REQUEST, ResponseCode.AUTHENTICATION_NEEDED, Challenge(bytes(16), digest), now=NOW)
    assert Exchange(REQUEST).accept_datagram(encode_message(challenge), NOW) == challenge


def test_the_protocols_own_error_with_our_id_is_an_answer() -> None:
    error = replace(error_for_unreadable(None, now=NOW), request_id=4_711)
    assert Exchange(REQUEST).accept_datagram(encode_message(error), NOW) == error


def test_the_digest_of_our_request_is_welcome() -> None:
    request = resolution_request(QUESTION, request_id=4_711, now=NOW, op_flags=OpFlag.RETURN_REQUEST_DIGEST)
    digested = answer(request=request)
    assert isinstance(digested.body, ResolutionResponse)
    assert digested.body.request_digest == digest_of(encode_header_and_body(request), DigestAlgorithm.SHA256)
    assert Exchange(request).accept_datagram(encode_message(digested), NOW) == digested


@pytest.mark.parametrize("is_flagged", [True, False])
def test_an_answer_in_several_datagrams_is_put_together(is_flagged: bool) -> None:  # noqa: FBT001
    exchange = Exchange(REQUEST)
    datagrams = split(encode_message(LONG))
    *early, last = datagrams if is_flagged else map(unflagged, datagrams)
    assert [exchange.accept_datagram(datagram, NOW) for datagram in early] == [None] * len(early)
    assert exchange.accept_datagram(last, NOW) == LONG


def test_the_beginning_of_an_answer_that_says_it_is_cut_leads_to_tcp_at_once() -> None:
    exchange = Exchange(REQUEST)
    exchange.next_try()
    assert exchange.accept_datagram(split(encode_message(LONG))[0], NOW) is None
    assert exchange.is_partial
    assert exchange.next_try() is None
    assert exchange.accept_message(encode_message(LONG), NOW) == LONG


def test_a_datagram_lost_by_an_old_server_is_waited_for_and_asked_again() -> None:
    exchange = Exchange(REQUEST)
    exchange.next_try()
    for datagram in split(encode_message(LONG))[:-1]:
        assert exchange.accept_datagram(unflagged(datagram), NOW) is None
    assert not exchange.is_partial
    assert exchange.next_try() is not None
    later = replace(LONG, header=replace(LONG.header, expires_at=LONG.header.expires_at + 1))
    answers = [exchange.accept_datagram(unflagged(datagram), NOW) for datagram in split(encode_message(later))]
    assert answers[-1] == later


IDENTITY = ValueReference(300, "0.NA/88.118.8")
LOGIN = request(KeyLoginRequest(IDENTITY), OpCode.KEY_LOGIN, request_id=1, now=NOW, op_flags=0)
CREATION = request(
    ValuesRequest(Handle("88.118.8/离心泵"), encode_value_list((HandleValue(1, "产品名称", "泵".encode()),))),
    OpCode.CREATE_HANDLE,
    request_id=1,
    now=NOW,
)


def challenge_to(challenged: Message) -> Message:
    digest = digest_of(encode_header_and_body(challenged), DigestAlgorithm.SHA256)
    answer = answer_to(challenged, ResponseCode.AUTHENTICATION_NEEDED, Challenge(bytes(16), digest), now=NOW)
    return replace(answer, session_id=77)


def proof_for(challenged: Message) -> Message:
    proof = ChallengeAnswer("HS_SECKEY", IDENTITY, b"proof")
    return challenge_answer_request(challenge_to(challenged), proof, request_id=2, now=NOW)


def final_answer(challenged: Message, *, code: int = ResponseCode.SUCCESS, digest_from: Message) -> Message:
    """As servers send it: the operation is that of the challenged request."""
    proof = proof_for(challenged)
    body = ErrorBody("", digest_of(encode_header_and_body(digest_from), DigestAlgorithm.SHA256))
    answer = answer_to(proof, code, body, now=NOW)
    return replace(answer, header=replace(answer.header, op_code=challenged.header.op_code), body=body)


def test_any_operation_is_asked_for_in_a_session_or_without() -> None:
    asked = request(HandleRequest(Handle("/")), OpCode.SESSION_TERMINATE, request_id=9, now=NOW, session_id=5)
    assert decode_message(Exchange(asked).request_octets) == asked
    assert (asked.session_id, asked.header.op_code) == (5, OpCode.SESSION_TERMINATE)
    assert asked.version == asked.suggested == VERSION_OURS


def test_a_server_of_unknown_version_is_asked_in_an_old_one_and_told_ours() -> None:
    asked = request(HandleRequest(Handle("/")), OpCode.GET_SITE_INFO, request_id=9, now=NOW)
    assert (asked.version, asked.suggested) == (VERSION_UNKNOWN_PEER, VERSION_OURS)


def test_a_challenge_is_answered_in_the_version_that_the_server_suggests_and_names_what_it_kept() -> None:
    proof = proof_for(CREATION)
    assert decode_message(encode_message(proof)) == proof
    assert (str(proof.version), proof.session_id, proof.request_id) == ("2.11", 77, 2)
    assert proof.header.op_code == OpCode.CHALLENGE_ANSWER


@pytest.mark.parametrize("challenged", [LOGIN, CREATION], ids=["login", "creation"])
@pytest.mark.parametrize("is_digest_of_challenged", [True, False], ids=["as 9.2.0", "as ours"])
def test_the_answer_to_a_proof_has_the_operation_that_was_challenged(
    challenged: Message,
    is_digest_of_challenged: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    digest_from = challenged if is_digest_of_challenged else proof_for(challenged)
    final = final_answer(challenged, code=ResponseCode.INVALID_ADMIN, digest_from=digest_from)
    octets = encode_message(final)
    assert Exchange(proof_for(challenged), challenged).accept_message(octets, NOW) == final
    assert Exchange(proof_for(challenged)).accept_message(octets, NOW) is None


def test_the_answer_to_another_proof_is_ignored() -> None:
    foreign = final_answer(CREATION, code=ResponseCode.INVALID_ADMIN, digest_from=LOGIN)
    exchange = Exchange(proof_for(CREATION), CREATION)
    assert exchange.accept_message(encode_message(foreign), NOW) is None
    assert not exchange.is_answered


def test_the_values_that_a_proof_opens_must_be_those_of_the_handle_that_was_asked_for() -> None:
    answers = [
        answer(request=proof_for(REQUEST), handle=handle) for handle in (Handle("88.118.8/齿轮"), QUESTION.handle)
    ]
    foreign, ours = (replace(each, header=replace(each.header, op_code=OpCode.RESOLUTION)) for each in answers)
    exchange = Exchange(proof_for(REQUEST), REQUEST)
    assert exchange.accept_message(encode_message(foreign), NOW) is None
    assert exchange.accept_message(encode_message(ours), NOW) == ours


def test_a_list_is_answered_with_its_last_message() -> None:
    asked = request(HandleRequest(Handle("0.NA/88.118.8")), OpCode.LIST_HANDLES, request_id=3, now=NOW)
    last = answer_to(asked, ResponseCode.SUCCESS, HandleListResponse((Handle("88.118.8/轴承"),)), now=NOW)
    first = replace(last, header=replace(last.header, op_flags=last.header.op_flags | OpFlag.CONTINUOUS))
    exchange = Exchange(asked)
    for message, is_answered in ((first, False), (first, False), (last, True)):
        assert exchange.accept_message(encode_message(message), NOW) == message
        assert exchange.is_answered == is_answered


@given(st.binary(max_size=100))
def test_random_datagrams_are_ignored(datagram: bytes) -> None:
    assert Exchange(REQUEST).accept_datagram(datagram, NOW) is None


def test_what_is_no_message_over_tcp_is_said() -> None:
    with pytest.raises(ProtocolError):
        Exchange(REQUEST).accept_message(b"HTTP/1.1 400 Bad Request\r\n\r\n", NOW)


def test_an_error_over_udp_sends_us_to_tcp_and_over_tcp_it_is_the_answer() -> None:
    exchange = Exchange(REQUEST)
    exchange.next_try()
    refusal = error_instead(encode_message(SHORT), "请使用 TCP")
    assert exchange.accept_datagram(refusal, NOW) is None
    assert exchange.is_partial
    assert not exchange.is_answered
    assert exchange.next_try() is None
    assert exchange.accept_message(refusal, NOW) == decode_message(refusal)
    assert exchange.is_answered
