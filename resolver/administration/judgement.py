"""Whether somebody is who may do a thing: named as an administrator (400), with the permission (401), and proved.

The order is that of the reference: a proof is looked at last, so that its cost falls on administrators alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.predefined.admin import AdminPermission
from handle_protocol.record import HandleRecord
from handle_protocol.value import ValueReference
from resolver.administration.administrators import Permitted, find_permissions, named_in
from resolver.administration.outcomes import IdentityNeeded, Refused
from resolver.administration.rights import NO_PERMISSION, Need, Ways, gives_rights
from resolver.answer import Busy, Found
from resolver.authentication.claims import Claim, Proof
from resolver.resolve import Resolver

BUSY: Final = Refused(ResponseCode.SERVER_TOO_BUSY, "Try again later 服务繁忙,请稍后重试")
NO_ADMINISTRATOR: Final = Refused(ResponseCode.INVALID_ADMIN)
NOT_PERMITTED: Final = Refused(ResponseCode.INSUFFICIENT_PERMISSIONS)

_BY_PROOF: Final[Mapping[Proof, Refused]] = {
    Proof.WRONG: Refused(ResponseCode.AUTHENTICATION_FAILED),
    Proof.UNUSABLE: Refused(ResponseCode.INVALID_CREDENTIAL),
    Proof.TOO_WEAK: Refused(ResponseCode.INVALID_CREDENTIAL),
    Proof.TOO_MANY: Refused(
        ResponseCode.AUTHENTICATION_ERROR, "Too many wrong proofs, wait a minute 错误次数过多,请一分钟后再试"
    ),
    Proof.UNKNOWN: Refused(ResponseCode.AUTHENTICATION_ERROR, "The key is not to be found 找不到该密钥"),
    Proof.BUSY: BUSY,
}

Objection = Refused | IdentityNeeded | None
"""Why somebody may not; None = they may."""

_FindLack = Callable[[ValueReference], Awaitable[Refused | None]]


class Judge:
    """Judges claims by the records of the register.

    Every method raises ConnectionError when a record cannot be looked at now.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def judge(self, claim: Claim | None, ways: Ways, record: HandleRecord | None = None) -> Objection:
        """Return why whoever is claimed to ask may take none of `ways`.

        Args:
            claim: who asks.
            ways: what would do; none at all = nobody is asked.
            record: one that was fetched already.
        """
        if not ways:
            return None

        async def find_lack(identity: ValueReference) -> Refused | None:
            """Return what `identity` lacks for any of the ways."""
            return await _Rights(self.find_record, identity, ways, record).find_lack()

        return await self._judge(claim, find_lack)

    async def judge_by_list(self, claim: Claim | None, permitted: Permitted) -> Objection:
        """Return why whoever is claimed to ask is none of those who are `permitted`, nor in a group of them."""

        async def find_lack(identity: ValueReference) -> Refused | None:
            """Tell whether `identity` is in the list."""
            found = await find_permissions(identity, permitted, NO_PERMISSION, self.find_record)
            return NO_ADMINISTRATOR if found is None else None

        return await self._judge(claim, find_lack)

    async def find_record(self, handle: Handle) -> HandleRecord | None:
        """Return the record of `handle` as it is stored; None where there is none, or it is not answered for here."""
        answer = await self._resolver.stored(handle)
        if isinstance(answer, Busy):
            raise ConnectionError("the register cannot be asked")
        return answer.record if isinstance(answer, Found) else None

    async def _judge(self, claim: Claim | None, find_lack: _FindLack) -> Objection:
        if claim is None:
            return IdentityNeeded()
        identity = claim.identity
        lack = await find_lack(identity)
        if lack is not None and identity.index != 0:
            return lack
        unproved = await prove(claim)
        if unproved is not None or lack is None:
            return unproved
        return await find_lack(claim.identity)  # An index of 0 stood for any key; the proof told which (reference).


async def prove(claim: Claim) -> Refused | None:
    """Return how an unproved claim is refused; None when it is proved."""
    return _BY_PROOF.get(await claim.prove())


class _Rights:
    """What one identity may do, looked up only as far as it matters."""

    def __init__(
        self,
        find_record: Callable[[Handle], Awaitable[HandleRecord | None]],
        identity: ValueReference,
        ways: Ways,
        record: HandleRecord | None,
    ) -> None:
        self._find_stored = find_record
        self._identity = identity
        self._ways = ways
        self._records = {} if record is None else {record.handle.key(): record}
        self._found: dict[Handle, AdminPermission | None] = {}

    async def find_lack(self) -> Refused | None:
        for way in self._ways:
            if await self._has_all(way):
                return None
        is_named = any(found is not None for found in self._found.values())
        return NOT_PERMITTED if is_named else NO_ADMINISTRATOR

    async def _has_all(self, way: tuple[Need, ...]) -> bool:
        for need in way:
            if need.handle not in self._found:
                self._found[need.handle] = await self._find_permissions(need.handle)
            found = self._found[need.handle]
            if found is None or need.permissions & ~found:
                return False
        return True

    async def _find_permissions(self, handle: Handle) -> AdminPermission | None:
        record = await self._find_record(handle)
        if record is None:
            return None
        enough = NO_PERMISSION
        for need in (need for way in self._ways for need in way if need.handle == handle):
            enough |= need.permissions
        naming = await self._naming(handle, record)
        return await find_permissions(self._identity, named_in(naming), enough, self._find_record)

    async def _naming(self, handle: Handle, record: HandleRecord) -> HandleRecord:
        """Return the record that names who may change `record`: its own values do, else those of its prefix.

        The industrial SDKs register records without HS_ADMIN, and change them later (recorded: vectors, file 15).
        """
        if handle.described_prefix is not None or any(map(gives_rights, record.values)):
            return record
        return await self._find_record(handle.prefix.handle) or record

    async def _find_record(self, handle: Handle) -> HandleRecord | None:
        key = handle.key()
        if key in self._records:
            return self._records[key]
        record = await self._find_stored(handle)
        if record is not None:
            self._records[key] = record
        return record
