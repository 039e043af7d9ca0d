"""Two enterprises whose prefixes resemble one another, and whatever either may try with the other's records.

What an enterprise may touch is judged here once more, in a crude way of its own: a record is *open* to somebody when
any chain of references leads from it to a handle of theirs, whatever the indexes and permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from random import Random

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined import parse_data
from handle_protocol.predefined.admin import Administrator
from handle_protocol.predefined.vlist import AdministratorGroup
from handle_protocol.record import HandleRecord, decode_value_list
from handle_protocol.value import HandleValue, Permissions, ValueReference
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
from resolver.authentication.claims import Proof
from resolver.query import Query
from tests.builders import text_value
from tests.fakes.claims import KnownClaim
from tests.fakes.memory_register import MemoryPrefix, MemoryRegister
from tests.unit.resolver.administration.administered_world import AdministeredWorld, admin_value, group_value

SECRET_PERMISSIONS = Permissions.ADMIN_READ | Permissions.ADMIN_WRITE
INDEXES = (1, 2, 3, 100, 101, 200, 300)


@dataclass(frozen=True)
class Tenant:
    """An enterprise and its prefixes; the first one holds its keys."""

    prefixes: tuple[str, ...]

    @property
    def home(self) -> str:
        return f"0.NA/{self.prefixes[0]}"

    @property
    def identity(self) -> ValueReference:
        return ValueReference(300, self.home)

    @cached_property
    def handles(self) -> tuple[Handle, ...]:
        below = (f"{prefix}/{suffix}" for prefix in self.prefixes for suffix in ("泵", "阀", "新"))
        return tuple(map(Handle, (*below, *(f"0.NA/{prefix}" for prefix in self.prefixes), f"{self.home}.9")))

    def owns(self, handle: Handle, others: Tenant) -> bool:
        """Tell whether `handle` belongs to the longest prefix that either tenant has, and that is one of ours."""
        prefix = handle.described_prefix or handle.prefix
        owned = (each.name for each in prefix.lineage() if each.name in self.prefixes + others.prefixes)
        return next(owned, None) in self.prefixes


SHORT = Tenant(("88.111.1",))
LONG = Tenant(("88.111.10", "88.111.1.5"))
"""Resembles SHORT, and has a prefix derived from that of SHORT."""

LOOK_ALIKES = ("{}\0", "{}0", "{}.1", "{} ", "%30.NA%2F88.111.1", "０.NA/88.111.1", "{}/300", "0.TYPE/88.111.1")


def make_world() -> AdministeredWorld:
    """Return a register in which each tenant has a few records with secrets, named by key and by group."""
    world = AdministeredWorld()
    world.register.prefixes = {name: MemoryPrefix(Prefix(name)) for name in (*SHORT.prefixes, *LONG.prefixes)}
    world.register.records = dict(_first_records())
    world.learn_prefixes()
    return world


@cache
def _first_records() -> Mapping[bytes, HandleRecord]:
    register = MemoryRegister()
    for tenant in (SHORT, LONG):
        for prefix in tenant.prefixes:
            group = ValueReference(200, tenant.home)
            rights = (admin_value(tenant.identity), admin_value(group, index=101))
            members = group_value(200, ValueReference(301, tenant.home), ValueReference(200, f"{prefix}/泵"))
            register.put(f"0.NA/{prefix}", *rights, members, _secret(tenant, 301))
            register.put(f"{prefix}/泵", text_value(1, "URL", "x"), _secret(tenant, 2), *rights)
            register.put(f"{prefix}/阀", _secret(tenant, 3), admin_value(group, index=100))
    return register.records


def _secret(tenant: Tenant, index: int) -> HandleValue:
    return text_value(index, "HS_SECKEY", f"机密 {tenant.home}", permissions=SECRET_PERMISSIONS)


class Trial:
    """What one tenant tries with whatever it can think of, while the other goes about its work."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.attacker, self.victim = random.sample((SHORT, LONG), 2)

    def attack(self) -> tuple[Command, KnownClaim | None]:
        target = self.victim if self.random.random() < 0.8 else self.attacker
        return self._command(target, (self.attacker, self.victim)), self._attackers_claim()

    def work(self) -> tuple[Command, KnownClaim | None]:
        friends = (self.victim, self.attacker) if self.random.random() < 0.1 else (self.victim,)
        index = self.random.choice((300, 300, 301))
        return self._command(self.victim, friends), KnownClaim(ValueReference(index, self.victim.home))

    def _attackers_claim(self) -> KnownClaim | None:
        choice = self.random.randrange(10)
        if choice == 0:
            return None
        if choice == 1:
            return KnownClaim(self.victim.identity, Proof.WRONG)
        if choice == 2:
            likeness = self.random.choice(LOOK_ALIKES).format(self.victim.home)
            return KnownClaim(ValueReference(self.random.choice((0, 200, 300)), likeness))
        if choice == 3:
            own = self.random.choice(self.attacker.handles).spelling.lower()
            return KnownClaim(ValueReference(self.random.choice((0, 200, 300)), own))
        return KnownClaim(ValueReference(self.random.choice((300, 300, 301)), self.attacker.home))

    def _command(self, target: Tenant, friends: tuple[Tenant, ...]) -> Command:
        random = self.random
        handle = random.choice(target.handles)
        prefix = Prefix(random.choice(target.prefixes))
        indexes = random.sample(INDEXES, random.randint(1, 3))
        values = tuple(self._value(index, friends) for index in indexes)
        overwrites = random.random() < 0.7
        possible: tuple[Command, ...] = (
            Create(handle, values, overwrites, mints_suffix=random.random() < 0.2),
            AddValues(handle, values, overwrites),
            AddValues(handle, values[:1], overwrites=True),
            ModifyValues(handle, values),
            ModifyValues(handle, values[:1]),
            RemoveValues(handle, tuple(indexes[:1])),
            Delete(handle),
            ListHandles(prefix, is_counted=overwrites),
            ReadValues(Query(handle, is_public_only=False)),
            random.choice((HomePrefix(prefix), UnhomePrefix(prefix), ListPrefixes())),
        )
        return random.choice(possible)

    def _value(self, index: int, friends: tuple[Tenant, ...]) -> HandleValue:
        friend = self.random.choice(friends)
        reference = ValueReference(
            self.random.choice((0, 200, 300)), self.random.choice((friend.home, friend.handles[0].spelling))
        )
        match self.random.randrange(5):
            case 0:
                return admin_value(reference, self.random.getrandbits(12), index)
            case 1:
                return group_value(index, reference)
            case 2:
                return _secret(friends[0], index)
            case _:
                return text_value(index, "名称", "改", permissions=self.random.choice((14, 14, 14, 15, 12)))


def opened_records(records: Mapping[bytes, HandleRecord], somebody: Tenant, others: Tenant) -> frozenset[bytes]:
    """Return the keys of records from which any chain of references leads to a handle of `somebody`."""
    references = {key: _references(record.value_list) for key, record in records.items()}
    opened = {key for key, handles in references.items() if any(somebody.owns(each, others) for each in handles)}
    while True:
        more = {
            key for key, handles in references.items() if key not in opened and any(h.key() in opened for h in handles)
        }
        if not more:
            return frozenset(opened)
        opened |= more


@lru_cache(maxsize=10_000)
def _references(value_list: bytes) -> frozenset[Handle]:
    handles: set[Handle] = set()
    for value in decode_value_list(value_list):
        match parse_data(value):
            case Administrator(reference=reference):
                handles.add(Handle(reference.handle))
            case AdministratorGroup(members=members):
                handles.update(Handle(member.handle) for member in members)
            case _:
                pass
    return frozenset(handles)


def maker_of(handle: Handle) -> Handle:
    """Return the handle whose record says who may make `handle`."""
    before, _, after = handle.spelling.partition("/")
    return Handle(f"0.NA/{after.rpartition('.')[0]}" if before == "0.NA" else f"0.NA/{before}")


def is_kept(before: HandleRecord | None, after: HandleRecord | None) -> bool:
    """Tell whether a record is what it was but for values that everybody may write, which still give no rights."""
    if before is None or after is None:
        return before is after
    old = {value.index: value for value in before.values}
    new = {value.index: value for value in after.values}
    replaced = [index for index in old if old[index] != new.get(index)]
    return old.keys() == new.keys() and all(
        old[index].permissions & Permissions.PUBLIC_WRITE and not new[index].value_type.startswith("HS_")
        for index in replaced
    )
