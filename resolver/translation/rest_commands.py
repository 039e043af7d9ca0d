"""Requests of the REST API ⇄ Command and CommandOutcome (recorded: vectors, file 14)."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import InvalidHandle, InvalidValue
from handle_protocol.handle import Handle, Prefix
from handle_protocol.value import HandleValue
from resolver.administration.commands import AddValues, Command, Create, Delete, RemoveValues
from resolver.administration.outcomes import CommandOutcome, Done, IdentityNeeded, Listed, Refused, ValuesRead
from resolver.translation.parameters import Parameters, UnreadableParameters
from resolver.translation.rest import RestAnswer, failure, record_answer
from resolver.translation.rest_bodies import UnreadableJson, read_values

VARIOUS: Final = "various"
"""In place of indexes: exactly the values that are sent."""

KNOWN_PARAMETERS: Final = frozenset(
    {
        *("index", "type", "publicOnly", "auth", "cert", "overwrite"),
        *("mintNewSuffix", "doNotRefer", "callback", "pretty"),
    }
)
"""What the reference knows for a handle."""

STALE: Final = Refused(ResponseCode.ERROR, "revision")
"""What Administration says to another revision than the expected one."""

_NOT_POSITIVE: Final = "Value indexes must be positive 索引应为正整数"


class RefusedRequest(ValueError):
    """A request that is refused before it is a command.

    Attributes:
        answer: what to say.
    """

    def __init__(self, answer: RestAnswer) -> None:
        super().__init__(answer.code)
        self.answer = answer


def check_names(parameters: Parameters) -> None:
    """Check that a change has no parameter that means nothing: without a misspelled index, a whole record would go.

    Raises:
        RefusedRequest: it has.
    """
    name = parameters.unknown(KNOWN_PARAMETERS)
    if name is not None:
        message = f"Unknown parameter {name[:40]} 未知参数 {name[:40]}"
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=message))


def put_command(handle: Handle, parameters: Parameters, body: bytes) -> Command:
    """Return what PUT on a handle asks for: the whole record, or with indexes, exactly these values.

    Raises:
        RefusedRequest: the body or the parameters are not as they should be.
    """
    values = _read_values(handle, body)
    overwrites = parameters.says("overwrite", default=True)
    if parameters.first("index") is None:
        mints_suffix = parameters.says("mintNewSuffix")
        return Create(handle, values, overwrites=overwrites and not mints_suffix, mints_suffix=mints_suffix)
    if VARIOUS not in parameters.texts("index"):
        named = _indexes(parameters)
        if {value.index for value in values} != set(named):
            raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message="Mismatched indexes in PUT request"))
    return AddValues(handle, values, overwrites=overwrites)


def delete_command(handle: Handle, parameters: Parameters) -> Command:
    """Return what DELETE on a handle asks for: without indexes, the whole record goes.

    Raises:
        RefusedRequest: an index is none.
    """
    if parameters.first("index") is None:
        return Delete(handle)
    return RemoveValues(handle, _indexes(parameters))


def read_prefix(text: str) -> Prefix:
    """Read a prefix, or the handle that describes it.

    Raises:
        RefusedRequest: it is none.
    """
    try:
        return Prefix.parse(text)
    except InvalidHandle as error:
        raise RefusedRequest(refusal(ResponseCode.INVALID_HANDLE, str(error), text)) from None


def refusal(code: ResponseCode, message: str = "", handle: str | None = None) -> RestAnswer:
    """Return a refusal, in the order of the reference's members."""
    members = {"message": message or None, "handle": handle}
    said: dict[str, object] = {name: member for name, member in members.items() if member is not None}
    return RestAnswer(code, said, _STATUS_BY_REFUSAL.get(code))


def answer_of(outcome: CommandOutcome, handle: str | None, *, creates: bool = False) -> RestAnswer:
    """Return the JSON for what became of a command.

    Args:
        outcome: of a command that is no listing.
        handle: as it was asked.
        creates: whether what replaced nothing was made by it: 201.
    """
    match outcome:
        case Done(done, has_overwritten):
            said = handle if done is None else done.spelling
            status = HTTPStatus.CREATED if creates and not has_overwritten else None
            return RestAnswer(ResponseCode.SUCCESS, {} if said is None else {"handle": said}, status)
        case ValuesRead(record):
            return record_answer(record.handle.spelling, record)
        case IdentityNeeded():
            return failure(ResponseCode.AUTHENTICATION_NEEDED, handle)
        case Refused(code, text) if outcome == STALE:
            message = "The record has another revision 标识已被他人修改,请重新读取"
            return RestAnswer(code, {"message": message, "handle": handle}, HTTPStatus.PRECONDITION_FAILED)
        case Refused(code, text):
            return refusal(code, text, handle)
        case Listed():
            raise AssertionError("listings are told by their own resource")


def _read_values(handle: Handle, body: bytes) -> tuple[HandleValue, ...]:
    try:
        return read_values(body, handle)
    except UnreadableJson as error:
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=str(error))) from None
    except (InvalidValue, InvalidHandle) as error:
        message = _NOT_POSITIVE if isinstance(error, InvalidValue) and error.field.endswith("].index") else str(error)
        raise RefusedRequest(refusal(ResponseCode.INVALID_VALUE, message, handle.spelling)) from None


def _indexes(parameters: Parameters) -> tuple[int, ...]:
    try:
        return parameters.indexes()
    except UnreadableParameters as error:
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=str(error))) from None


_STATUS_BY_REFUSAL: Final = {
    ResponseCode.VALUES_NOT_FOUND: HTTPStatus.BAD_REQUEST,
    ResponseCode.AUTHENTICATION_ERROR: HTTPStatus.FORBIDDEN,
}
"""Where a refused command has another status than a question that has no answer (vector 14)."""

BUSY: Final = refusal(ResponseCode.SERVER_TOO_BUSY, "Try again later 服务繁忙,请稍后重试")
TOO_MANY: Final = replace(
    refusal(ResponseCode.AUTHENTICATION_ERROR, "Too many wrong proofs 认证失败次数过多,请稍后重试"),
    unusual_status=HTTPStatus.TOO_MANY_REQUESTS,
)
"""Whoever guesses too often hears so in HTTP's own word (RFC 6585 §4); the reference has no such bound."""
