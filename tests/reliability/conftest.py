"""Two started nodes with some records: one that is attacked, and one whose processes are killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Prefix
from handle_protocol.message import Message
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.prefixes import PrefixStore, PrefixWriter
from registry.records import RecordStore
from tests.reliability.enterprises import Enterprise
from tests.reliability.fleet import fleet
from tests.reliability.honest import RECORDS
from tests.reliability.scale import DEADLINES
from tests.started_node import StartedNode

HEARD_SECONDS = 10.0


@pytest_asyncio.fixture(scope="session")
async def node(server_data_dir: Path) -> AsyncIterator[StartedNode]:
    """A node under attack from outside: none of its processes may end."""
    with StartedNode.run(server_data_dir / "attacked", DEADLINES) as node:
        await fill(node)
        processes = node.workers
        yield node
        assert node.workers == processes
        assert "Traceback" not in node.printed()


@pytest_asyncio.fixture(scope="session")
async def fragile(server_data_dir: Path) -> AsyncIterator[StartedNode]:
    """A node of which tests kill parts; each test leaves it whole."""
    with StartedNode.run(server_data_dir / "fragile") as node:
        await fill(node)
        yield node


@pytest_asyncio.fixture(scope="session")
async def enterprise(node: StartedNode) -> Enterprise:
    """An enterprise of the attacked node, with a product."""
    return await settle(node, Enterprise.of("88.118.13"))


@pytest_asyncio.fixture(scope="session")
async def neighbour(node: StartedNode) -> Enterprise:
    """Another enterprise there, with the same product."""
    return await settle(node, Enterprise.of("88.118.130"))


@pytest_asyncio.fixture
async def register(node: StartedNode) -> AsyncIterator[Database]:
    """The register of the attacked node."""
    async with Database.open(node.database_url) as database:
        yield database


async def settle(node: StartedNode, enterprise: Enterprise, *records: HandleRecord) -> Enterprise:
    """Give an enterprise its place in the register of every worker; `records` come beside its own, or instead."""
    async with Database.open(node.database_url) as database:
        await place(database, enterprise, *records)
    await wait_until_known(node, enterprise)
    return enterprise


async def place(database: Database, enterprise: Enterprise, *records: HandleRecord) -> None:
    """Give an enterprise its place in the register; workers hear of it."""
    stored = {record.handle: record for record in (enterprise.description(), enterprise.product("水泵"), *records)}
    await PrefixWriter(database).home(enterprise.prefix)  # As over the wire: any octets can be a prefix there.
    await RecordStore(database).put(tuple(stored.values()))


async def wait_until_known(node: StartedNode, *enterprises: Enterprise) -> None:
    """Wait until every worker answers for enterprises."""
    async with fleet(node) as clients:
        for enterprise in enterprises:
            await clients.wait_until(f"{enterprise.prefix}/水泵", is_found, HEARD_SECONDS)


def is_found(answer: Message) -> bool:
    """Tell whether whoever answers has heard of the handle."""
    return answer.response_code == ResponseCode.SUCCESS


async def fill(node: StartedNode) -> None:
    """Give a node the records that honest clients ask for."""
    async with Database.open(node.database_url) as database:
        await PrefixStore(database).add(Prefix.parse("88.118.8"), enterprise="南通锂电工具有限公司（示例）")
        await RecordStore(database).put(RECORDS)
