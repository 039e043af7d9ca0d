"""Commands upon the running node's own register: its operator may do everything, by the same plans as anybody."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import ChangeResult, HandleRecord, RecordChange
from node.cli.outcomes import REASONS
from node.cli.said import Said
from node.errors import Text
from node.register import open_register
from registry.changing import RecordWriter
from registry.database import Database
from registry.handle_list import HandleList
from registry.outcomes import RefusalReason
from registry.prefixes import PrefixReader, RegisteredPrefix
from registry.records import RecordReader
from resolver.administration.outcomes import Refused
from resolver.administration.plan import RecordCommand, check, make_plan

OPERATOR: Final = "operator"
"""Who is written down as the author of a change."""

DECISIONS_MAX: Final = 8
"""How often a change is decided anew because the record changed meanwhile."""

PAGE_HANDLES: Final = 1_000

_CODES: Final = {
    ChangeResult.DONE: ResponseCode.SUCCESS,
    ChangeResult.NOT_OURS: ResponseCode.SERVER_NOT_RESPONSIBLE,
    ChangeResult.SUSPENDED: ResponseCode.SERVER_NOT_RESPONSIBLE,
    ChangeResult.DELEGATED: ResponseCode.SERVER_NOT_RESPONSIBLE,
    ChangeResult.TOO_LONG: ResponseCode.INVALID_VALUE,
}


async def change_register(url: str, commands: Sequence[RecordCommand]) -> Sequence[Said]:
    """Do commands one after another and return what became of each. Raises NodeError in an outage."""
    async with open_register(url) as database:
        return [await _change(database, command) for command in commands]


async def list_register(url: str, prefix: Prefix) -> AsyncGenerator[Sequence[Handle] | Said, None]:
    """Yield the handles directly below `prefix`, page by page, or a refusal. Raises NodeError in an outage."""
    async with open_register(url, is_read_only=True) as database:
        names, after = HandleList(database), b""
        registered = await _find_registered(database, prefix)
        while page := await names.list_handles(prefix, after, PAGE_HANDLES):
            yield [handle for _, handle in page]
            after = page[-1][0]
        reason = RefusalReason.NOT_OURS if registered is None else RefusalReason.DELEGATED
        if not after and (registered is None or registered.delegated_to is not None):
            yield Said(prefix.handle, ResponseCode.SERVER_NOT_RESPONSIBLE, reason.value, REASONS[reason])


async def find_in_register(url: str, handle: Handle) -> HandleRecord | None:
    """Return the record of `handle` as it is stored, or None. Raises NodeError in an outage."""
    async with open_register(url, is_read_only=True) as database:
        return await _find(database, handle)


async def _change(database: Database, command: RecordCommand) -> Said:
    handle = command.handle
    fault = check(command)
    if fault is not None:
        return Said(handle, fault.code, fault.text)
    for _ in range(DECISIONS_MAX):
        record = await _find(database, handle)
        plan = make_plan(command, record, int(time.time()))
        if isinstance(plan, Refused):
            return Said(handle, plan.code, plan.text)
        change = RecordChange(handle, plan.value_list, 0 if record is None else record.revision, OPERATOR)
        ((result, _revision),) = await RecordWriter(database).apply([change])
        if result is not ChangeResult.CONFLICT:
            text = "" if result is ChangeResult.DONE else result.value
            return Said(handle, _CODES[result], text, _reason(result))
    return Said(handle, ResponseCode.SERVER_TOO_BUSY)


async def _find(database: Database, handle: Handle) -> HandleRecord | None:
    owner = await _find_registered(database, handle.prefix)
    key = handle.key(folds_suffix=owner is not None and owner.folds_suffix)
    return (await RecordReader(database).fetch([key])).get(key)


async def _find_registered(database: Database, prefix: Prefix) -> RegisteredPrefix | None:
    """Return the registered prefix that decides about `prefix`: itself, or the next above."""
    registered = {each.prefix: each for each in await PrefixReader(database).load()}
    return next((registered[each] for each in prefix.lineage() if each in registered), None)


def _reason(result: ChangeResult) -> tuple[Text, Text] | None:
    known = RefusalReason.__members__.get(result.name)
    return None if known is None else REASONS[known]
