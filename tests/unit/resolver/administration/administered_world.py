"""An administration over a register in memory, and the values that give rights."""

from __future__ import annotations

from handle_protocol.handle import Handle
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.predefined.site import Site
from handle_protocol.predefined.vlist import AdministratorGroup, encode_group
from handle_protocol.value import HandleValue, ValueReference
from resolver.administration.administration import Administration
from resolver.authority import Authority
from resolver.cache import CacheLimits, RecordCache
from resolver.resolve import Resolver
from tests.builders import OWN_SITE
from tests.fakes.claims import KnownClaim
from tests.fakes.memory_register import MemoryRegister

NOW = 1_764_000_000
OWNER = ValueReference(300, "0.NA/88.300.15907")
THEIR_SITE = Site((), serial=7)


def admin_value(reference: ValueReference, permissions: int = 0xFFF, index: int = 100) -> HandleValue:
    """Return an HS_ADMIN value."""
    return HandleValue(index, "HS_ADMIN", encode_administrator(Administrator(int(permissions), reference)))


def group_value(index: int, *members: ValueReference) -> HandleValue:
    """Return an HS_VLIST value."""
    return HandleValue(index, "HS_VLIST", encode_group(AdministratorGroup(members)))


class AdministeredWorld:
    """An administration over a register in memory, whose only server administrator is 300:0.NA/0.NA."""

    def __init__(self) -> None:
        self.register = MemoryRegister()
        self.resolver = Resolver(self.register, RecordCache(CacheLimits()), OWN_SITE, unix_clock=lambda: float(NOW))
        self.suffixes = iter(f"uuid-{number}" for number in range(1_000))
        self.administration = Administration(
            self.resolver,
            self.register,
            self.register,
            self.register,
            (ValueReference(300, "0.NA/0.NA"),),
            new_suffix=lambda: next(self.suffixes),
        )

    def register_prefix(self, name: str, **fields: object) -> None:
        self.register.add_prefix(name, **fields)
        self.learn_prefixes()

    def learn_prefixes(self) -> None:
        self.resolver.authority = Authority(self.register.prefixes.values())

    async def perform(self, command: object, claimed: object = None, **fields: object) -> object:
        claim = KnownClaim(claimed) if isinstance(claimed, ValueReference) else claimed
        return await self.administration.perform(command, claim, **fields)

    def values(self, spelling: str) -> tuple[HandleValue, ...] | None:
        record = self.register.records.get(Handle(spelling).key())
        return None if record is None else record.values
