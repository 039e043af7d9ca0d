"""The list of handles below a prefix, on each real Postgres."""

from __future__ import annotations

import pytest
import pytest_asyncio

from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import HandleRecord
from registry import handle_list
from registry.database import Database
from registry.handle_list import LISTED_MAX, HandleList
from registry.prefixes import PrefixStore
from registry.records import RecordStore

OURS = Prefix("88.118.8")
IN_ORDER = [
    "88.118.8/",
    "88.118.8/A",
    "88.118.8/Z",
    "88.118.8/a",
    "88.118.8/a/b",
    "88.118.8/é",
    "88.118.8/扳手",
    "88.118.8/泵",
]
ELSEWHERE = ["88.118.8.1/x", "88.118.80/x", "88.118/x", "88.118.8", "88.118.9/x"]


@pytest_asyncio.fixture
async def handles(store: RecordStore, reading: Database) -> HandleList:
    names = [*reversed(IN_ORDER), *ELSEWHERE, "88.118.8/删"]
    await store.put([HandleRecord.of(Handle(name), ()) for name in names])
    await store.delete([Handle("88.118.8/删")])
    return HandleList(reading)


@pytest.mark.parametrize("page", [1, 2, 3, 8, 100])
async def test_pages_follow_one_another_in_the_order_of_keys(handles: HandleList, page: int) -> None:
    listed: list[tuple[bytes, Handle]] = []
    after = b""
    while rows := await handles.list_handles(OURS, after, page):
        assert len(rows) <= page
        listed += rows
        after = rows[-1][0]
    assert listed == [(name.encode(), Handle(name)) for name in IN_ORDER]


async def test_handles_are_spelled_as_they_were_registered(
    handles: HandleList, prefixes: PrefixStore, store: RecordStore
) -> None:
    await prefixes.add(Prefix("88.118.ABC"), folds_suffix=True)
    await store.put([HandleRecord.of(Handle("88.118.abc/轴Ab"), ())])
    listed = await handles.list_handles(Prefix("88.118.ABC"), b"", 9)
    assert listed == [("88.118.ABC/轴AB".encode(), Handle("88.118.abc/轴Ab"))]


async def test_just_the_living_directly_below_are_counted(handles: HandleList) -> None:
    assert await handles.count_handles(OURS) == len(IN_ORDER)
    assert await handles.count_handles(Prefix("88.200")) == 0


async def test_beyond_the_bound_the_count_is_an_estimate(
    database: Database, handles: HandleList, store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put([HandleRecord.of(Handle(f"88.118.7/{number}"), ()) for number in range(3_000)])
    await database.fetch("analyze record")
    monkeypatch.setattr(handle_list, "COUNTED_MAX", 1_000)
    assert 1_500 < await handles.count_handles(Prefix("88.118.7")) < 6_000
    monkeypatch.setattr(handle_list, "COUNTED_MAX", 3_001)
    assert await handles.count_handles(Prefix("88.118.7")) == 3_000


async def test_too_many_at_once_are_an_error_of_the_caller(handles: HandleList) -> None:
    with pytest.raises(ValueError, match="at most 20000"):
        await handles.list_handles(OURS, b"", LISTED_MAX + 1)
