"""Commands done for whoever may: in which order what is asked before anything is changed.

is the prefix ours ─▶ what stands against it for everybody ─▶ who is it, and may they (see judgement) ─▶ stored, if the
record is still the one that was looked at; else all is asked again

The order is that of the reference, so that clients learn the same from the same code.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from weakref import WeakValueDictionary

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.admin import AdminPermission
from handle_protocol.record import HandleRecord
from handle_protocol.value import Permissions, ValueReference
from resolver.administration.administrators import Permitted
from resolver.administration.changes import Changes
from resolver.administration.commands import (
    Command,
    Create,
    HomePrefix,
    ListHandles,
    ListPrefixes,
    ModifyValues,
    ReadValues,
    UnhomePrefix,
)
from resolver.administration.judgement import BUSY, NOT_PERMITTED, Judge
from resolver.administration.outcomes import CommandOutcome, Done, IdentityNeeded, Listed, Refused, ValuesRead
from resolver.administration.plan import NOT_THERE, Plan, RecordCommand, check, make_plan
from resolver.administration.rights import ALL_PERMISSIONS, Need, ways_to_know
from resolver.answer import Answer, Busy, Found, NotResponsible, Referred, Suspended
from resolver.authentication.claims import Claim
from resolver.resolve import Resolver
from resolver.sources import ChangeResult, HandleList, PrefixWriter, RecordChange, RecordWriter

DECISIONS_MAX: Final = 32
"""How often a change is decided anew because others changed the record meanwhile; in the field twice is rare."""

LISTED_MAX: Final = 10_000
"""Handles in one look at the list; who wants more goes on after the last."""

_NOT_OURS: Final = Refused(ResponseCode.SERVER_NOT_RESPONSIBLE, "That prefix doesn't live here")  # vector 14
_SUSPENDED: Final = Refused(ResponseCode.SERVER_NOT_RESPONSIBLE, "The prefix is suspended 该前缀已暂停")
_DELEGATED: Final = Refused(ResponseCode.SERVER_NOT_RESPONSIBLE, "Ask the enterprise's own node 请向企业自建节点提出")
_TOO_LONG: Final = Refused(ResponseCode.INVALID_VALUE, "The record would be too long 记录过长")
_NO_NAME: Final = Refused(ResponseCode.INVALID_HANDLE, "No suffix can be made for this 无法为其生成后缀")
_STALE: Final = Refused(ResponseCode.ERROR, "revision")
_NO_VALUES: Final = Refused(ResponseCode.VALUES_NOT_FOUND)

_BY_ANSWER: Final[Mapping[type[Answer], Refused]] = {
    NotResponsible: _NOT_OURS,
    Suspended: _SUSPENDED,
    Referred: _DELEGATED,
    Busy: BUSY,
}

_BY_RESULT: Final[Mapping[ChangeResult, Refused]] = {
    ChangeResult.NOT_OURS: _NOT_OURS,
    ChangeResult.SUSPENDED: _SUSPENDED,
    ChangeResult.DELEGATED: _DELEGATED,
    ChangeResult.TOO_LONG: _TOO_LONG,
}

_TELL_FIRST: Final = (Create, ModifyValues)
"""These say what stands against them before they ask who it is; the others only to somebody who has proved to be an
administrator, so that neither a wrong proof nor a stranger's tells whether a record or a value is there."""


class Administration:
    """Does commands.

    Args:
        resolver: knows the prefixes, fetches records, and forgets those that were changed.
        writer, handle_list, prefix_writer: the register.
        server_administrators: who may home and unhome prefixes; keys, or groups of them.
        new_suffix: makes the end of a minted name, which nobody else has.
        tell_others: tells other workers which keys were changed, before the change is acknowledged.
    """

    def __init__(  # noqa: PLR0913 - the register has three parts
        self,
        resolver: Resolver,
        writer: RecordWriter,
        handle_list: HandleList,
        prefix_writer: PrefixWriter,
        server_administrators: Iterable[ValueReference] = (),
        *,
        new_suffix: Callable[[], str] = lambda: str(uuid.uuid4()),
        tell_others: Callable[[Sequence[bytes]], Awaitable[None]] | None = None,
    ) -> None:
        self._resolver = resolver
        self._judge = Judge(resolver)
        self._changes = Changes(writer, resolver.forget, tell_others)
        self._handle_list = handle_list
        self._prefix_writer = prefix_writer
        self._server_administrators: Permitted = dict.fromkeys(server_administrators, ALL_PERMISSIONS)
        self._new_suffix = new_suffix
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._others: Mapping[type[Command], Callable[[Any, Claim | None], Awaitable[CommandOutcome]]] = {
            ReadValues: self._read_values,
            ListHandles: self._list_handles,
            HomePrefix: self._home_prefix,
            UnhomePrefix: self._unhome_prefix,
            ListPrefixes: self._list_prefixes,
        }

    async def perform(
        self, command: Command, claim: Claim | None = None, *, expected_revision: int | None = None
    ) -> CommandOutcome:
        """Do `command` for whoever is claimed to want it, or say why not.

        Args:
            command: what is wanted.
            claim: who wants it; None = nobody said so yet, which is answered by IdentityNeeded where it matters.
            expected_revision: that the record of a change must still have; None = whatever it is, 0 = it must not be
                there. Another one is Refused(ERROR, "revision").
        """
        try:
            if isinstance(command, RecordCommand):
                return await self._change(command, claim, expected_revision)
            return await self._others[type(command)](command, claim)
        except (ConnectionError, TimeoutError):
            return BUSY

    async def _change(self, command: RecordCommand, claim: Claim | None, expected: int | None) -> CommandOutcome:
        named = self._name(command)
        if named is None:
            return _NO_NAME
        outcome = await self._decide(named, claim, expected)
        return outcome or await self._decide_in_turn(named, claim, expected)

    async def _decide_in_turn(
        self, command: RecordCommand, claim: Claim | None, expected: int | None
    ) -> CommandOutcome:
        """Do it after all others of this worker for whom the record changed meanwhile, too: then few compete for it."""
        turn = self._turns.setdefault(command.handle.key(folds_suffix=True), asyncio.Lock())
        async with turn:
            for _ in range(DECISIONS_MAX):
                outcome = await self._decide(command, claim, expected)
                if outcome is not None:
                    return outcome
        return BUSY

    def _name(self, command: RecordCommand) -> RecordCommand | None:
        """Return `command` with its minted name, if it wants one; None when there can be none (reference: a UUID)."""
        if not isinstance(command, Create) or not command.mints_suffix:
            return command
        if "/" not in command.handle.spelling:
            return None
        try:
            return replace(command, handle=Handle.parse(command.handle.spelling + self._new_suffix()))
        except InvalidHandle:
            return None

    async def _decide(self, command: RecordCommand, claim: Claim | None, expected: int | None) -> CommandOutcome | None:
        """Do it to the record as it is now; None = that changed meanwhile."""
        stored = await self._resolver.stored(command.handle)
        refusal = _BY_ANSWER.get(type(stored)) or check(command)
        if refusal is not None:
            return refusal
        tells_first = isinstance(command, _TELL_FIRST)
        if claim is None and not tells_first:
            return IdentityNeeded()
        record = replace(stored.record, handle=command.handle) if isinstance(stored, Found) else None
        plan = make_plan(command, record, int(self._resolver.unix_clock()))
        if isinstance(plan, Refused):
            ways = () if tells_first else ways_to_know(command.handle, record)
            return await self._judge.judge(claim, ways, record) or plan
        objection = await self._judge.judge(claim, plan.ways, record)
        if objection is not None:
            return objection
        if expected is not None and expected != _revision(record):
            return _STALE
        identity = str(claim.identity) if claim is not None and plan.ways else ""
        return await self._store(command.handle, plan, record, identity)

    async def _store(
        self, handle: Handle, plan: Plan, record: HandleRecord | None, identity: str
    ) -> CommandOutcome | None:
        """Store what was decided; None = the record changed meanwhile."""
        registered = self._resolver.authority.find(handle)
        if registered is None:
            return _NOT_OURS
        if record is not None and plan.value_list == record.value_list:
            return Done(handle, plan.has_overwritten, record.revision)
        change = RecordChange(handle, plan.value_list, _revision(record), identity)
        result, revision = await self._changes.apply(handle.key(folds_suffix=registered.folds_suffix), change)
        if result is ChangeResult.CONFLICT:
            return None
        return _BY_RESULT.get(result) or Done(handle, plan.has_overwritten, revision)

    async def _read_values(self, command: ReadValues, claim: Claim | None) -> CommandOutcome:
        handle = command.query.handle
        stored = await self._resolver.stored(handle)
        refusal = _BY_ANSWER.get(type(stored))
        if refusal is not None:
            return refusal
        record = stored.record if isinstance(stored, Found) else None
        shown = self._resolver.with_site(handle, record)
        if shown is None:
            return NOT_THERE
        values = command.query.select(shown.values)
        if not values:
            return _NO_VALUES
        restricted = [value for value in values if not value.is_public]
        if not all(value.permissions & Permissions.ADMIN_READ for value in restricted):
            return NOT_PERMITTED
        ways = ((Need(handle, AdminPermission.READ_VALUE),),) if restricted else ()
        known = None if record is None else replace(record, handle=handle)
        objection = await self._judge.judge(claim, ways, known)
        return objection or ValuesRead(HandleRecord.of(handle, values, shown.revision))

    async def _list_handles(self, command: ListHandles, claim: Claim | None) -> CommandOutcome:
        prefix = command.prefix
        authority = self._resolver.authority
        registered = authority.find_exactly(prefix)
        if registered is None:
            return _NOT_OURS if authority.is_known else BUSY
        if registered.is_suspended:
            return _SUSPENDED
        if registered.delegated_to is not None:
            return _DELEGATED
        need = Need(prefix.handle, AdminPermission.LIST_HANDLES)
        objection = await self._judge.judge(claim, ((need,),))
        if objection is not None:
            return objection
        wanted = min(max(command.handles_max, 0), LISTED_MAX)
        rows = await self._handle_list.list_handles(prefix, command.after, wanted + 1) if wanted else ()
        is_counted = command.is_counted or not wanted
        return Listed(
            tuple(handle for _, handle in rows[:wanted]),
            last_key=rows[wanted - 1][0] if len(rows) > wanted else b"",
            total_count=await self._handle_list.count_handles(prefix) if is_counted else None,
        )

    async def _home_prefix(self, command: HomePrefix, claim: Claim | None) -> CommandOutcome:
        return await self._place_prefix(command.prefix, claim, self._prefix_writer.home)

    async def _unhome_prefix(self, command: UnhomePrefix, claim: Claim | None) -> CommandOutcome:
        return await self._place_prefix(command.prefix, claim, self._prefix_writer.unhome)

    async def _place_prefix(
        self, prefix: Prefix, claim: Claim | None, place: Callable[[Prefix], Awaitable[bool]]
    ) -> CommandOutcome:
        """Home or unhome a prefix; doing it twice is no error (reference)."""
        objection = await self._judge.judge_by_list(claim, self._server_administrators)
        if objection is not None:
            return objection
        try:
            is_new = await place(prefix)
        except PermissionError as error:
            return Refused(ResponseCode.ERROR, str(error))
        return Done(prefix.handle, has_overwritten=not is_new)

    async def _list_prefixes(self, _command: ListPrefixes, claim: Claim | None) -> CommandOutcome:
        objection = await self._judge.judge_by_list(claim, self._server_administrators)
        if objection is not None:
            return objection
        return Listed(tuple(prefix.handle for prefix in self._resolver.authority.hosted_prefixes))


def _revision(record: HandleRecord | None) -> int:
    return 0 if record is None else record.revision
