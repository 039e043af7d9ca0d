"""Which body a message has, by its operation and its response code: how each is read and written, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from handle_protocol.bodies.administration import (
    HandleRequest,
    HandleResponse,
    RemoveRequest,
    ValuesRequest,
    decode_handle_request,
    decode_handle_response,
    decode_remove_request,
    decode_values_request,
    encode_handle_request,
    encode_handle_response,
    encode_remove_request,
    encode_values_request,
)
from handle_protocol.bodies.challenge import (
    Challenge,
    ChallengeAnswer,
    VerifyChallengeRequest,
    VerifyChallengeResponse,
    decode_challenge,
    decode_challenge_answer,
    decode_verify_request,
    decode_verify_response,
    encode_challenge,
    encode_challenge_answer,
    encode_verify_request,
    encode_verify_response,
)
from handle_protocol.bodies.digest import RequestDigest, decode_digest, encode_digest
from handle_protocol.bodies.error import ErrorBody, decode_error, encode_error
from handle_protocol.bodies.listing import HandleListResponse, decode_handle_list, encode_handle_list
from handle_protocol.bodies.login import KeyLoginRequest, decode_key_login, encode_key_login
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.referral import Referral, decode_referral, encode_referral
from handle_protocol.bodies.resolution import (
    ResolutionRequest,
    ResolutionResponse,
    decode_resolution_request,
    decode_resolution_response,
    encode_resolution_request,
    encode_resolution_response,
)
from handle_protocol.bodies.session import (
    KeyExchangeRequest,
    SessionSetupRequest,
    SessionSetupResponse,
    decode_key_exchange,
    decode_session_setup,
    decode_session_setup_response,
    encode_key_exchange,
    encode_session_setup,
    encode_session_setup_response,
)
from handle_protocol.bodies.site import SiteInfoResponse, decode_site_info, encode_site_info
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.octets import OctetReader

RequestBody: TypeAlias = (
    ResolutionRequest
    | ValuesRequest
    | RemoveRequest
    | HandleRequest
    | ChallengeAnswer
    | VerifyChallengeRequest
    | SessionSetupRequest
    | KeyExchangeRequest
    | KeyLoginRequest
    | RawBody
)
AnswerBody: TypeAlias = (
    ResolutionResponse
    | HandleResponse
    | HandleListResponse
    | SiteInfoResponse
    | Challenge
    | VerifyChallengeResponse
    | SessionSetupResponse
    | Referral
    | ErrorBody
    | RawBody
)
Body: TypeAlias = RequestBody | AnswerBody

_DecodeRequest = Callable[[OctetReader], RequestBody]
_DecodeAnswer = Callable[[OctetReader, RequestDigest | None], AnswerBody]

_REQUESTS: Final[Mapping[int, _DecodeRequest]] = {
    OpCode.RESOLUTION: decode_resolution_request,
    OpCode.PASSWORD_LOGIN: decode_resolution_request,
    OpCode.CREATE_HANDLE: decode_values_request,
    OpCode.ADD_VALUE: decode_values_request,
    OpCode.MODIFY_VALUE: decode_values_request,
    OpCode.REMOVE_VALUE: decode_remove_request,
    OpCode.GET_SITE_INFO: decode_handle_request,
    OpCode.DELETE_HANDLE: decode_handle_request,
    OpCode.LIST_HANDLES: decode_handle_request,
    OpCode.HOME_PREFIX: decode_handle_request,
    OpCode.UNHOME_PREFIX: decode_handle_request,
    OpCode.LIST_HOMED_PREFIXES: decode_handle_request,
    OpCode.SESSION_TERMINATE: decode_handle_request,
    OpCode.CHALLENGE_ANSWER: decode_challenge_answer,
    OpCode.VERIFY_CHALLENGE: decode_verify_request,
    OpCode.SESSION_SETUP: decode_session_setup,
    OpCode.SESSION_EXCHANGE_KEY: decode_key_exchange,
    OpCode.KEY_LOGIN: decode_key_login,
}

_SUCCESSES: Final[Mapping[int, _DecodeAnswer]] = {
    OpCode.RESOLUTION: decode_resolution_response,
    OpCode.PASSWORD_LOGIN: decode_resolution_response,
    OpCode.CREATE_HANDLE: decode_handle_response,
    OpCode.LIST_HANDLES: decode_handle_list,
    OpCode.LIST_HOMED_PREFIXES: decode_handle_list,
    OpCode.GET_SITE_INFO: decode_site_info,
    OpCode.VERIFY_CHALLENGE: decode_verify_response,
    OpCode.SESSION_SETUP: decode_session_setup_response,
}

_OTHERS: Final[Mapping[int, _DecodeAnswer]] = {
    ResponseCode.SERVICE_REFERRAL: decode_referral,
    ResponseCode.PREFIX_REFERRAL: decode_referral,
    ResponseCode.AUTHENTICATION_NEEDED: decode_challenge,
}

_KNOWN_CODES: Final[frozenset[int]] = frozenset(ResponseCode)

_ENCODERS: Final[Mapping[type[Body], Callable[[Any], bytes]]] = {
    ResolutionRequest: encode_resolution_request,
    ResolutionResponse: encode_resolution_response,
    ValuesRequest: encode_values_request,
    RemoveRequest: encode_remove_request,
    HandleRequest: encode_handle_request,
    HandleResponse: encode_handle_response,
    HandleListResponse: encode_handle_list,
    SiteInfoResponse: encode_site_info,
    Challenge: encode_challenge,
    ChallengeAnswer: encode_challenge_answer,
    VerifyChallengeRequest: encode_verify_request,
    VerifyChallengeResponse: encode_verify_response,
    SessionSetupRequest: encode_session_setup,
    SessionSetupResponse: encode_session_setup_response,
    KeyExchangeRequest: encode_key_exchange,
    KeyLoginRequest: encode_key_login,
    Referral: encode_referral,
    ErrorBody: encode_error,
    RawBody: lambda body: body.octets,
}


class Frame(NamedTuple):
    """What decides how a body is read.

    Attributes:
        response_code: what the code means in `version`; REQUEST for a request.
        op_flags: bits of OpFlag.
        version: of the message.
    """

    op_code: int
    response_code: int
    op_flags: int
    version: tuple[int, int]

    @property
    def has_digest(self) -> bool:
        """Whether the body of an answer begins with a digest: where it was asked for, and in every challenge."""
        is_challenge = self.response_code == ResponseCode.AUTHENTICATION_NEEDED
        return is_challenge or bool(self.op_flags & OpFlag.RETURN_REQUEST_DIGEST)


def decode_body(frame: Frame, reader: OctetReader) -> Body:
    """Read the body that a message with `frame` has; one that is not known here stays octets.

    Raises:
        MalformedMessage: the octets do not have that shape.
        InvalidHandle: a handle in it is empty, too long or not UTF-8.
    """
    if frame.response_code == ResponseCode.REQUEST:
        decode_request = _REQUESTS.get(frame.op_code)
        return RawBody(reader.rest()) if decode_request is None else decode_request(reader)
    decode_answer = _answer_decoder(frame)
    if decode_answer is None:
        return RawBody(reader.rest())
    return decode_answer(reader, decode_digest(reader, frame.version) if frame.has_digest else None)


def encode_body(body: Body, version: tuple[int, int]) -> bytes:
    """Return the octets of a body in a message of `version`."""
    content = _ENCODERS[type(body)](body)
    digest = getattr(body, "request_digest", None)
    return content if digest is None else encode_digest(digest, version) + content


def _answer_decoder(frame: Frame) -> _DecodeAnswer | None:
    if frame.response_code == ResponseCode.SUCCESS:
        return _SUCCESSES.get(frame.op_code)
    if frame.response_code in _OTHERS:
        return _OTHERS[frame.response_code]
    return decode_error if frame.response_code in _KNOWN_CODES else None
