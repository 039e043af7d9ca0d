"""Which key each handle of a change has, and whether the prefix above it lets it be written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from handle_protocol.handle import Handle, Prefix
from registry.database import Transaction
from registry.lifecycle import PrefixStatus
from registry.outcomes import Outcome, OutcomeKind, RefusalReason
from registry.queries import queries

PREFIX_SEGMENTS_MAX: Final = 16
"""Ours: real prefixes have three to five. Bounds what has to be looked up for a name of a thousand segments."""

_SQL: Final = queries("prefixes")

HOLD_STILL: Final = _SQL["hold_still"]
"""The first statement of each transaction that places handles: what it learns of the prefixes holds until its end."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What holds for the handles below one prefix.

    Attributes:
        folds_suffix: whether suffixes are compared without regard to ASCII case.
        refusal: why nothing may be written, or None.
    """

    folds_suffix: bool
    refusal: RefusalReason | None


NOT_OURS: Final = Ground(folds_suffix=False, refusal=RefusalReason.NOT_OURS)
PREFIX_RECORD: Final = Ground(folds_suffix=False, refusal=None)
"""A prefix handle (0.NA/88.118.8) is ours to write even when the handles below that prefix are not."""

_PREFIX_HANDLE_SPELLINGS: Final = frozenset({"0.NA", "0.Na", "0.nA", "0.na"})
_BY_STATUS: Final[Mapping[PrefixStatus, RefusalReason | None]] = {
    PrefixStatus.ACTIVE: None,
    PrefixStatus.SUSPENDED: RefusalReason.SUSPENDED,
    PrefixStatus.WITHDRAWN: RefusalReason.NOT_OURS,
}
_UNDECIDED: Final = Outcome(OutcomeKind.MISSING)
_REFUSED: Final = {reason: Outcome(OutcomeKind.REFUSED, reason) for reason in RefusalReason}


@dataclass(frozen=True, slots=True)
class Placement:
    """The handles of one change by their keys.

    Attributes:
        positions: for each key that may be written, in key order, where its handle stands in the change.
        outcomes: one per handle: refused, or what is noted later.
    """

    positions: Mapping[bytes, int]
    outcomes: list[Outcome]

    def without(self, positions: Collection[int], reason: RefusalReason) -> Placement:
        """Return the placement in which the handles at `positions` are refused."""
        outcomes = list(self.outcomes)
        for position in positions:
            outcomes[position] = _REFUSED[reason]
        placed = {key: position for key, position in self.positions.items() if position not in positions}
        return Placement(placed, outcomes)

    def note(self, keys: Iterable[bytes], kind: OutcomeKind) -> None:
        """Say what became of `keys`."""
        outcome = Outcome(kind)
        for key in keys:
            self.outcomes[self.positions[key]] = outcome


async def place(
    transaction: Transaction, handles: Sequence[Handle], tolerated: RefusalReason | None = None
) -> Placement:
    """Find the place of each handle, which holds until `transaction` ends if that began with HOLD_STILL.

    A refusal for the `tolerated` reason is none. The first of several handles with one key is placed, the others are
    refused as duplicates.
    """
    grounds = await _load_grounds(transaction, handles)
    positions: dict[bytes, int] = {}
    outcomes = [_UNDECIDED] * len(handles)
    for position, (handle, ground) in enumerate(zip(handles, grounds, strict=True)):
        if ground.refusal is not None and ground.refusal is not tolerated:
            outcomes[position] = _REFUSED[ground.refusal]
        elif positions.setdefault(handle.key(folds_suffix=ground.folds_suffix), position) != position:
            outcomes[position] = _REFUSED[RefusalReason.DUPLICATE]
    return Placement({key: positions[key] for key in sorted(positions)}, outcomes)


async def _load_grounds(transaction: Transaction, handles: Sequence[Handle]) -> Sequence[Ground]:
    groups = [_group(handle) for handle in handles]
    samples = dict(zip(groups, handles, strict=True))
    registered = await _load_registered(transaction, samples.values())
    grounds = {group: _ground(handle, registered) for group, handle in samples.items()}
    return [grounds[group] for group in groups]


def _group(handle: Handle) -> str:
    """Name those handles for which the same holds: all with one spelled prefix, but each prefix handle alone."""
    spelling = handle.prefix_spelling
    # With its slash, though 88.118.8 may be spelled without one: that is the group of the handles below it.
    return f"{spelling}/{handle.suffix}" if spelling in _PREFIX_HANDLE_SPELLINGS else spelling


async def _load_registered(transaction: Transaction, handles: Iterable[Handle]) -> Mapping[Prefix, Ground]:
    candidates = {
        prefix.key: prefix
        for handle in handles
        for prefix in _deciding_prefix(handle).lineage()
        if prefix.name.count(".") < PREFIX_SEGMENTS_MAX
    }
    rows = await transaction.fetch(_SQL["rules"], list(candidates))
    return {
        candidates[row["key"]]: Ground(row["folds_suffix"], _refusal(row["status"], is_delegated=row["is_delegated"]))
        for row in rows
    }


def _refusal(status: str, *, is_delegated: bool) -> RefusalReason | None:
    return _BY_STATUS[PrefixStatus(status)] or (RefusalReason.DELEGATED if is_delegated else None)


def _ground(handle: Handle, registered: Mapping[Prefix, Ground]) -> Ground:
    lineage = _deciding_prefix(handle).lineage()
    longest = next((registered[prefix] for prefix in lineage if prefix in registered), NOT_OURS)
    is_ours = longest.refusal is not RefusalReason.NOT_OURS
    return PREFIX_RECORD if is_ours and handle.described_prefix else longest


def _deciding_prefix(handle: Handle) -> Prefix:
    return handle.described_prefix or handle.prefix
