"""A started node that clients nobody here wrote can ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue
from registry.database import Database
from registry.prefixes import PrefixStore
from registry.records import RecordStore
from tests.builders import text_value
from tests.conformance.seeded import SERVER_ADMINISTRATORS, seed
from tests.started_node import StartedNode

PICTURE = bytes.fromhex("89504e470d0a1a0a") + bytes(range(256))

RECORDS = (
    HandleRecord.of(
        Handle("88.118.8/JXDY2106023"),
        (
            text_value(1, "URL", "https://tools.example.cn/JXDY2106023"),
            text_value(2000, "名称", "锂电冲击扳手"),
            text_value(2001, "型号", "DCPB18-350"),
            HandleValue(3000, "图片", PICTURE),
            HandleValue(100, "内部价", "不公开".encode(), permissions=12),
        ),
    ),
    HandleRecord.of(Handle("88.118.8/批次/2024年 一号"), (text_value(2000, "名称", "含斜线与空格的后缀"),)),
)


@pytest_asyncio.fixture(scope="session")
async def node(server_data_dir: Path) -> AsyncIterator[StartedNode]:
    """A node with usual settings, but for how soon it tires of those who guess and wait."""
    settings = SERVER_ADMINISTRATORS | {"IDNODE_AUTHENTICATION_FAILURES_MAX": "1000", "IDNODE_CHALLENGE_SECONDS": "6"}
    with StartedNode.run(server_data_dir / "asked", settings) as node:
        async with Database.open(node.database_url) as database:
            await PrefixStore(database).add(Prefix.parse("88.118.8"), enterprise="南通锂电工具有限公司（示例）")
            await RecordStore(database).put(RECORDS)
        await seed(node)
        yield node
        assert "Traceback" not in node.printed()
