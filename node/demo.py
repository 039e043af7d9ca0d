"""The demonstration: what a fresh node needs to have something to show, and what to try with it.

enterprise (invented)             prefix      products
南通锂电工具有限公司（示例）      88.118.8    lithium-battery power tools
常州轴承有限公司（示例）          88.118.9    bearings
盐城阀门有限公司（示例）          88.118.16   valves
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from shlex import quote
from typing import Final

from handle_protocol.handle import Prefix
from node.errors import NodeError, Text
from node.input.input_file import InputFile
from node.register import open_register
from node.running import RunningNode, default_demo_data_dir
from node.samples.manufacturers import MANUFACTURERS, Manufacturer
from registry.database import Database
from registry.errors import Refusal
from registry.prefixes import PrefixStore
from registry.records import RecordReader, RecordStore

BATCH_ROWS: Final = 10_000
"""Each sample file is one transaction: loaded or not."""


async def load_samples(database_url: str) -> int:
    """Register the sample manufacturers and their products; return how many products were stored.

    A manufacturer whose last product stands in the register is left as it is, so that what somebody changed while
    trying things out outlives a restart.

    Raises:
        NodeError: the database is gone, or one of the prefixes belongs to somebody else.
    """
    async with open_register(database_url) as database:
        try:
            return sum([await _load(database, manufacturer) for manufacturer in MANUFACTURERS])
        except Refusal as refusal:
            raise NodeError(
                Text(f"the samples do not fit this register: {refusal}", f"示例数据与此注册库冲突:{refusal}"),
                Text("use another --data-dir, or an empty database", "请换用其他 --data-dir 或空数据库"),
            ) from refusal


async def _load(database: Database, manufacturer: Manufacturer) -> int:
    batches = await asyncio.to_thread(lambda: list(InputFile.open(manufacturer.file).batches(BATCH_ROWS)))
    if await RecordReader(database).fetch([batches[-1].records[-1].handle.key()]):
        return 0
    await PrefixStore(database).add(Prefix.parse(manufacturer.prefix), enterprise=manufacturer.name)
    for batch in batches:
        await RecordStore(database).put(batch.records)
    return sum(len(batch.records) for batch in batches)


def what_to_try(node: RunningNode, program: str) -> str:
    """Return what a person who has just started the demonstration may want to do, in both languages.

    Args:
        node: the node that runs.
        program: how `idnode` is called on this machine.
    """
    tool, bearing, valve = (manufacturer.example_handle for manufacturer in MANUFACTURERS)
    site = f"http://{node.address}:{node.http_port}"
    is_usual = Path(node.data_dir) == default_demo_data_dir()
    place = "" if is_usual else f" --data-dir {quote(node.data_dir)}"
    return f"""
  idnode demo: the node serves {len(MANUFACTURERS)} sample manufacturers and their products (all invented).
  演示节点已就绪:{len(MANUFACTURERS)} 家示例企业及其产品(均为虚构)。

  In another terminal · 在另一终端试试

    {program} resolve {tool} --protocol udp{place}
    {program} resolve {bearing} --protocol tcp{place}
    {program} resolve {valve} --protocol http{place}
    curl {site}/api/handles/{tool}

  In a browser · 在浏览器中

    {site}/{tool}?noredirect

  From Python with pyhandle · 用 Python 的 pyhandle

    from pyhandle.handleclient import PyHandleClient
    client = PyHandleClient("rest").instantiate_for_read_access(handle_server_url="{site}")
    print(client.retrieve_handle_record("{tool}"))

  Your own products · 导入自己的产品

    printf 'handle,url,2000:名称\\n88.118.20/1,https://example.cn/1,我的产品\\n' > products.csv
    {program} prefix add 88.118.20 --enterprise 我的企业{place}
    {program} import products.csv{place}
    {program} resolve 88.118.20/1{place}

  Handle protocol · Handle 协议  {node.address}:{node.handle_port} (UDP, TCP)
  Data · 数据目录                {node.data_dir}
  Stop · 停止                    Ctrl-C
"""
