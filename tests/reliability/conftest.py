"""Two started nodes with some records: one that is attacked, and one whose processes are killed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from handle_protocol.handle import Prefix
from registry.database import Database
from registry.prefixes import PrefixStore
from registry.records import RecordStore
from tests.reliability.honest import RECORDS
from tests.reliability.scale import DEADLINES
from tests.started_node import StartedNode


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder that the account of the bundled Postgres can reach, with a path short enough for its socket."""
    folder = Path(tempfile.mkdtemp(prefix="idnode-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session")
async def node(short_folder: Path) -> AsyncIterator[StartedNode]:
    """A node under attack from outside: none of its processes may end."""
    with StartedNode.run(short_folder / "attacked", DEADLINES) as node:
        await fill(node)
        processes = node.workers
        yield node
        assert node.workers == processes
        assert "Traceback" not in node.printed()


@pytest_asyncio.fixture(scope="session")
async def fragile(short_folder: Path) -> AsyncIterator[StartedNode]:
    """A node of which tests kill parts; each test leaves it whole."""
    with StartedNode.run(short_folder / "fragile") as node:
        await fill(node)
        yield node


@pytest_asyncio.fixture
async def register(node: StartedNode) -> AsyncIterator[Database]:
    """The register of the attacked node."""
    async with Database.open(node.database_url) as database:
        yield database


async def fill(node: StartedNode) -> None:
    """Give a node the records that honest clients ask for."""
    async with Database.open(node.database_url) as database:
        await PrefixStore(database).add(Prefix.parse("88.118.8"), enterprise="南通锂电工具有限公司（示例）")
        await RecordStore(database).put(RECORDS)
