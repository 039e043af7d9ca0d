"""Handle protocol messages ⇄ Command and CommandOutcome (RFC 3652 §3.5 to §3.7, and the reference)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from handle_protocol.bodies.administration import HandleRequest, HandleResponse, RemoveRequest, ValuesRequest
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.resolution import ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.errors import InvalidHandle
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import Message, answer_to
from resolver.administration.commands import (
    AddValues,
    Command,
    Create,
    Delete,
    HomePrefix,
    ListHandles,
    ListPrefixes,
    ModifyValues,
    ReadValues,
    RemoveValues,
    UnhomePrefix,
)
from resolver.administration.outcomes import CommandOutcome, Done, IdentityNeeded, Listed, Refused, ValuesRead
from resolver.translation.messages import query_of

HANDLES_PER_MESSAGE: Final = 50
"""Reference: the handles in one message of a continued answer."""

_OVERWRITING: Final = frozenset({OpCode.CREATE_HANDLE, OpCode.ADD_VALUE})
"""Their answers tell by a flag whether something was overwritten (RFC 3652 §2.2.2.3)."""


def command_of(request: Message) -> Command:
    """Return what a request for administration asks for; its operation must be one of COMMANDS.

    Raises:
        InvalidHandle: a prefix was to be named, and it is none.
    """
    return COMMANDS[request.header.op_code](request)


def messages_of(outcome: CommandOutcome, request: Message, op_code: int, *, now: float) -> Iterator[Message]:
    """Yield the messages that tell `outcome` to whoever sent `request`.

    Several for a list of many handles; all but the last say that more follow.

    Args:
        outcome: what became of the command.
        request: the message to answer: the one that asked, or that answered the challenge of the one that asked.
        op_code: the operation that asked; the answer has it, too.
        now: Unix seconds.
    """
    for answer in _answers(outcome, request, op_code, now):
        yield replace(answer, header=replace(answer.header, op_code=op_code))


def with_flag(message: Message, flag: OpFlag, *, is_set: bool) -> Message:
    """Return `message` with an operation flag set or cleared."""
    flags = message.header.op_flags & ~flag | (flag if is_set else 0)
    return replace(message, header=replace(message.header, op_flags=int(flags)))


def _answers(outcome: CommandOutcome, request: Message, op_code: int, now: float) -> Iterator[Message]:
    match outcome:
        case Listed(handles, last_key):
            yield from _list_messages(handles, request, has_more=bool(last_key), now=now)
        case Done(handle, has_overwritten):
            body = HandleResponse(handle) if op_code == OpCode.CREATE_HANDLE else RawBody()
            answer = answer_to(request, ResponseCode.SUCCESS, body, now=now)
            yield with_flag(answer, OpFlag.OVERWRITE, is_set=has_overwritten and op_code in _OVERWRITING)
        case ValuesRead(record):
            read = ResolutionResponse(record.handle, record.value_list)
            yield answer_to(request, ResponseCode.SUCCESS, read, now=now)
        case Refused(code, text):
            yield answer_to(request, code, ErrorBody(text), now=now)
        case IdentityNeeded():
            raise AssertionError("whoever needs to know the identity asks for it with a challenge")


def _list_messages(handles: Sequence[Handle], request: Message, *, has_more: bool, now: float) -> Iterator[Message]:
    starts = range(0, len(handles), HANDLES_PER_MESSAGE) or (0,)
    for start in starts:
        part = tuple(handles[start : start + HANDLES_PER_MESSAGE])
        answer = answer_to(request, ResponseCode.SUCCESS, HandleListResponse(part), now=now)
        is_last = start + HANDLES_PER_MESSAGE >= len(handles)
        yield with_flag(answer, OpFlag.CONTINUOUS, is_set=has_more or not is_last)


def _values(request: Message) -> ValuesRequest:
    body = request.body
    assert isinstance(body, ValuesRequest), "the codec reads these operations so"
    return body


def _named(request: Message) -> Handle:
    body = request.body
    assert isinstance(body, HandleRequest), "the codec reads these operations so"
    return body.handle


def _named_prefix(request: Message) -> Prefix:
    prefix = _named(request).described_prefix
    if prefix is None:
        raise InvalidHandle("expected a prefix handle such as 0.NA/88.118.8")
    return prefix


def _create(request: Message) -> Create:
    body = _values(request)
    return Create(
        body.handle,
        body.values,
        overwrites=request.has_flag(OpFlag.OVERWRITE),
        mints_suffix=request.has_flag(OpFlag.MINT_SUFFIX),
    )


def _add(request: Message) -> AddValues:
    body = _values(request)
    return AddValues(body.handle, body.values, overwrites=request.has_flag(OpFlag.OVERWRITE))


def _modify(request: Message) -> ModifyValues:
    body = _values(request)
    return ModifyValues(body.handle, body.values)


def _remove(request: Message) -> RemoveValues:
    body = request.body
    assert isinstance(body, RemoveRequest), "the codec reads this operation so"
    return RemoveValues(body.handle, body.indexes)


COMMANDS: Final[Mapping[int, Callable[[Message], Command]]] = {
    OpCode.RESOLUTION: lambda request: ReadValues(query_of(request)),
    OpCode.CREATE_HANDLE: _create,
    OpCode.DELETE_HANDLE: lambda request: Delete(_named(request)),
    OpCode.ADD_VALUE: _add,
    OpCode.MODIFY_VALUE: _modify,
    OpCode.REMOVE_VALUE: _remove,
    OpCode.LIST_HANDLES: lambda request: ListHandles(_named_prefix(request)),
    OpCode.HOME_PREFIX: lambda request: HomePrefix(_named_prefix(request)),
    OpCode.UNHOME_PREFIX: lambda request: UnhomePrefix(_named_prefix(request)),
    OpCode.LIST_HOMED_PREFIXES: lambda _: ListPrefixes(),
}
"""How each operation that may need an identity is read."""
