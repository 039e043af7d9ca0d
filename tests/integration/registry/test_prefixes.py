"""The register of prefixes, and what it means for the records below them, on each real Postgres."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address

import pytest

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.site import InterfaceProtocol, InterfacePurpose, ServerInterface, Site, SiteServer
from handle_protocol.record import HandleRecord
from registry.changes import Change, ChangeFeed
from registry.database import Database
from registry.enterprises import Enterprise, EnterpriseReader, EnterpriseStore
from registry.errors import (
    EnterpriseTaken,
    PrefixHoldsRecords,
    PrefixTaken,
    PrefixTooDeep,
    PrefixUnknown,
)
from registry.lifecycle import PrefixStatus
from registry.outcomes import Outcome, OutcomeKind, RefusalReason
from registry.prefixes import PrefixReader, PrefixStore, PrefixWriter, RegisteredPrefix
from registry.records import RecordReader, RecordStore

CREATED, DELETED = Outcome(OutcomeKind.CREATED), Outcome(OutcomeKind.DELETED)
SUSPENDED = Outcome(OutcomeKind.REFUSED, RefusalReason.SUSPENDED)
DELEGATED = Outcome(OutcomeKind.REFUSED, RefusalReason.DELEGATED)
NOT_OURS = Outcome(OutcomeKind.REFUSED, RefusalReason.NOT_OURS)
SITE = Site(
    (
        SiteServer(
            1,
            IPv4Address("127.0.0.1"),
            interfaces=(ServerInterface(InterfacePurpose.QUERY, InterfaceProtocol.UDP, 2641),),
        ),
    )
)


def record(name: str) -> HandleRecord:
    return HandleRecord.of(Handle(name), ())


@pytest.fixture
def prefix_reader(reading: Database) -> PrefixReader:
    return PrefixReader(reading)


async def test_a_prefix_is_read_as_it_was_added(prefixes: PrefixStore, prefix_reader: PrefixReader) -> None:
    added = await prefixes.add(Prefix("88.118.8"), enterprise="德益制造", delegated_to=SITE, folds_suffix=True)

    first, second = await prefix_reader.load()
    assert added is OutcomeKind.CREATED
    assert first.enterprise == Enterprise("江西省标识解析二级节点", "88.118")
    assert second == RegisteredPrefix(
        Prefix("88.118.8"),
        folds_suffix=True,
        delegated_to=SITE,
        enterprise=Enterprise("德益制造", "88.118.8"),
        changed_at=second.changed_at,
    )
    assert second.changed_at >= first.changed_at > 1_700_000_000


async def test_adding_again_is_the_same_only_with_the_same_particulars(prefixes: PrefixStore) -> None:
    prefix = Prefix("88.118.9")
    await prefixes.add(prefix, enterprise="德益制造", delegated_to=SITE)

    assert await prefixes.add(prefix, enterprise="德益制造", delegated_to=SITE) is OutcomeKind.SAME
    for other, field in (
        ({"enterprise": "别家", "delegated_to": SITE}, "enterprise"),
        ({"enterprise": "德益制造"}, "delegated_to"),
        ({"enterprise": "德益制造", "delegated_to": SITE, "folds_suffix": True}, "folds_suffix"),
    ):
        with pytest.raises(PrefixTaken) as refused:
            await prefixes.add(prefix, **other)
        assert refused.value.field == field


async def test_an_enterprise_may_have_several_prefixes(prefixes: PrefixStore, database: Database) -> None:
    await prefixes.add(Prefix("88.118.0042"), enterprise="德益制造")
    await prefixes.add(Prefix("88.118.42"), enterprise="德益制造")

    assert await EnterpriseReader(database).load() == [
        Enterprise("江西省标识解析二级节点", "88.118"),
        Enterprise("德益制造", "88.118.0042"),
    ]


async def test_no_two_enterprises_have_one_code_or_one_name(prefixes: PrefixStore, database: Database) -> None:
    enterprises = EnterpriseStore(database)
    await enterprises.add(Enterprise("德益制造", "0042"))

    for other, field in ((Enterprise("别家", "0042"), "code"), (Enterprise("德益制造", "42"), "name")):
        with pytest.raises(EnterpriseTaken) as refused:
            await enterprises.add(other)
        assert refused.value.field == field
    await prefixes.add(Prefix("88.118.5"), enterprise="德益制造")


async def test_a_prefix_of_too_many_segments_is_refused(prefixes: PrefixStore) -> None:
    with pytest.raises(PrefixTooDeep):
        await prefixes.add(Prefix(".".join(["88"] * 17)))
    assert await prefixes.add(Prefix(".".join(["88"] * 16))) is OutcomeKind.CREATED


async def test_nothing_below_a_suspended_prefix_changes(
    prefixes: PrefixStore, store: RecordStore, prefix_reader: PrefixReader
) -> None:
    await store.put([record("88.118/a")])

    assert await prefixes.suspend(Prefix("88.118")) is OutcomeKind.CHANGED
    assert await prefixes.suspend(Prefix("88.118")) is OutcomeKind.SAME
    assert [each.is_suspended for each in await prefix_reader.load()] == [True]
    assert await store.put([record("88.118/a"), record("88.118.8/b")]) == [SUSPENDED, SUSPENDED]
    assert await store.delete([Handle("88.118/a")]) == [SUSPENDED]
    assert await prefixes.resume(Prefix("88.118")) is OutcomeKind.CHANGED
    assert await store.delete([Handle("88.118/a")]) == [DELETED]


async def test_an_unknown_prefix_cannot_be_suspended(prefixes: PrefixStore) -> None:
    with pytest.raises(PrefixUnknown):
        await prefixes.suspend(Prefix("88.118.8"))


async def test_below_a_delegated_prefix_one_can_only_clean_up(prefixes: PrefixStore, store: RecordStore) -> None:
    await store.put([record("88.118.8/old")])
    await prefixes.add(Prefix("88.118.8"), delegated_to=SITE)

    names = ["88.118.8/new", "88.118.8.1/new", "88.118.80/new", "88.118/new"]
    assert await store.put([record(name) for name in names]) == [DELEGATED, DELEGATED, CREATED, CREATED]
    assert await store.delete([Handle("88.118.8/old")]) == [DELETED]


@pytest.mark.parametrize(
    "name", ["88.1189/x", "88/x", "99.1/x", "88.118", "/x", "0.NA/", "0.NA/99.1", "0.TYPE/URL", "1."]
)
async def test_what_no_registered_prefix_covers_is_not_ours(store: RecordStore, name: str) -> None:
    outcome = CREATED if name == "88.118" else NOT_OURS
    assert await store.put([record(name), record("0.na/")]) == [outcome, NOT_OURS]


async def test_prefix_handles_of_ours_may_be_put_whoever_answers(
    prefixes: PrefixStore, store: RecordStore, reader: RecordReader
) -> None:
    await prefixes.add(Prefix("88.118.8"), delegated_to=SITE)
    await prefixes.suspend(Prefix("88.118"))

    assert await store.put([record("0.na/88.118"), record("88.118.8"), record("0.NA/88.118.8.1")]) == [CREATED] * 3
    found = await reader.fetch([b"0.NA/88.118", b"0.NA/88.118.8"])
    assert [str(each.handle) for _, each in sorted(found.items())] == ["0.na/88.118", "88.118.8"]


async def test_the_longest_prefix_says_whether_suffixes_fold(
    prefixes: PrefixStore, store: RecordStore, reader: RecordReader
) -> None:
    await prefixes.add(Prefix("88.118.8"), folds_suffix=True)
    await prefixes.add(Prefix("88.118.8.1"))

    names = ["88.118.8/Abc", "88.118.8.1/Abc", "88.118.8.2/Abc"]
    assert await store.put([record(name) for name in names]) == [CREATED] * 3
    assert await store.put([record("88.118.8/ABC")]) == [Outcome(OutcomeKind.SAME)]
    assert [record.handle.spelling async for record in reader.walk()] == [names[1], names[2], names[0]]
    assert (await reader.fetch([b"88.118.8/ABC"]))[b"88.118.8/ABC"].handle == Handle("88.118.8/Abc")


async def test_the_case_rule_cannot_change_above_stored_records(prefixes: PrefixStore, store: RecordStore) -> None:
    await store.put([record("88.118.8.1/Abc")])

    with pytest.raises(PrefixHoldsRecords):
        await prefixes.add(Prefix("88.118.8"), folds_suffix=True)
    assert await prefixes.add(Prefix("88.118.8")) is OutcomeKind.CREATED
    assert await prefixes.add(Prefix("88.118.80"), folds_suffix=True) is OutcomeKind.CREATED


async def test_a_name_of_a_thousand_segments_costs_little(store: RecordStore) -> None:
    names = [f"88.118.{'.'.join('abcdefgh') * 60}/{number}" for number in range(100)]
    assert await asyncio.wait_for(store.put([record(name) for name in names]), 5) == [CREATED] * 100


async def test_a_suspension_waits_for_the_writer_before_it_and_stops_the_one_after_it(
    database: Database, prefixes: PrefixStore, store: RecordStore
) -> None:
    async with asyncio.TaskGroup() as tasks, database.transaction() as earlier:
        await earlier.execute("lock table prefix in share mode")
        suspension = tasks.create_task(prefixes.suspend(Prefix("88.118")))
        await asyncio.sleep(0.2)
        later = tasks.create_task(store.put([record("88.118/x")]))
        await asyncio.sleep(0.2)
        assert not suspension.done()
        assert not later.done()
    assert suspension.result() is OutcomeKind.CHANGED
    assert later.result() == [SUSPENDED]


async def test_a_prefix_handle_in_the_same_call_opens_no_way_below_a_delegated_prefix(
    prefixes: PrefixStore, store: RecordStore
) -> None:
    await prefixes.add(Prefix("88.118.8"), delegated_to=SITE)
    assert await store.put([record("88.118.8/x"), record("88.118.8")]) == [DELEGATED, CREATED]


async def test_a_prefix_is_homed_and_unhomed_and_its_records_stay(
    database: Database, prefix_reader: PrefixReader, store: RecordStore, reader: RecordReader
) -> None:
    writer, prefix = PrefixWriter(database), Prefix("88.118.8")
    assert [await writer.home(prefix), await writer.home(prefix)] == [True, False]
    await store.put([record("88.118.8/锂电")])

    assert [await writer.unhome(prefix), await writer.unhome(prefix)] == [True, False]
    assert [each.status for each in await prefix_reader.load()] == [PrefixStatus.ACTIVE, PrefixStatus.WITHDRAWN]
    names = ["88.118.8/新", "88.118.8.1/新", "0.NA/88.118.8", "88.118/新"]
    assert await store.put([record(name) for name in names]) == [NOT_OURS, NOT_OURS, NOT_OURS, CREATED]
    assert list(await reader.fetch([b"88.118.8/" + "锂电".encode()])) == [b"88.118.8/" + "锂电".encode()]
    assert await writer.home(prefix)
    assert await store.put([record("88.118.8/新")]) == [CREATED]


async def test_a_withdrawn_prefix_also_comes_back_when_the_operator_adds_it(
    database: Database, prefixes: PrefixStore, prefix_reader: PrefixReader
) -> None:
    writer = PrefixWriter(database)
    assert await writer.unhome(Prefix("88.118"))
    owner = "江西省标识解析二级节点"
    assert await prefixes.add(Prefix("88.118"), enterprise=owner) is OutcomeKind.CHANGED
    assert [(each.status, each.enterprise) for each in await prefix_reader.load()] == [
        (PrefixStatus.ACTIVE, Enterprise(owner, "88.118"))
    ]


async def test_over_the_wire_nobody_touches_what_is_the_operators_business(
    database: Database, prefixes: PrefixStore, prefix_reader: PrefixReader
) -> None:
    writer = PrefixWriter(database)
    await prefixes.add(Prefix("88.118.9"), delegated_to=SITE)
    await prefixes.suspend(Prefix("88.118"))

    for refused in (
        writer.home(Prefix("88.118.9")),
        writer.unhome(Prefix("88.118.9")),
        writer.unhome(Prefix("88.118")),
        writer.home(Prefix(".".join(["88"] * 17))),
    ):
        with pytest.raises(PermissionError):
            await refused
    assert not await writer.home(Prefix("88.118"))
    assert not await writer.unhome(Prefix("99.1"))
    assert [each.is_suspended for each in await prefix_reader.load()] == [True, False]


async def test_a_homed_prefix_has_the_case_rule_of_the_one_above_it(
    database: Database, prefixes: PrefixStore, prefix_reader: PrefixReader, store: RecordStore
) -> None:
    await prefixes.add(Prefix("88.118.8"), folds_suffix=True)
    await store.put([record("88.118.8.1/Abc")])

    assert await PrefixWriter(database).home(Prefix("88.118.8.1"))
    assert [each.folds_suffix for each in await prefix_reader.load()] == [False, True, True]


async def test_every_follower_hears_of_a_prefix_that_was_homed_or_unhomed(
    database: Database, reading: Database
) -> None:
    writer, feed = PrefixWriter(database), ChangeFeed(reading).follow()
    assert [await anext(feed), await anext(feed)] == [(), []]
    for act in (writer.home, writer.home, writer.unhome, writer.unhome, writer.home):
        await act(Prefix("88.200"))

    heard = [change for _ in range(2) for change in await anext(feed)]
    assert heard == [Change([], has_prefixes=True)] * 3
    await feed.aclose()
