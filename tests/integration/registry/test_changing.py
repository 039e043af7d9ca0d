"""Decided changes, on each real Postgres: no update is lost, whoever else writes."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import pytest_asyncio

from handle_protocol.handle import Handle, Prefix
from handle_protocol.limits import VALUE_LIST_OCTETS_MAX
from handle_protocol.predefined.site import Site
from handle_protocol.record import ChangeResult, HandleRecord, RecordChange, encode_value_list
from handle_protocol.value import HandleValue
from registry.changes import Change, ChangeFeed
from registry.changing import CHANGES_MAX, RecordWriter
from registry.database import Database
from registry.prefixes import PrefixStore
from registry.records import RecordReader, RecordStore

ADMINISTRATOR = "300:0.NA/88.118.8"
DONE, CONFLICT = ChangeResult.DONE, ChangeResult.CONFLICT
WRENCH = "88.118.8/JXDY2106023"


@pytest_asyncio.fixture
async def writer(database: Database, prefixes: PrefixStore) -> RecordWriter:
    assert prefixes
    return RecordWriter(database)


def values(*texts: str) -> bytes:
    made = (HandleValue(2000 + place, "NAME", text.encode(), modified_at=7) for place, text in enumerate(texts))
    return encode_value_list(tuple(made))


def change(name: str, text: str | None, expected: int = 0, identity: str = ADMINISTRATOR) -> RecordChange:
    return RecordChange(Handle(name), None if text is None else values(text), expected, identity)


async def stored(reader: RecordReader, name: str) -> HandleRecord | None:
    key = Handle(name).key()
    return (await reader.fetch([key])).get(key)


async def test_a_record_is_made_changed_deleted_and_made_again_along_one_line_of_revisions(
    writer: RecordWriter, reader: RecordReader
) -> None:
    assert await writer.apply([change(WRENCH, "锂电冲击扳手")]) == [(DONE, 1)]
    assert await stored(reader, WRENCH) == HandleRecord(Handle(WRENCH), values("锂电冲击扳手"), 1)
    assert await writer.apply([change(WRENCH, "冲击扳手", 1)]) == [(DONE, 2)]
    assert await writer.apply([change(WRENCH, None, 2)]) == [(DONE, 3)]
    assert await writer.apply([change(WRENCH, "又来", 2)]) == [(CONFLICT, 3)]
    assert await writer.apply([change(WRENCH, "又来")]) == [(DONE, 4)]
    assert await stored(reader, WRENCH) == HandleRecord(Handle(WRENCH), values("又来"), 4)


@pytest.mark.parametrize("expected", [0, 1, 3])
@pytest.mark.parametrize("text", ["新", None])
async def test_what_was_decided_upon_another_revision_changes_nothing(
    writer: RecordWriter, reader: RecordReader, expected: int, text: str | None
) -> None:
    await writer.apply([change(WRENCH, "一")])
    await writer.apply([change(WRENCH, "二", 1)])

    assert await writer.apply([change(WRENCH, text, expected)]) == [(CONFLICT, 2)]
    assert await stored(reader, WRENCH) == HandleRecord(Handle(WRENCH), values("二"), 2)


async def test_what_is_not_there_can_neither_be_deleted_nor_changed(writer: RecordWriter) -> None:
    assert await writer.apply([change(WRENCH, None), change("88.118/a", "甲", 1)]) == [(CONFLICT, 0)] * 2
    await writer.apply([change(WRENCH, "一")])
    await writer.apply([change(WRENCH, None, 1)])
    assert await writer.apply([change(WRENCH, None)]) == [(CONFLICT, 2)]


async def test_each_change_of_a_transaction_has_its_own_result(
    writer: RecordWriter, prefixes: PrefixStore, reader: RecordReader
) -> None:
    await prefixes.add(Prefix("88.118.1"))
    await prefixes.suspend(Prefix("88.118.1"))
    await prefixes.add(Prefix("88.118.2"), delegated_to=Site(()))
    too_long = RecordChange(Handle("88.118/长"), bytes(VALUE_LIST_OCTETS_MAX + 1), 0, "")

    assert await writer.apply(
        [
            change("88.118/b", "乙"),
            change("88.118.1/x", "停"),
            change("88.118.2/x", "托管"),
            change("99.1/x", "别家"),
            too_long,
            change("88.118/B", "大写"),
            change("88.118.2", "前缀标识"),
            change("88.118/b", "重复"),
            change("88.118/a", "甲", 5),
        ]
    ) == [
        (DONE, 1),
        (ChangeResult.SUSPENDED, 0),
        (ChangeResult.DELEGATED, 0),
        (ChangeResult.NOT_OURS, 0),
        (ChangeResult.TOO_LONG, 0),
        (DONE, 1),
        (DONE, 1),
        (CONFLICT, 0),
        (CONFLICT, 0),
    ]
    assert [str(each.handle) async for each in reader.walk()] == ["88.118.2", "88.118/B", "88.118/b"]


async def test_a_living_record_keeps_its_spelling_and_a_new_one_has_its_own(
    writer: RecordWriter, reader: RecordReader
) -> None:
    upper, lower = "88.118.ABC/x", "88.118.abc/x"
    await writer.apply([change(lower, "一")])
    await writer.apply([change(upper, "二", 1)])
    assert await stored(reader, upper) == HandleRecord(Handle(lower), values("二"), 2)
    await writer.apply([change(lower, None, 2)])
    await writer.apply([change(upper, "三")])
    assert await stored(reader, upper) == HandleRecord(Handle(upper), values("三"), 4)


async def test_no_changes_are_no_work_and_too_many_are_an_error_of_the_caller(writer: RecordWriter) -> None:
    assert await writer.apply([]) == ()
    with pytest.raises(ValueError, match="at most 1000"):
        await writer.apply([change(WRENCH, "多")] * (CHANGES_MAX + 1))


async def test_two_writers_racing_for_one_record_lose_no_increment(writer: RecordWriter, reader: RecordReader) -> None:
    await writer.apply([change(WRENCH, "0")])

    async def count(times: int) -> None:
        while times:
            found = await stored(reader, WRENCH)
            assert found is not None
            number = int(found.values[0].data) + 1
            ((result, _),) = await writer.apply([change(WRENCH, str(number), found.revision)])
            times -= result is DONE

    await asyncio.gather(count(100), count(100))
    assert await stored(reader, WRENCH) == HandleRecord(Handle(WRENCH), values("200"), 201)


async def test_of_many_who_make_one_handle_one_succeeds(writer: RecordWriter) -> None:
    results = await asyncio.gather(*(writer.apply([change(WRENCH, str(number))]) for number in range(16)))
    assert Counter(result for ((result, _),) in results) == {DONE: 1, CONFLICT: 15}


async def test_what_is_decided_and_what_is_imported_never_wait_for_each_other_in_a_circle(
    writer: RecordWriter, store: RecordStore, reader: RecordReader
) -> None:
    names = [f"88.118/{number:03}" for number in range(150)]

    async def decide(turns: int) -> Counter[ChangeResult]:
        results: Counter[ChangeResult] = Counter()
        for turn in range(turns):
            found = await reader.fetch([name.encode() for name in names])
            revisions = {key.decode(): each.revision for key, each in found.items()}
            changes = [change(name, str(turn), revisions.get(name, 0)) for name in reversed(names)]
            results.update(result for result, _ in await writer.apply(changes))
        return results

    async def bring_in(turns: int) -> None:
        for turn in range(turns):
            await store.put([HandleRecord(Handle(name), values(f"导入 {turn}")) for name in names])
            await store.delete([Handle(name) for name in names[turn::7]])

    ours, theirs, *_ = await asyncio.gather(decide(12), decide(12), bring_in(8), bring_in(8))
    assert (ours + theirs).total() == 2 * 12 * 150
    assert (ours + theirs)[DONE] > 0


async def test_every_follower_hears_of_what_was_done_and_of_nothing_else(
    writer: RecordWriter, reading: Database
) -> None:
    feed = ChangeFeed(reading).follow()
    assert [await anext(feed), await anext(feed)] == [(), []]
    await writer.apply([change("88.118/x", "冲突", 5)])
    await writer.apply([change("88.118/b", "乙"), change("88.118/a", "甲"), change("88.118/x", "冲突", 5)])

    heard = [each for _ in range(2) for each in await anext(feed)]
    assert [Change(sorted(each.record_keys), each.has_prefixes) for each in heard] == [
        Change([b"88.118/a", b"88.118/b"])
    ]
    await feed.aclose()


async def test_a_connection_that_dies_while_it_waits_is_an_outage_and_the_same_again_is_safe(
    database: Database, writer: RecordWriter, reader: RecordReader
) -> None:
    await writer.apply([change(WRENCH, "一")])
    async with database.transaction() as other:
        await other.execute("select from record for update")
        ours = asyncio.create_task(writer.apply([change(WRENCH, "二", 1), change("88.118/新", "新")]))
        await asyncio.sleep(0.3)
        await other.fetch("select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'")
        with pytest.raises(ConnectionError):
            await ours

    assert await stored(reader, "88.118/新") is None
    again = [change(WRENCH, "二", 1), change("88.118/新", "新")]
    assert await writer.apply(again) == [(DONE, 2), (DONE, 1)]
    assert await writer.apply(again) == [(CONFLICT, 2), (CONFLICT, 1)]


async def test_a_writer_that_waits_too_long_hears_of_it(database_url: str, writer: RecordWriter) -> None:
    await writer.apply([change(WRENCH, "一")])
    async with Database.open(database_url, timeout_seconds=0.3) as hurried, Database.open(database_url) as slow:
        async with slow.transaction() as other:
            await other.execute("select from record for update")
            with pytest.raises(TimeoutError):
                await RecordWriter(hurried).apply([change(WRENCH, "二", 1)])
        assert await RecordWriter(hurried).apply([change(WRENCH, "二", 1)]) == [(DONE, 2)]
