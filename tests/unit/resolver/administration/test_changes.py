"""Changes that travel together."""

from __future__ import annotations

import asyncio

import pytest

from handle_protocol.handle import Handle
from handle_protocol.record import NO_VALUES
from resolver.administration.changes import BATCH_CHANGES_MAX, WAITING_CHANGES_MAX, Changes
from resolver.sources import ChangeResult, RecordChange
from tests.fakes.memory_register import MemoryRegister


class Writing:
    """Changes on their way to a register that is held shut until `open`."""

    def __init__(self) -> None:
        self.register = MemoryRegister()
        self.register.add_prefix("88.1")
        self.register.is_open.clear()
        self.changed: list[tuple[bytes, ...]] = []
        self.changes = Changes(self.register, lambda keys: self.changed.append(tuple(keys)))

    def apply(self, name: str, expected_revision: int = 0) -> asyncio.Task[object]:
        handle = Handle(f"88.1/{name}")
        change = RecordChange(handle, NO_VALUES, expected_revision, "300:88.1/管理员")
        return asyncio.get_running_loop().create_task(self.changes.apply(handle.key(), change))

    def batches(self) -> list[list[str]]:
        return [[change.handle.suffix for change in batch] for batch in self.register.transactions]


@pytest.fixture
def writing() -> Writing:
    return Writing()


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_while_a_transaction_is_under_way_forms_the_next(writing) -> None:
    tasks = [writing.apply("甲")]
    await turn()
    tasks += [writing.apply(name) for name in "乙丙丁"]
    await turn()
    assert writing.batches() == [["甲"]]
    writing.register.is_open.set()
    assert await asyncio.gather(*tasks) == [(ChangeResult.DONE, 1)] * 4
    assert writing.batches() == [["甲"], ["乙", "丙", "丁"]]
    assert writing.changed == [(Handle("88.1/甲").key(),), tuple(Handle(f"88.1/{name}").key() for name in "乙丙丁")]


async def test_changes_of_one_record_follow_one_another(writing) -> None:
    tasks = [writing.apply("甲", 0), writing.apply("甲", 1), writing.apply("乙"), writing.apply("甲", 1)]
    writing.register.is_open.set()
    results = await asyncio.gather(*tasks)
    assert writing.batches() == [["甲", "乙"], ["甲"], ["甲"]]
    assert results == [
        (ChangeResult.DONE, 1),
        (ChangeResult.DONE, 2),
        (ChangeResult.DONE, 1),
        (ChangeResult.CONFLICT, 2),
    ]
    assert writing.changed[-1] == ()


async def test_a_transaction_has_its_bound(writing) -> None:
    tasks = [writing.apply(f"泵{number}") for number in range(BATCH_CHANGES_MAX + 3)]
    writing.register.is_open.set()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in writing.batches()] == [BATCH_CHANGES_MAX, 3]


async def test_who_gives_up_before_their_turn_has_changed_nothing(writing) -> None:
    tasks = [writing.apply("甲")]
    await turn()
    tasks += [writing.apply("乙"), writing.apply("丙")]
    await turn()
    tasks[0].cancel()  # On its way already.
    tasks[1].cancel()
    writing.register.is_open.set()
    assert await tasks[2] == (ChangeResult.DONE, 1)
    assert writing.batches() == [["甲"], ["丙"]]


@pytest.mark.parametrize("outage", [ConnectionError("gone"), TimeoutError("slow"), RuntimeError("a bug")])
async def test_a_failure_is_told_to_everybody_who_waits_and_ends_there(outage, writing) -> None:
    tasks = [writing.apply("甲")]
    await turn()
    tasks.append(writing.apply("乙"))
    await turn()
    writing.register.outage = outage
    writing.register.is_open.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [outage, outage]
    assert writing.changed == [(Handle("88.1/甲").key(),)]  # It may have been stored.
    writing.register.outage = None
    assert await writing.apply("甲") == (ChangeResult.DONE, 1)


async def test_too_much_that_waits_is_turned_away(writing) -> None:
    tasks = [writing.apply("甲")]
    await turn()
    tasks += [writing.apply(f"泵{number}") for number in range(WAITING_CHANGES_MAX)]
    await turn()
    with pytest.raises(ConnectionError):
        await writing.apply("乙")
    writing.register.is_open.set()
    assert set(await asyncio.gather(*tasks)) == {(ChangeResult.DONE, 1)}
