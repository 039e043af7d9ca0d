"""Lists are the same through every door, whatever their length: in one message, in many, on pages, or elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest
import pytest_asyncio

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import Message, decode_message, encode_message
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.prefixes import PrefixStore
from registry.records import RecordStore
from tests.builders import text_value
from tests.conformance.doors import REST_DOORS, ask_as, way_through, web_of
from tests.conformance.rest_speaking import WebReply, list_page, web_question
from tests.conformance.seeded import OWNER, SERVER_ADMINISTRATOR, administrator
from tests.conformance.speaking import answer_of, ask, perform, perform_all, request_of
from tests.started_node import StartedNode, wait_until

HANDLES_PER_MESSAGE = 50
HANDLES_PER_TUNNEL = 1_000
"""What comes of a list in a tunnel; the rest is to be had over TCP."""

HANDLES_PER_PAGE = 10_000

COUNTS = (0, 1, 50, 51, 60, 1_234, 10_050)
STREAM_DOORS = ("tcp", "tunnel", "tls-tunnel")
SECONDS = 20.0


def prefix_of(count: int) -> Prefix:
    """Return the prefix that has so many handles."""
    return Prefix.parse(f"88.300.{40_000 + count}")


def names_below(count: int) -> list[str]:
    """Return the handles below such a prefix, in their order; few have names so short that a datagram holds many."""
    prefix = prefix_of(count)
    if count <= 60:
        return [f"{prefix}/{number:02}" for number in range(count)]
    return [f"{prefix}/2026年批次/{number:05}号泵" for number in range(count)]


def records_below(count: int) -> Iterator[HandleRecord]:
    """Yield what is stored for such a prefix."""
    yield HandleRecord.of(prefix_of(count).handle, (administrator(100, OWNER),))
    for name in names_below(count):
        yield HandleRecord.of(Handle(name), (text_value(1, "名称", "离心泵"),))


@pytest_asyncio.fixture(scope="module")
async def listed(node: StartedNode) -> AsyncIterator[StartedNode]:
    """The node, with lists of all lengths."""
    async with Database.open(node.database_url) as database:
        for count in COUNTS:
            await PrefixStore(database).add(prefix_of(count), enterprise=f"有{count}个标识的企业")
            await RecordStore(database).put(list(records_below(count)))
    wait_until(lambda: is_known(node, prefix_of(COUNTS[-1])), SECONDS)
    yield node


def is_known(node: StartedNode, prefix: Prefix) -> bool:
    """Tell whether every worker has heard of a prefix; a few connections meet them all."""
    return all(listing("tcp", node, prefix)[0].response_code == ResponseCode.SUCCESS for _ in range(8))


def listing(door: str, node: StartedNode, prefix: Prefix) -> list[Message]:
    """Return all messages of a list."""
    with way_through(door, node) as way:
        return perform_all(way, request_of(HandleRequest(prefix.handle), OpCode.LIST_HANDLES), OWNER)


def names_in(messages: list[Message]) -> list[str]:
    """Return the handles of a list: every message but the last is full and says that more follow."""
    bodies = [message.body for message in messages if isinstance(message.body, HandleListResponse)]
    assert len(bodies) == len(messages)
    assert all(len(body.handles) == HANDLES_PER_MESSAGE for body in bodies[:-1])
    assert all(message.has_flag(OpFlag.CONTINUOUS) for message in messages[:-1])
    return [handle.spelling for body in bodies for handle in body.handles]


def page_of(door: str, node: StartedNode, prefix: Prefix, **page: int) -> WebReply:
    """Return a list of the REST API, or a page of it."""
    reply = ask_as(door, web_of(node), list_page(prefix.handle, **page), OWNER)
    assert (reply.status, reply.code) == (200, 1)
    return reply


@pytest.mark.parametrize("count", COUNTS)
def test_a_list_is_whole_on_a_connection(listed: StartedNode, count: int) -> None:
    messages = listing("tcp", listed, prefix_of(count))
    assert names_in(messages) == names_below(count)
    assert not messages[-1].has_flag(OpFlag.CONTINUOUS)


@pytest.mark.parametrize("door", ["tunnel", "tls-tunnel"])
@pytest.mark.parametrize("count", COUNTS)
def test_a_list_in_a_tunnel_says_where_it_is_cut(listed: StartedNode, door: str, count: int) -> None:
    messages = listing(door, listed, prefix_of(count))
    assert names_in(messages) == names_below(count)[:HANDLES_PER_TUNNEL]
    assert messages[-1].has_flag(OpFlag.CONTINUOUS) == (count > HANDLES_PER_TUNNEL)


@pytest.mark.parametrize("count", COUNTS)
def test_a_list_of_several_messages_sends_from_udp_to_tcp(listed: StartedNode, count: int) -> None:
    messages = listing("udp", listed, prefix_of(count))
    if count <= HANDLES_PER_MESSAGE:
        assert names_in(messages) == names_below(count)
    else:
        assert [each.response_code for each in messages] == [ResponseCode.ERROR]
        assert not messages[0].has_flag(OpFlag.CONTINUOUS)


@pytest.mark.parametrize("door", REST_DOORS)
@pytest.mark.parametrize("count", COUNTS)
def test_a_list_over_rest_is_the_list_in_messages(listed: StartedNode, door: str, count: int) -> None:
    prefix = prefix_of(count)
    assert page_of(door, listed, prefix).said == {
        "responseCode": 1,
        "prefix": prefix.handle.spelling,
        "totalCount": str(count),
        **({"page": 0, "pageSize": HANDLES_PER_PAGE} if count > HANDLES_PER_PAGE else {}),
        "handles": names_in(listing("tcp", listed, prefix))[:HANDLES_PER_PAGE],
    }


@pytest.mark.parametrize(("count", "size"), [(0, 10), (1, 1), (51, 50), (60, 7), (1_234, 500), (10_050, 10_000)])
def test_pages_are_the_list_in_messages_cut_where_it_was_asked(listed: StartedNode, count: int, size: int) -> None:
    prefix = prefix_of(count)
    wire = names_in(listing("tcp", listed, prefix))
    for page, start in enumerate(range(0, count + size, size)):
        assert page_of("rest", listed, prefix, page=page, pageSize=size).said == {
            "responseCode": 1,
            "prefix": prefix.handle.spelling,
            "totalCount": str(count),
            "page": page,
            "pageSize": size,
            "handles": wire[start : start + size],
        }


def test_the_prefixes_of_a_node_are_the_same_through_every_door(listed: StartedNode) -> None:
    question = web_question(HandleRequest(Handle("/")), OpCode.LIST_HOMED_PREFIXES, 0)
    assert question is not None
    lists = [ask_as(door, web_of(listed), question, SERVER_ADMINISTRATOR).said for door in REST_DOORS]
    for door in STREAM_DOORS:
        with way_through(door, listed) as way:
            asked = request_of(HandleRequest(Handle("/")), OpCode.LIST_HOMED_PREFIXES)
            names = names_in(perform_all(way, asked, SERVER_ADMINISTRATOR))
            lists.append({"responseCode": 1, "prefixes": names})
    assert all(first == second for first, second in pairwise(lists))
    assert {prefix_of(count).handle.spelling for count in COUNTS} <= set(names)


def test_whom_a_list_is_refused_it_is_refused_in_one_message(listed: StartedNode) -> None:
    with way_through("tcp", listed) as way:
        asked = request_of(HandleRequest(prefix_of(1_234).handle), OpCode.LIST_HANDLES)
        assert perform(way, asked, SERVER_ADMINISTRATOR).response_code == ResponseCode.INVALID_ADMIN


@pytest.mark.parametrize("count", [51, 1_234])
def test_whoever_asks_again_over_udp_is_sent_to_tcp_again(listed: StartedNode, count: int) -> None:
    with way_through("udp", listed) as way:
        challenge = ask(way, request_of(HandleRequest(prefix_of(count).handle), OpCode.LIST_HANDLES))
        answer = encode_message(answer_of(challenge, OWNER))
        first, again = way.ask_octets(answer), way.ask_octets(answer)
    assert decode_message(first[0]).response_code == ResponseCode.ERROR
    assert again == first
