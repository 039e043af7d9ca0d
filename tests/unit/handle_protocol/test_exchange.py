"""A client's decisions, told as stories without a network."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from handle_protocol.bodies.challenge import Challenge
from handle_protocol.bodies.digest import DigestAlgorithm, digest_of
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.exchange import Exchange, resolution_request
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
)
from handle_protocol.record import encode_value_list
from handle_protocol.transmission import split
from handle_protocol.value import HandleValue

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


@given(st.binary(max_size=100))
def test_random_datagrams_are_ignored(datagram: bytes) -> None:
    assert Exchange(REQUEST).accept_datagram(datagram, NOW) is None


def test_what_is_no_message_over_tcp_is_said() -> None:
    with pytest.raises(ProtocolError):
        Exchange(REQUEST).accept_message(b"HTTP/1.1 400 Bad Request\r\n\r\n", NOW)
