"""Imports into a real register: what is stored, what is refused, and what an outage leaves."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import HandleRecord
from load_tests.population import write
from node.embedded.postgres import EmbeddedPostgres
from node.input.errors_file import ErrorsFile
from node.input.importing import Import, ImportStopped, Tally
from node.input.input_file import InputFile
from node.input.problems import Problem, RowError, UnreadableFile
from node.input.reading_process import read_in_process
from registry.database import Database
from registry.migrate import migrate
from registry.outcomes import Outcome
from registry.prefixes import PrefixStore
from registry.records import RecordReader, RecordStore

PREFIXES = ("88.118.8", "88.118.9", "88.118.16")


@pytest_asyncio.fixture
async def register(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as database:
        await prepare(database)
        yield database


async def prepare(database: Database) -> None:
    await migrate(database)
    for prefix in PREFIXES:
        await PrefixStore(database).add(Prefix.parse(prefix))


async def run(database: Database, path: Path, rows: int = 1_000) -> tuple[Tally, list[RowError]]:
    errors: list[RowError] = []
    tally = await Import(RecordStore(database), errors.extend).run(read_in_process(InputFile.open(path), rows))
    return tally, errors


async def stored(database: Database, *handles: str) -> Sequence[HandleRecord]:
    records = await RecordReader(database).fetch([Handle(handle).key() for handle in handles])
    return list(records.values())


@pytest.mark.parametrize("name", ["products.csv", "products.ndjson"])
async def test_every_row_is_stored_and_a_second_time_changes_nothing(
    register: Database, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    write(5_500, path)
    assert await run(register, path) == (Tally(created=5_500, octets_read=path.stat().st_size), [])
    before = [record async for record in RecordReader(register).walk()]
    assert await run(register, path) == (Tally(same=5_500, octets_read=path.stat().st_size), [])
    assert [record async for record in RecordReader(register).walk()] == before
    assert len(before) == 5_500


async def test_what_csv_stores_ndjson_calls_the_same(register: Database, tmp_path: Path) -> None:
    for name in ("products.csv", "products.ndjson"):
        write(300, tmp_path / name)
        tally, _ = await run(register, tmp_path / name)
    assert (tally.same, tally.changed) == (300, 0)


async def test_good_rows_are_stored_and_bad_ones_named(register: Database, tmp_path: Path) -> None:
    await PrefixStore(register).suspend(Prefix.parse("88.118.16"))
    path = tmp_path / "轴承.csv"
    path.write_text(
        "handle,url,2000:名称\n"
        "88.118.9/6205-2RS,https://bearings.example.cn/6205-2RS,深沟球轴承\n"
        "88.999.1/6205,https://example.cn,别家的前缀\n"
        "88.118.9/6206,https://example.cn\n"
        "88.118.16/Z41H-16C,https://valves.example.cn,闸阀\n"
        "88.118.9/6207,https://bearings.example.cn/6207,深沟球轴承\n",
        encoding="utf-8",
    )
    tally, errors = await run(register, path)
    assert (tally.created, tally.failed, tally.rows) == (2, 3, 5)
    assert [(error.row, error.handle, error.problem) for error in errors] == [
        (3, "88.999.1/6205", Problem.PREFIX_NOT_OURS),
        (4, "88.118.9/6206", Problem.WRONG_COLUMN_COUNT),
        (5, "88.118.16/Z41H-16C", Problem.PREFIX_SUSPENDED),
    ]
    (record,) = await stored(register, "88.118.9/6205-2RS", "88.999.1/6205")
    assert [value.data.decode() for value in record.values] == ["https://bearings.example.cn/6205-2RS", "深沟球轴承"]


async def test_a_record_of_a_prefix_that_is_not_ours_names_that_prefix(register: Database, tmp_path: Path) -> None:
    path = tmp_path / "前缀.ndjson"
    path.write_text('{"handle": "0.NA/88.999.1", "values": [{"index": 1, "type": "名称", "data": "甲"}]}\n')
    _, (error,) = await run(register, path)
    assert error.reason.endswith("add it with: idnode prefix add 88.999.1")
    assert error.reason_zh.endswith("idnode prefix add 88.999.1")


async def test_a_changed_cell_changes_its_record_alone(register: Database, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("handle,2000:名称\n88.118.9/1,轴承\n88.118.9/2,轴承\n", encoding="utf-8")
    await run(register, path)
    path.write_text("handle,2000:名称\n88.118.9/1,轴承\n88.118.9/2,深沟球轴承\n88.118.9/3,轴承\n", encoding="utf-8")
    tally, _ = await run(register, path)
    assert (tally.created, tally.changed, tally.same) == (1, 1, 1)


async def test_a_file_that_cannot_be_read_says_so_from_its_process(register: Database, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("url\nhttps://example.cn\n")
    with pytest.raises(UnreadableFile) as caught:
        await run(register, path)
    assert caught.value.problem is Problem.HANDLE_NOT_FIRST
    assert "'url'" in caught.value.message.chinese


class GoneStore:
    """A register whose database does not answer any more after some batches."""

    def __init__(self, store: RecordStore, batches: int) -> None:
        self._store = store
        self._batches = batches

    async def put(self, records: Sequence[HandleRecord], /, *, are_stamped: bool) -> Sequence[Outcome]:
        if not self._batches:
            raise ConnectionRefusedError
        self._batches -= 1
        return await self._store.put(records, are_stamped=are_stamped)


async def test_an_import_that_gives_up_says_what_is_safe(register: Database, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    write(5_000, path)
    errors: list[RowError] = []
    unfinished = Import(GoneStore(RecordStore(register), 3), errors.extend, outage_seconds_max=0.3)
    with pytest.raises(ImportStopped) as caught:
        await unfinished.run(read_in_process(InputFile.open(path), 1_000))
    safe = unfinished.tally.created
    assert safe == sum([1 async for _ in RecordReader(register).walk()]) > 0
    assert str(safe) in caught.value.message.english
    tally, _ = await run(register, path)
    assert (tally.same, tally.created) == (safe, 5_000 - safe)


async def test_a_restart_of_postgres_in_the_middle_loses_and_doubles_nothing(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    write(12_000, path)
    server = EmbeddedPostgres(data_dir)
    await server.start()
    has_begun = asyncio.Event()
    waits = Counter[bool]()

    def watch(tally: Tally) -> None:
        waits[tally.is_waiting] += 1
        has_begun.set()

    async with Database.open(server.url) as database:
        await prepare(database)
        batches = read_in_process(InputFile.open(path), 500)
        importing = asyncio.create_task(Import(RecordStore(database), lambda _: None, watch).run(batches))
        await asyncio.wait_for(has_begun.wait(), 20)
        await server.stop()
        await asyncio.sleep(0.5)
        again = EmbeddedPostgres(data_dir)
        await again.start()
        tally = await asyncio.wait_for(importing, 60)
        assert tally.rows == tally.stored == 12_000
        assert waits[True]
        assert sum([1 async for _ in RecordReader(database).walk()]) == 12_000
    await again.stop()


async def test_errors_are_kept_beside_the_file_and_no_file_is_left_without_any(tmp_path: Path) -> None:
    imported = tmp_path / "products.csv"
    error = RowError(3, "88.118.9/1", "url", Problem.INVALID_URL)
    with ErrorsFile(imported) as kept:
        kept.write([error])
        (line,) = kept.path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "row": 3,
        "handle": "88.118.9/1",
        "field": "url",
        "reason": "a URL must not hold spaces, control characters or backslashes",
        "reason_zh": "URL 不得含有空格、控制字符或反斜杠",
    }
    with ErrorsFile(imported) as empty:
        pass
    assert not empty.path.exists()
