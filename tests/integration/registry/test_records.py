"""The contract of the reader and the store of records, on each real Postgres."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest

from handle_protocol.errors import MalformedMessage
from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import NO_VALUES, HandleRecord
from handle_protocol.value import HandleValue, ValueReference
from registry.database import Database
from registry.outcomes import Outcome, OutcomeKind, RefusalReason
from registry.records import CHANGE_RECORDS_MAX, RecordReader, RecordSource, RecordStore

CREATED, CHANGED, SAME = Outcome(OutcomeKind.CREATED), Outcome(OutcomeKind.CHANGED), Outcome(OutcomeKind.SAME)
DELETED, MISSING = Outcome(OutcomeKind.DELETED), Outcome(OutcomeKind.MISSING)
WRENCH = Handle("88.118.8/JXDY2106023")
NOW = 1_790_000_000


def record(handle: Handle | str, *values: HandleValue | str) -> HandleRecord:
    made = (
        value if isinstance(value, HandleValue) else HandleValue(2000 + number, "NAME", value.encode())
        for number, value in enumerate(values)
    )
    return HandleRecord.of(handle if isinstance(handle, Handle) else Handle(handle), made)


def refused(reason: RefusalReason) -> Outcome:
    return Outcome(OutcomeKind.REFUSED, reason)


async def fetch_one(reader: RecordReader, handle: Handle) -> HandleRecord | None:
    return (await reader.fetch([handle.key()])).get(handle.key())


async def test_a_record_is_read_as_it_was_put_and_its_values_are_stamped(
    store: RecordStore, reader: RecordReader
) -> None:
    assert await store.put([record(WRENCH, "锂电冲击扳手")]) == [CREATED]

    expected = record(WRENCH, HandleValue(2000, "NAME", "锂电冲击扳手".encode(), modified_at=NOW))
    assert await fetch_one(reader, WRENCH) == HandleRecord(WRENCH, expected.value_list, revision=1)


@pytest.mark.parametrize(
    "handle",
    [
        "88.118/\0",
        "88.118.8/零件/二号 A",
        "88.118/" + "长" * 680,
        "88.118/\U0001f600",
        "88.118/%s'\"\\",
        "88.118/" + "/" * 20,
    ],
)
async def test_any_utf8_is_a_handle(store: RecordStore, reader: RecordReader, handle: str) -> None:
    value = HandleValue(1, "数据\0", bytes(range(256)), references=(ValueReference(300, "0.NA/88.118"),), modified_at=7)
    put = record(handle, value)

    assert await store.put([put]) == [CREATED]
    assert await fetch_one(reader, put.handle) == HandleRecord(put.handle, put.value_list, 1)


@pytest.mark.parametrize("count", [0, 1, 2_048])
async def test_any_number_of_values_is_kept_in_order(store: RecordStore, reader: RecordReader, count: int) -> None:
    values = tuple(HandleValue(count - number, "URL", b"x" * 90, modified_at=9) for number in range(count))

    await store.put([HandleRecord.of(WRENCH, values)])
    found = await fetch_one(reader, WRENCH)
    assert found is not None
    assert found.values == values


async def test_octets_that_are_no_value_list_are_not_stored(store: RecordStore, reader: RecordReader) -> None:
    good = record(WRENCH, "好")

    for broken in (b"", b"\0\0\0\1", good.value_list + b"\0", good.value_list[:-1], b"\0\0\0\1" + b"\xff" * 40):
        with pytest.raises(MalformedMessage):
            await store.put([record("88.118/a"), HandleRecord(WRENCH, broken)])
    assert await reader.fetch([WRENCH.key(), b"88.118/a"]) == {}


async def test_a_record_that_no_message_can_carry_is_refused_and_the_others_are_stored(store: RecordStore) -> None:
    too_many = record("88.118/多", *["值"] * 2_049)
    too_long = record("88.118/长", HandleValue(1, "DESC", b"x" * 260_100))
    assert await store.put([too_many, record(WRENCH, "好"), too_long]) == [
        refused(RefusalReason.TOO_LONG),
        CREATED,
        refused(RefusalReason.TOO_LONG),
    ]


async def test_putting_again_changes_nothing_and_keeps_the_stamps(database: Database, reader: RecordReader) -> None:
    await _register(database, "88.118")
    first = RecordStore(database, clock=lambda: 100)
    later = RecordStore(database, clock=lambda: 200)
    await first.put([record(WRENCH, "扳手", "2106")])
    before = await fetch_one(reader, WRENCH)

    assert await later.put([record(WRENCH, "扳手", "2106")]) == [SAME]
    assert await fetch_one(reader, WRENCH) == before
    assert await later.put([record(WRENCH, "扳手", "2107")]) == [CHANGED]
    found = await fetch_one(reader, WRENCH)
    assert found is not None
    assert ([value.modified_at for value in found.values], found.revision) == ([100, 200], 2)


async def test_a_record_may_lose_all_its_values(store: RecordStore, reader: RecordReader) -> None:
    await store.put([record(WRENCH, "一", "二")])

    assert await store.put([record(WRENCH)]) == [CHANGED]
    assert await fetch_one(reader, WRENCH) == HandleRecord(WRENCH, bytes(4), 2)


async def test_values_in_another_order_are_a_change_that_keeps_stamps(store: RecordStore, reader: RecordReader) -> None:
    one, two = HandleValue(1, "A", b"1", modified_at=5), HandleValue(2, "B", b"2", modified_at=6)
    await store.put([record(WRENCH, one, two)])

    assert await store.put([record(WRENCH, HandleValue(2, "B", b"2"), HandleValue(1, "A", b"1"))]) == [CHANGED]
    found = await fetch_one(reader, WRENCH)
    assert found is not None
    assert found.values == (two, one)


async def test_outcomes_stand_in_the_order_of_the_records(store: RecordStore) -> None:
    await store.put([record("88.118/b", "旧"), record("88.118/c", "同")])

    outcomes = await store.put(
        [
            record("88.118/c", "同"),
            record("88.118/a", "新"),
            record("99.1/x", "别人的"),
            record("88.118/b", "改"),
            record("88.118/A", "另一个"),
            record("88.118/a", "再来"),
        ]
    )
    assert outcomes == [
        SAME,
        CREATED,
        refused(RefusalReason.NOT_OURS),
        CHANGED,
        CREATED,
        refused(RefusalReason.DUPLICATE),
    ]


async def test_the_registered_spelling_stays(store: RecordStore, reader: RecordReader) -> None:
    await store.put([record("88.118.abc/x", "一")])

    assert await store.put([record("88.118.ABC/x", "二")]) == [CHANGED]
    found = await reader.fetch([b"88.118.ABC/x"])
    assert found[b"88.118.ABC/x"].handle == Handle("88.118.abc/x")


async def test_a_deleted_record_is_gone_and_goes_on_when_it_comes_back(
    store: RecordStore, reader: RecordReader, database: Database
) -> None:
    await store.put([record("88.118/a", "一")])

    assert await store.delete([Handle("88.118/a"), Handle("88.118/b")]) == [DELETED, MISSING]
    assert await reader.fetch([b"88.118/a"]) == {}
    deleted = HandleRecord(Handle("88.118/a"), NO_VALUES, 2, is_deleted=True)
    assert await RecordSource(database).fetch([b"88.118/a", b"88.118/b"]) == {b"88.118/a": deleted}
    assert await store.delete([Handle("88.118/a")]) == [MISSING]
    assert await store.put([record("88.118/a", "一")]) == [CREATED]
    assert (await reader.fetch([b"88.118/a"]))[b"88.118/a"].revision == 3


async def test_thousands_are_put_and_deleted_in_one_transaction(store: RecordStore, reader: RecordReader) -> None:
    records = [record(f"88.118/{number:05}", f"零件 {number}") for number in range(5_000)]
    await store.put(records[::7])

    outcomes = await store.put(records)
    assert [outcomes.count(kind) for kind in (CREATED, SAME)] == [5_000 - 715, 715]
    assert await store.delete([each.handle for each in records]) == [DELETED] * 5_000
    assert [each async for each in reader.walk()] == []


async def test_too_many_records_at_once_are_an_error_of_the_caller(store: RecordStore) -> None:
    with pytest.raises(ValueError, match="at most 100000"):
        await store.put([record(WRENCH)] * (CHANGE_RECORDS_MAX + 1))


async def test_a_large_change_with_large_records_is_cut_into_statements(store: RecordStore) -> None:
    values = [HandleValue(1, "FILE", bytes(250_000))]
    records = [HandleRecord.of(Handle(f"88.118/{number}"), values) for number in range(40)]

    assert await store.put(records) == [CREATED] * 40
    assert await store.put(records) == [SAME] * 40


async def test_walking_goes_in_key_order_and_stays_below_the_prefix(store: RecordStore, reader: RecordReader) -> None:
    names = ["88.118.8/b", "88.118.8/a", "88.118.8.1/x", "88.118.80/y", "88.118/z", "88.118.8/é"]
    await store.put([record(name) for name in names])

    assert [str(each.handle) async for each in reader.walk()] == sorted(names)
    below = ["88.118.8.1/x", "88.118.8/a", "88.118.8/b", "88.118.8/é"]
    assert [str(each.handle) async for each in reader.walk(Prefix("88.118.8"))] == below


async def test_the_records_that_describe_a_prefix_are_those_of_its_derived_prefixes_too(
    store: RecordStore, reader: RecordReader
) -> None:
    names = ["0.NA/88.118.8", "0.NA/88.118.8.1", "0.NA/88.118.80", "0.NA/88.118", "88.118.8/甲"]
    await store.put([record(name) for name in names])

    described = [str(each.handle) async for each in reader.walk_prefix_handles(Prefix("88.118.8"))]
    assert described == ["0.NA/88.118.8", "0.NA/88.118.8.1"]


async def test_walking_crosses_pages(store: RecordStore, reader: RecordReader) -> None:
    names = [f"88.118/{number:04}" for number in range(1_001)]
    await store.put([record(name) for name in names])

    assert [str(each.handle) async for each in reader.walk(Prefix("88.118"))] == names


async def test_the_number_of_records_can_be_estimated(
    database: Database, store: RecordStore, reader: RecordReader
) -> None:
    assert await reader.estimate_count() == 0
    await store.put([record(f"88.118/{number}") for number in range(200)])
    await database.fetch("analyze record")

    assert await reader.estimate_count() == 200


async def test_a_typical_record_takes_at_most_400_octets(database: Database, store: RecordStore) -> None:
    values = ["锂电冲击扳手", "https://www.example.cn/jxdy/JXDY2106023", "示例锂电工具有限公司"]
    for start in range(0, 20_000, 5_000):
        await store.put([record(f"88.118.8/JXDY2106{start + each:06}", *values) for each in range(5_000)])

    ((octets,),) = await database.fetch("select pg_total_relation_size('record')")
    assert octets / 20_000 <= 400


@pytest.mark.parametrize("second_is_reversed", [False, True])
async def test_concurrent_writers_of_the_same_keys_neither_deadlock_nor_lose_a_change(
    store: RecordStore, reader: RecordReader, *, second_is_reversed: bool
) -> None:
    async def write(writer: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for turn in range(6):
            records = [record(f"88.118/{number}", f"{writer} {turn} {number}") for number in range(300)]
            if second_is_reversed and writer % 2:
                records.reverse()
            outcomes += await store.put(records)
        return outcomes

    everything = [*chain(*await asyncio.gather(*map(write, range(4))))]
    assert (everything.count(CREATED), everything.count(CHANGED)) == (300, 300 * 23)
    found = await reader.fetch([f"88.118/{number}".encode() for number in range(300)])
    assert {each.revision for each in found.values()} == {24}
    assert len({each.values[0].data.split()[0] for each in found.values()}) == 1


async def test_writers_of_new_keys_in_opposite_orders_do_not_deadlock(store: RecordStore) -> None:
    for turn in range(8):
        records = [record(f"88.118/{turn}-{number}") for number in range(3_000)]
        one, other = await asyncio.gather(store.put(records), store.put(records[::-1]))
        assert Counter([*one, *other]) == {CREATED: 3_000, SAME: 3_000}


async def test_what_another_writer_stores_meanwhile_is_compared_again(
    database: Database, store: RecordStore, reader: RecordReader
) -> None:
    await store.put([record(WRENCH, "旧")])
    new = record(WRENCH, HandleValue(2000, "NAME", "新".encode(), modified_at=5))
    async with database.transaction() as other:
        await other.execute("select from record for update")
        ours = asyncio.create_task(store.put([record(WRENCH, "新")]))
        await asyncio.sleep(0.3)
        assert not ours.done()
        await other.execute("update record set value_list = $1, revision = 2", new.value_list)

    assert await ours == [SAME]
    assert await fetch_one(reader, WRENCH) == replace(new, revision=2)


async def test_concurrent_writers_and_deleters_leave_a_revision_for_each_change(
    store: RecordStore, reader: RecordReader
) -> None:
    handles = [Handle(f"88.118/{number}") for number in range(50)]

    async def put_and_delete(writer: int) -> list[Outcome]:
        done = await store.put([record(handle, str(writer)) for handle in handles])
        return [*done, *await store.delete(handles[:: -1 if writer % 2 else 1])]

    everything = [*chain(*await asyncio.gather(*map(put_and_delete, range(6))))]
    await store.put([record(handle, "完") for handle in handles])
    revisions = sum(each.revision for each in (await reader.fetch([handle.key() for handle in handles])).values())
    assert revisions == 50 + sum(outcome not in (SAME, MISSING) for outcome in everything)


async def _register(database: Database, name: str) -> None:
    await database.fetch("insert into prefix (key) values ($1)", name.encode())
