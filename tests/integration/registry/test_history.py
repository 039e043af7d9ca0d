"""Who changed which records, listed and undone, on each real Postgres."""

from __future__ import annotations

import time

import pytest
import pytest_asyncio

from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import ChangeResult, HandleRecord, RecordChange, encode_value_list
from handle_protocol.value import HandleValue
from registry import history
from registry.changing import RecordWriter
from registry.database import Database
from registry.history import HistoryEntry, HistoryReader, Undoing, UndoResult
from registry.prefixes import PrefixStore
from registry.records import RecordReader, RecordStore

THIEF, OWNER, ACCOMPLICE = "300:0.NA/88.118.8", "301:0.NA/88.118", "302:0.NA/88.118"
RESTORED, SAME, CONFLICT = UndoResult


def values(text: str) -> bytes:
    return encode_value_list((HandleValue(1, "名称", text.encode(), modified_at=7),))


class World:
    """A register in which two identities write."""

    def __init__(self, database: Database, reading: Database) -> None:
        self.writer = RecordWriter(database)
        self.reader = RecordReader(reading)
        self.history = HistoryReader(reading)
        self.undoing = Undoing(database)

    async def write(self, identity: str, **texts: str | None) -> None:
        for name, text in texts.items():
            handle = Handle(f"88.118/{name}")
            found = (await self.reader.fetch([handle.key()])).get(handle.key())
            revision = found.revision if found else 0
            change = RecordChange(handle, None if text is None else values(text), revision, identity)
            ((result, _),) = await self.writer.apply([change])
            assert result is ChangeResult.DONE

    async def undo(self, since: float, *identities: str) -> dict[str, UndoResult]:
        undone = self.undoing.undo(identities or (THIEF,), since)
        return {handle.suffix: result async for handle, result in undone}

    async def texts(self) -> dict[str, str]:
        return {each.handle.suffix: each.values[0].data.decode() async for each in self.reader.walk()}


@pytest_asyncio.fixture
async def world(database: Database, reading: Database, prefixes: PrefixStore) -> World:
    assert prefixes
    return World(database, reading)


async def test_what_one_identity_did_is_listed_with_what_was_there_before(world: World) -> None:
    await world.write(OWNER, 扳手="一")
    since = time.time()
    await world.write(THIEF, 扳手="二", 泵="三")
    await world.write("300:88.118.8", 泵=None)
    await world.write("300:0.na/88.118.8", 泵="四")

    entries = [each async for each in world.history.walk([THIEF], since)]
    wrench, pump = Handle("88.118/扳手"), Handle("88.118/泵")
    at = [each.at for each in entries]
    assert entries == [
        HistoryEntry(at[0], wrench, 2, values("一")),
        HistoryEntry(at[1], pump, 1, None),
        HistoryEntry(at[2], pump, 2, values("三")),
        HistoryEntry(at[3], pump, 3, None),
    ]
    moments = [since, *at, time.time()]
    assert moments == sorted(moments)
    assert [each async for each in world.history.walk([THIEF], at[-1] + 1)] == []
    assert [each async for each in world.history.walk(["300:0.NA/88.118.80"], 0)] == []


async def test_what_was_refused_or_conflicted_has_no_history(world: World) -> None:
    await world.writer.apply([RecordChange(Handle(name), values("无"), 4, THIEF) for name in ("88.118/a", "99.1/a")])
    assert [each async for each in world.history.walk([THIEF], 0)] == []


async def test_undoing_restores_what_only_that_identity_changed_and_reports_the_rest(
    world: World, store: RecordStore, prefixes: PrefixStore
) -> None:
    await world.write(OWNER, 改="原", 删="原", 争="原", 导="原", 复="原")
    since = time.time()
    await world.write(THIEF, 改="贼", 删=None, 建="贼", 争="贼", 导="贼", 复="贼", 建又删="贼")
    await world.write(THIEF, 改="贼又改", 复="原", 建又删=None)
    await world.write(OWNER, 争="主人")
    await store.put([HandleRecord(Handle("88.118/导"), values("导入"))])
    await prefixes.suspend(Prefix("88.118"))

    expected = {
        "改": RESTORED,
        "删": RESTORED,
        "建": RESTORED,
        "争": CONFLICT,
        "导": CONFLICT,
        "复": SAME,
        "建又删": SAME,
    }
    assert await world.undo(since) == expected
    assert await world.texts() == {"改": "原", "删": "原", "争": "主人", "导": "导入", "复": "原"}
    found = await world.reader.fetch(["88.118/改".encode(), "88.118/删".encode()])
    assert sorted(each.revision for each in found.values()) == [3, 4]

    again = {name: SAME if result is RESTORED else result for name, result in expected.items()}
    assert await world.undo(since) == again


async def test_several_identities_are_one_party_with_what_was_undone_of_it_before(world: World) -> None:
    """A thief who has made a key of their own changes the same records by both."""
    await world.write(OWNER, 改="原", 再="原", 争="原")
    since = time.time()
    await world.write(THIEF, 改="贼", 再="贼", 争="贼")
    await world.write(ACCOMPLICE, 改="贼又改", 再="贼又改")
    await world.write(OWNER, 争="主人")
    assert await world.undo(since, ACCOMPLICE) == {"改": RESTORED, "再": RESTORED}
    assert await world.undo(since, THIEF) == {"改": CONFLICT, "再": CONFLICT, "争": CONFLICT}
    assert await world.undo(since, ACCOMPLICE, THIEF) == {"改": RESTORED, "再": RESTORED, "争": CONFLICT}
    assert await world.texts() == {"改": "原", "再": "原", "争": "主人"}
    listed = [each async for each in world.history.walk([THIEF, ACCOMPLICE], since)]
    assert [each.handle.suffix for each in listed] == ["改", "再", "争", "改", "再"]


async def test_a_record_comes_back_as_it_was_spelled(world: World) -> None:
    lower, upper = Handle("88.118.abc/轴"), Handle("88.118.ABC/轴")
    await world.writer.apply([RecordChange(lower, values("一"), 0, OWNER)])
    since = time.time()
    await world.writer.apply([RecordChange(upper, None, 1, THIEF)])

    assert [each async for each in world.undoing.undo([THIEF], since)] == [(lower, RESTORED)]
    assert await world.reader.fetch([upper.key()]) == {upper.key(): HandleRecord(lower, values("一"), 3)}


async def test_each_record_is_undone_once_however_many_pages_its_changes_fill(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_ENTRIES", 3)
    names = [f"零件{number}" for number in range(7)]
    await world.write(OWNER, **dict.fromkeys(names, "原"))
    since = time.time()
    for turn in range(3):
        await world.write(THIEF, **dict.fromkeys(names, f"贼{turn}"))

    assert len([each async for each in world.history.walk([THIEF], since)]) == 21
    undone = [(handle.suffix, result) async for handle, result in world.undoing.undo([THIEF], since)]
    assert sorted(undone) == [(name, RESTORED) for name in names]
    assert await world.texts() == dict.fromkeys(names, "原")
