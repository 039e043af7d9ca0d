"""No sequence of commands by one enterprise changes, lists or reads what is another's and does not name it."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from random import Random

import pytest

from handle_protocol.record import HandleRecord
from resolver.administration.commands import ListHandles, ReadValues
from resolver.administration.outcomes import Done, Listed, ValuesRead
from tests.reliability.scale import IS_LONG
from tests.unit.resolver.administration.administered_world import AdministeredWorld
from tests.unit.resolver.administration.tenants import Trial, is_kept, make_world, maker_of, opened_records

BLOCK_SEQUENCES = 500
BLOCKS = 200 if IS_LONG else 1
"""100 000 sequences with IDNODE_TEST_LONG=1."""

STEPS = 10


class Watch:
    """What is the victim's before a step of the attacker, and whether it still is afterwards."""

    def __init__(self, world: AdministeredWorld, trial: Trial) -> None:
        self.trial = trial
        self.before = dict(world.register.records)

    @cached_property
    def opened(self) -> frozenset[bytes]:
        return opened_records(self.before, self.trial.attacker, self.trial.victim)

    def check(self, world: AdministeredWorld, command: object, outcome: object) -> None:
        after = world.register.records
        if after != self.before:
            for key in {*self.before, *after}:
                self._check_change(self.before.get(key), after.get(key))
        match command, outcome:
            case ListHandles(prefix=prefix), Listed():
                assert prefix.name in self.trial.attacker.prefixes or prefix.handle.key() in self.opened
            case ReadValues(query=query), ValuesRead(record=record):
                is_open = not self.trial.victim.owns(query.handle, self.trial.attacker)
                assert is_open or query.handle.key() in self.opened or all(value.is_public for value in record.values)

    def _check_change(self, before: HandleRecord | None, after: HandleRecord | None) -> None:
        handle = (before or after).handle
        if before == after or not self.trial.victim.owns(handle, self.trial.attacker):
            return
        decisive = handle.key() if before is not None else maker_of(handle).key()
        assert decisive in self.opened or is_kept(before, after)


async def run_sequence(seed: int, counts: Counter[object]) -> None:
    trial = Trial(Random(seed))  # noqa: S311 - a trial has to come out the same again
    world = make_world()
    for _ in range(STEPS):
        is_attack = trial.random.random() < 0.7
        command, claim = trial.attack() if is_attack else trial.work()
        watch = Watch(world, trial) if is_attack else None
        outcome = await world.perform(command, claim)
        is_good = isinstance(outcome, Done | Listed | ValuesRead)
        counts[is_attack, is_good] += 1
        if watch is not None:
            try:
                watch.check(world, command, outcome)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {claim} may {command}: {outcome}") from error


@pytest.mark.parametrize("block", range(BLOCKS))
async def test_no_sequence_of_commands_crosses_from_one_enterprise_to_another(block) -> None:
    counts: Counter[object] = Counter()
    for number in range(BLOCK_SEQUENCES):
        await run_sequence(block * BLOCK_SEQUENCES + number, counts)
    # A trial in which nobody succeeds at anything would prove nothing.
    assert counts[False, True] > BLOCK_SEQUENCES
    assert counts[True, True] > BLOCK_SEQUENCES / 4
