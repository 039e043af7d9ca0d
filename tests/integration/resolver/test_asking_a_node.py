"""The client against a started node with two workers: every operation, with every kind of key, over every way."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.record import HandleRecord
from handle_protocol.security.private_keys import SigningKey, make_key, read_private_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.value import HandleValue, ValueReference
from resolver.asking.streams import OUTSTANDING_MAX
from resolver.client import Identity, Node, Protocol, connect
from resolver.query import Query
from tests.builders import text_value
from tests.started_node import StartedNode, until, wait_until

VECTORS = Path(__file__).parents[2] / "vectors" / "handle"
SEEDS = json.loads((VECTORS / "seed-handles.json").read_text(encoding="utf-8"))["handles"]
KEYS = json.loads((VECTORS / "10-keys-and-files.json").read_text(encoding="utf-8"))["vectors"]
PREFIX = Prefix.parse("88.300.15907")
DEADLINE_SECONDS = 10.0
RELOAD_SECONDS = 60.0

ADMINISTRATORS = HandleValue(
    100, "HS_ADMIN", encode_administrator(Administrator(0xFFF, ValueReference(200, "0.NA/88.300.15907")))
)
"""The group of all keys of the prefix: whoever makes a record without it can never change it."""


def key_of_reference(name: str) -> SigningKey:
    (vector,) = [each for each in KEYS if each["name"] == f"key {name}"]
    return read_private_key(b"\0\0\0\1" + bytes.fromhex(vector["private_hex"]), None)


IDENTITIES = {
    "rsa": Identity(ValueReference(300, "0.NA/88.300.15907"), key_of_reference("admin RSA")),
    "secret": Identity(ValueReference(301, "0.NA/88.300.15907"), b"s3cret-key"),
    "dsa": Identity(ValueReference(302, "0.NA/88.300.15907"), key_of_reference("admin DSA")),
}


@pytest.fixture(scope="module")
def started(server_data_dir: Path) -> Iterator[StartedNode]:
    folder = server_data_dir / "asking"
    folder.mkdir(mode=0o755)
    settings = {"IDNODE_SERVER_ADMINS": "300:0.NA/88.300.15907", "IDNODE_LEGACY_AUTHENTICATION": "1"}
    with StartedNode.run(folder / "node", settings) as node:
        lines = [json.dumps({"handle": each["handle"], "values": each["values"]}) for each in SEEDS]
        (folder / "seeds.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert node.idnode("prefix", "add", str(PREFIX)).returncode == 0
        assert node.idnode("import", str(folder / "seeds.ndjson")).returncode == 0
        wait_until(lambda: asyncio.run(_is_known(node)), DEADLINE_SECONDS)
        yield node


async def _is_known(started: StartedNode) -> bool:
    """Tell whether every worker has heard of the prefix; a few connections meet them all."""
    codes = set()
    for _ in range(8):
        async with connect(started.address) as node:
            codes.add((await node.resolve(Query(PREFIX.handle, (100,)))).response_code)
    return codes == {ResponseCode.SUCCESS}


@asynccontextmanager
async def asking(started: StartedNode, protocol: Protocol = "tcp", key: str = "rsa") -> AsyncIterator[Node]:
    address = ("127.0.0.1", started.http_port if protocol == "http" else started.handle_port)
    identity = IDENTITIES.get(key)
    async with connect(address, identity=identity, protocol=protocol, timeout_seconds=DEADLINE_SECONDS) as node:
        yield node


@pytest.mark.parametrize("key", ["rsa", "secret"])
@pytest.mark.parametrize("protocol", ["tcp", "udp", "auto", "http"])
async def test_a_record_is_made_changed_and_deleted(started: StartedNode, protocol: Protocol, key: str) -> None:
    handle = Handle(f"88.300.15907/轴承-{protocol}-{key}")
    record = HandleRecord.of(handle, (text_value(1, "URL", "https://例.cn"), ADMINISTRATORS))
    async with asking(started, protocol, key) as node:
        replies = [
            await node.create(record),
            await node.create(record),
            await node.add(handle, [text_value(2, "名称", "轴承")]),
            await node.modify(handle, [text_value(2, "名称", "滚动轴承")]),
            await node.remove(handle, [1]),
        ]
        read = await node.resolve(Query(handle, is_authoritative=True))
        deleted = await node.delete(handle)
        missing = await node.delete(handle)
    done, exists = ResponseCode.SUCCESS, ResponseCode.HANDLE_ALREADY_EXISTS
    assert [reply.response_code for reply in replies] == [done, exists, done, done, done]
    assert [(value.index, value.data.decode()) for value in read.record.values if value.index < 100] == [
        (2, "滚动轴承")
    ]
    assert (deleted.response_code, missing.response_code) == (done, ResponseCode.HANDLE_NOT_FOUND)


async def test_a_key_of_dsa_is_known_where_old_proofs_are_accepted(started: StartedNode) -> None:
    record = HandleRecord.of(Handle("88.300.15907/旧密钥"), (text_value(1, "名称", "泵"), ADMINISTRATORS))
    async with asking(started, key="dsa") as node:
        replies = [await node.create(record), await node.delete(record.handle)]
    assert [reply.response_code for reply in replies] == [ResponseCode.SUCCESS] * 2


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http"])
async def test_an_owner_with_a_key_of_sm2_changes_their_record(started: StartedNode, protocol: Protocol) -> None:
    handle, key = Handle(f"88.300.15907/国密-{protocol}"), make_key(KeyKind.SM2)
    owner = ValueReference(300, handle.spelling)
    grant = HandleValue(100, "HS_ADMIN", encode_administrator(Administrator(0xFFF, owner)))
    async with asking(started) as node:
        record = HandleRecord.of(handle, (HandleValue(300, "HS_PUBKEY", key.public_data()), grant))
        assert (await node.create(record)).is_success
    address = ("127.0.0.1", started.http_port if protocol == "http" else started.handle_port)
    async with connect(address, identity=Identity(owner, make_key(KeyKind.SM2)), protocol=protocol) as node:
        forged = await node.add(handle, [text_value(1, "名称", "泵")])
    async with connect(address, identity=Identity(owner, key), protocol=protocol) as node:
        added = await node.add(handle, [text_value(1, "名称", "泵")])
        deleted = await node.delete(handle)
    assert [reply.response_code for reply in (forged, added, deleted)] == [
        ResponseCode.AUTHENTICATION_FAILED,
        ResponseCode.SUCCESS,
        ResponseCode.SUCCESS,
    ]


async def test_more_challenged_requests_than_places_are_outstanding_and_all_are_done(started: StartedNode) -> None:
    records = [
        HandleRecord.of(Handle(f"88.300.15907/并发-{number}"), (text_value(1, "名称", "泵"), ADMINISTRATORS))
        for number in range(2 * OUTSTANDING_MAX)
    ]
    async with asking(started, key="secret") as node:
        made = await asyncio.gather(*map(node.create, records))
        gone = await asyncio.gather(*(node.delete(record.handle) for record in records))
    assert {reply.response_code for reply in (*made, *gone)} == {ResponseCode.SUCCESS}


async def test_a_list_is_asked_for_in_a_session_with_a_challenge(started: StartedNode) -> None:
    record = HandleRecord.of(Handle("88.300.15907/会话内"), (text_value(1, "名称", "泵"), ADMINISTRATORS))
    async with asking(started, key="secret") as node:
        assert (await node.create(record, overwrite=True)).is_success
    async with asking(started, key="secret") as node:
        assert (await node.start_session()).is_success
        listed = [handle async for part in node.list_handles(PREFIX) for handle in part.handles]
    assert record.handle.key(folds_suffix=True) in [handle.key(folds_suffix=True) for handle in listed]


async def test_a_suffix_is_minted_and_told(started: StartedNode) -> None:
    beginning = HandleRecord.of(Handle("88.300.15907/泵-"), (text_value(1, "名称", "泵"), ADMINISTRATORS))
    async with asking(started) as node:
        reply = await node.create(beginning, mint=True)
        assert reply.record.handle.spelling.startswith("88.300.15907/泵-")
        assert len(reply.record.handle.spelling) > len("88.300.15907/泵-")
        assert (await node.delete(reply.record.handle)).is_success


async def test_nobody_and_a_wrong_secret_are_refused_in_a_reply(started: StartedNode) -> None:
    record = HandleRecord.of(Handle("88.300.15907/没有"), (text_value(1, "名称", "泵"),))
    async with asking(started, key="nobody") as node:
        assert (await node.create(record)).response_code == ResponseCode.AUTHENTICATION_NEEDED
    wrong = Identity(ValueReference(301, "0.NA/88.300.15907"), b"falsch")
    async with connect(started.address, identity=wrong) as node:
        assert (await node.create(record)).response_code == ResponseCode.AUTHENTICATION_FAILED


async def test_a_list_comes_in_parts_and_without_any_name_twice(started: StartedNode) -> None:
    handles = [Handle(f"88.300.15907/清单-{number:03}") for number in range(120)]
    async with asking(started) as node:
        for handle in handles:
            assert (
                await node.create(HandleRecord.of(handle, (text_value(1, "名称", "泵"),)), overwrite=True)
            ).is_success
        parts = [part async for part in node.list_handles(PREFIX)]
    listed = [handle.key(folds_suffix=True) for part in parts for handle in part.handles]
    assert len(parts) > 2
    assert len(set(listed)) == len(listed)
    assert {handle.key(folds_suffix=True) for handle in handles} <= set(listed)


async def test_many_requests_are_outstanding_on_one_connection(started: StartedNode) -> None:
    async with asking(started) as node:
        asked = [node.resolve(Query(PREFIX.handle, (100,))) for _ in range(100)]
        replies = await asyncio.gather(*asked)
    assert {reply.response_code for reply in replies} == {ResponseCode.SUCCESS}


async def test_a_server_administrator_homes_lists_and_unhomes_prefixes(started: StartedNode) -> None:
    async with asking(started) as node:
        homed = await node.home(Prefix.parse("88.300.2"))
        listed = [handle async for part in node.list_prefixes() for handle in part.handles]
        unhomed = await node.unhome(Prefix.parse("88.300.2"))
        site = await node.site()
    assert (homed.response_code, unhomed.response_code) == (ResponseCode.SUCCESS, ResponseCode.SUCCESS)
    assert Handle("0.NA/88.300.2") in listed
    assert site.site is not None


@pytest.mark.parametrize("encrypts", [True, False])
async def test_in_a_session_values_that_are_not_public_are_read(started: StartedNode, *, encrypts: bool) -> None:
    async with asking(started, key="secret") as node:
        begun = await node.start_session(encrypts=encrypts)
        assert begun.is_success, begun
        query = Query(PREFIX.handle, (301,), is_public_only=False)
        first, second = await node.resolve(query), await node.resolve(query)
        ended = await node.end_session()
    assert [reply.response_code for reply in (first, second, ended)] == [ResponseCode.SUCCESS] * 3
    assert first.record.values[0].data == b"s3cret-key"


async def test_who_is_logged_in_is_not_challenged(started: StartedNode) -> None:
    async with asking(started) as node:
        assert (await node.log_in()).is_success
        reply = await node.resolve(Query(PREFIX.handle, (301,), is_public_only=False))
    assert reply.is_success, (reply, started.printed())
    assert reply.record.values[0].data == b"s3cret-key"


async def test_when_the_workers_were_replaced_the_client_goes_on_in_a_fresh_session(started: StartedNode) -> None:
    query = Query(PREFIX.handle, (301,), is_public_only=False)
    async with asking(started, key="secret") as node:
        assert (await node.start_session()).is_success
        assert (await node.resolve(query)).is_success
        former = set(started.workers)
        started.process.send_signal(signal.SIGHUP)
        await until(lambda: len(started.workers) == len(former) and not former & set(started.workers), RELOAD_SECONDS)
        await until(started.is_ready, RELOAD_SECONDS)
        reply = await node.resolve(query)
    assert reply.is_success, (reply, started.printed())
    assert reply.record.values[0].data == b"s3cret-key"
