"""The prefixes that are ours: who owns them, who answers for them, and whether they rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from handle_protocol.handle import Prefix
from handle_protocol.predefined.site import Site, decode_site, encode_site
from registry import lifecycle
from registry.changes import announce
from registry.database import Database, Transaction
from registry.enterprises import Enterprise, find_or_make
from registry.errors import PrefixDelegated, PrefixHoldsRecords, PrefixTaken, PrefixTooDeep, PrefixUnknown, Refusal
from registry.lifecycle import PrefixStatus, Step
from registry.outcomes import OutcomeKind
from registry.placement import PREFIX_SEGMENTS_MAX
from registry.queries import queries
from registry.records import key_range

if TYPE_CHECKING:
    import asyncpg

_SQL: Final = queries("prefixes")


@dataclass(frozen=True, slots=True)
class RegisteredPrefix:
    """A prefix that is ours, and who answers for the handles below it.

    Attributes:
        folds_suffix: whether suffixes below it are compared without regard to ASCII case.
        delegated_to: the enterprise's own node; None = hosted here.
        changed_at: when it last changed, Unix seconds.
    """

    prefix: Prefix
    status: PrefixStatus = PrefixStatus.ACTIVE
    folds_suffix: bool = False
    delegated_to: Site | None = None
    enterprise: Enterprise | None = None
    changed_at: int = 0

    @property
    def is_suspended(self) -> bool:
        """Whether nothing below it resolves for now."""
        return self.status is PrefixStatus.SUSPENDED

    @property
    def is_withdrawn(self) -> bool:
        """Whether it is not answered for any more, though its records stay."""
        return self.status is PrefixStatus.WITHDRAWN


class PrefixReader:
    """Reads the registered prefixes. Raises ConnectionError or TimeoutError in an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Sequence[RegisteredPrefix]:
        """Return every registered prefix in the order of the keys, withdrawn ones too."""
        return [_registered(row) for row in await self._database.fetch(_SQL["load"])]


class PrefixStore:
    """Changes the registered prefixes. Each change waits for the writers of records and reaches every feed.

    Everything raises ConnectionError or TimeoutError in an outage.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        prefix: Prefix,
        *,
        enterprise: str | None = None,
        delegated_to: Site | None = None,
        folds_suffix: bool = False,
    ) -> OutcomeKind:
        """Register a prefix and return CREATED, or SAME when it is registered like this already.

        One that was withdrawn comes back: CHANGED.

        Args:
            prefix: of at most PREFIX_SEGMENTS_MAX segments.
            enterprise: the owner's name; an enterprise that is not there yet is made, and the prefix becomes its code.
            delegated_to: the enterprise's own node; None = hosted here.
            folds_suffix: whether suffixes below it are compared without regard to ASCII case.

        Raises:
            PrefixTooDeep: it has too many segments.
            PrefixTaken: it is registered with other particulars.
            PrefixHoldsRecords: records below it were stored under the other case rule.
            EnterpriseTaken: the enterprise is new, and another one has the code.
        """
        _check_depth(prefix)
        wanted = RegisteredPrefix(prefix, folds_suffix=folds_suffix, delegated_to=delegated_to)
        async with self._database.transaction(_SQL["hold_alone"]) as transaction:
            existing = await _find(transaction, prefix)
            if existing is not None:
                _check_same(existing, wanted, enterprise)
                return await _take(transaction, existing, Step.RETURN)
            await _check_case_rule(transaction, wanted)
            await _insert(transaction, wanted, enterprise)
            await announce(transaction, has_prefixes=True)
        return OutcomeKind.CREATED

    async def suspend(self, prefix: Prefix) -> OutcomeKind:
        """Let nothing below `prefix` resolve or change for now; return CHANGED, or SAME when it rests already.

        Raises:
            PrefixUnknown: it is not registered.
            TransitionForbidden: its status does not allow it.
        """
        return await self._step(prefix, Step.SUSPEND)

    async def resume(self, prefix: Prefix) -> OutcomeKind:
        """End the suspension of `prefix`; return CHANGED, or SAME when there is none. Raises as `suspend`."""
        return await self._step(prefix, Step.RESUME)

    async def _step(self, prefix: Prefix, step: Step) -> OutcomeKind:
        async with self._database.transaction(_SQL["hold_alone"]) as transaction:
            existing = await _find(transaction, prefix)
            if existing is None:
                raise PrefixUnknown(prefix)
            return await _take(transaction, existing, step)


class PrefixWriter:
    """Homes and unhomes prefixes for server administrators over the wire.

    Everything raises ConnectionError or TimeoutError in an outage.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def home(self, prefix: Prefix) -> bool:
        """Answer for `prefix` from now on; return False when it was so already, suspended or not.

        One that is new has no enterprise, and the case rule of the registered prefix above it, so that it hides no
        records.

        Raises:
            PermissionError: it has too many segments, or an enterprise's own node answers for it.
        """
        with _as_permission():
            return await self._home(prefix)

    async def unhome(self, prefix: Prefix) -> bool:
        """Answer for `prefix` no longer, and keep its records; return False when it is not answered for anyway.

        Raises:
            PermissionError: it is suspended, or an enterprise's own node answers for it: the operator's business.
        """
        with _as_permission():
            return await self._unhome(prefix)

    async def _home(self, prefix: Prefix) -> bool:
        _check_depth(prefix)
        async with self._database.transaction(_SQL["hold_alone"]) as transaction:
            existing = await _find(transaction, prefix)
            if existing is not None:
                _check_hosted(existing)
                return await _take(transaction, existing, Step.RETURN) is OutcomeKind.CHANGED
            folds_suffix = await _folds_so_far(transaction, prefix)
            await _insert(transaction, RegisteredPrefix(prefix, folds_suffix=folds_suffix), enterprise=None)
            await announce(transaction, has_prefixes=True)
        return True

    async def _unhome(self, prefix: Prefix) -> bool:
        async with self._database.transaction(_SQL["hold_alone"]) as transaction:
            existing = await _find(transaction, prefix)
            if existing is None:
                return False
            _check_hosted(existing)
            return await _take(transaction, existing, Step.WITHDRAW) is OutcomeKind.CHANGED


@contextmanager
def _as_permission() -> Iterator[None]:
    """Say a refusal in a word that whoever does not know the register understands."""
    try:
        yield
    except Refusal as refusal:
        raise PermissionError(str(refusal)) from refusal


def _check_depth(prefix: Prefix) -> None:
    if len(prefix.name.split(".")) > PREFIX_SEGMENTS_MAX:
        raise PrefixTooDeep(prefix, PREFIX_SEGMENTS_MAX)


def _check_hosted(existing: RegisteredPrefix) -> None:
    if existing.delegated_to is not None:
        raise PrefixDelegated(existing.prefix)


async def _take(transaction: Transaction, existing: RegisteredPrefix, step: Step) -> OutcomeKind:
    status = lifecycle.after(existing.prefix, existing.status, step)
    if status is existing.status:
        return OutcomeKind.SAME
    await transaction.execute(_SQL["set_status"], existing.prefix.key, status)
    await announce(transaction, has_prefixes=True)
    return OutcomeKind.CHANGED


def _registered(row: asyncpg.Record) -> RegisteredPrefix:
    site, code = row["delegated_to"], row["code"]
    return RegisteredPrefix(
        prefix=Prefix(row["key"].decode()),
        status=PrefixStatus(row["status"]),
        folds_suffix=row["folds_suffix"],
        delegated_to=None if site is None else decode_site(site),
        enterprise=None if code is None else Enterprise(row["name"], code),
        changed_at=row["changed_at"],
    )


async def _find(transaction: Transaction, prefix: Prefix) -> RegisteredPrefix | None:
    rows = await transaction.fetch(_SQL["get"], prefix.key)
    return _registered(rows[0]) if rows else None


def _check_same(existing: RegisteredPrefix, wanted: RegisteredPrefix, enterprise: str | None) -> None:
    owner = existing.enterprise.name if existing.enterprise else None
    if owner != enterprise:
        raise PrefixTaken(existing.prefix, "enterprise")
    if existing.delegated_to != wanted.delegated_to:
        raise PrefixTaken(existing.prefix, "delegated_to")
    if existing.folds_suffix != wanted.folds_suffix:
        raise PrefixTaken(existing.prefix, "folds_suffix")


async def _check_case_rule(transaction: Transaction, wanted: RegisteredPrefix) -> None:
    """Refuse a prefix whose case rule would hide the records that are stored below it already."""
    if wanted.folds_suffix == await _folds_so_far(transaction, wanted.prefix):
        return
    ((has_records,),) = await transaction.fetch(_SQL["has_records"], *key_range(wanted.prefix))
    if has_records:
        raise PrefixHoldsRecords(wanted.prefix)


async def _folds_so_far(transaction: Transaction, prefix: Prefix) -> bool:
    ancestors = [await _find(transaction, each) for each in prefix.lineage()]
    return next((ancestor.folds_suffix for ancestor in ancestors if ancestor), False)


async def _insert(transaction: Transaction, wanted: RegisteredPrefix, enterprise: str | None) -> None:
    owner = await find_or_make(transaction, enterprise, wanted.prefix.name) if enterprise is not None else None
    await transaction.execute(
        _SQL["add"],
        wanted.prefix.key,
        owner.code if owner else None,
        wanted.folds_suffix,
        None if wanted.delegated_to is None else encode_site(wanted.delegated_to),
    )
