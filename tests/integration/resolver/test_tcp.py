"""The TCP door on real connections, with polite and impolite peers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.message import Message, decode_message
from handle_protocol.transmission import StreamCutter
from resolver.listeners.sockets import open_tcp
from resolver.listeners.tcp import HELD_OCTETS_MAX, TcpDoor, TcpLimits
from tests.builders import question, text_value


class Client:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._cutter = StreamCutter()
        self._messages: list[bytes] = []

    async def send(self, octets: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, octets)

    async def receive(self, seconds: float = 3.0) -> Message:
        while not self._messages:
            octets = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 65_536), seconds)
            if not octets:
                raise EOFError
            self._messages += self._cutter.feed(octets)
        return decode_message(self._messages.pop(0))

    async def is_closed_within(self, seconds: float) -> bool:
        try:
            octets = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 65_536), seconds)
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return not octets


Connect = Callable[[], Awaitable[Client]]

LIMITS = TcpLimits(idle_seconds=1.0, message_seconds=1.0, write_seconds=1.0, per_address_max=20, pipeline_max=8)


@pytest_asyncio.fixture
async def door(served) -> AsyncIterator[TcpDoor]:
    door = TcpDoor(open_tcp("127.0.0.1", 0), served.service, LIMITS)
    await door.open()
    yield door
    await door.close(1.0)


@pytest_asyncio.fixture
async def connect(door) -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def connect() -> Client:
        connection = socket.socket()
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", door.port))
        clients.append(Client(connection))
        return clients[-1]

    yield connect
    for client in clients:
        client.socket.close()


async def test_one_connection_serves_question_after_question(connect) -> None:
    client = await connect()
    for request_id in range(1, 6):
        await client.send(question("88.118.8/轴承", request_id))
        answer = await client.receive()
        assert (answer.request_id, answer.response_code) == (request_id, ResponseCode.SUCCESS)


async def test_a_question_may_come_octet_by_octet(connect) -> None:
    client = await connect()
    for octet in question("88.118.8/轴承"):
        await client.send(bytes((octet,)))
    assert (await client.receive()).response_code == ResponseCode.SUCCESS


async def test_answers_come_in_the_order_of_the_questions(connect, served) -> None:
    """Even when a later question is answered from memory and an earlier one waits for the register."""
    served.register.is_open.set()
    client = await connect()
    await client.send(question("88.118.8/轴承", 1))
    await client.receive()
    served.register.is_open.clear()
    await client.send(b"".join(question(("88.118.8/新", "88.118.8/轴承")[n % 2], n) for n in range(100)))
    await asyncio.sleep(0.1)
    served.register.is_open.set()
    assert [(await client.receive()).request_id for _ in range(100)] == list(range(100))


async def test_no_more_than_the_bound_is_under_way_on_one_connection(connect, served) -> None:
    served.register.is_open.clear()
    client = await connect()
    await client.send(b"".join(question(f"88.118.8/{n}", n) for n in range(100)))
    await asyncio.sleep(0.2)
    asked = {key for batch in served.register.batches for key in batch}
    assert len(asked) <= LIMITS.pipeline_max
    served.register.is_open.set()
    assert [(await client.receive()).request_id for _ in range(100)] == list(range(100))


async def test_a_connection_whose_long_questions_are_under_way_is_not_read_further(connect, served) -> None:
    served.register.is_open.clear()
    client = await connect()
    long = [question(f"88.118.8/{n}", n, types=("类型" * 16_000,)) for n in range(LIMITS.pipeline_max)]
    sending = asyncio.create_task(client.send(b"".join(long)))
    await asyncio.sleep(0.2)
    asked = {key for batch in served.register.batches for key in batch}
    assert len(asked) == HELD_OCTETS_MAX // len(long[0]) + 1 < LIMITS.pipeline_max
    served.register.is_open.set()
    assert [(await client.receive()).request_id for _ in long] == list(range(LIMITS.pipeline_max))
    await sending


async def test_a_peer_that_closes_its_half_still_gets_its_answers(connect, served) -> None:
    served.register.is_open.clear()
    client = await connect()
    await client.send(question("88.118.8/轴承", 1) + question("88.118.8/没有", 2))
    client.socket.shutdown(socket.SHUT_WR)
    await asyncio.sleep(0.1)
    served.register.is_open.set()
    assert [(await client.receive()).request_id for _ in range(2)] == [1, 2]
    assert await client.is_closed_within(1.0)


async def test_a_long_answer_comes_whole(connect, served) -> None:
    served.register.put("88.118.8/很长", *(text_value(n, "DESC", "值" * 1_000) for n in range(1, 80)))
    client = await connect()
    await client.send(question("88.118.8/很长"))
    assert len((await client.receive()).body.values) == 79


async def test_a_message_announced_too_long_closes_the_connection_at_once(connect, served) -> None:
    client = await connect()
    await client.send(question("88.118.8/轴承")[:16] + b"\x00\x04\x00\x01")
    assert await client.is_closed_within(0.5)
    assert served.tally.discarded == {"malformed": 1}


async def test_an_unreadable_message_gets_an_error_and_the_next_one_its_answer(connect) -> None:
    client = await connect()
    damaged = bytearray(question("88.118.8/轴承", 5))
    damaged[43] ^= 0xFF  # The length of the body lies.
    await client.send(bytes(damaged) + question("88.118.8/轴承", 6))
    assert (await client.receive()).response_code == ResponseCode.PROTOCOL_ERROR
    assert (await client.receive()).request_id == 6


@pytest.mark.parametrize("drip", [False, True])
async def test_a_message_must_arrive_in_time_however_it_drips(drip, connect) -> None:
    client = await connect()
    octets = question("88.118.8/轴承" + "长" * 30)
    await client.send(octets[:30])
    for octet in octets[30:45] if drip else b"":
        await asyncio.sleep(0.1)
        try:
            await client.send(bytes((octet,)))
        except ConnectionError:
            break
    assert await client.is_closed_within(2.0)


async def test_a_silent_connection_is_closed(connect) -> None:
    client = await connect()
    assert not await client.is_closed_within(0.5)
    assert await client.is_closed_within(1.5)


async def test_a_peer_that_never_reads_is_cut_and_costs_little(connect, door, served) -> None:
    served.register.put("88.118.8/很长", *(text_value(n, "DESC", "值" * 1_000) for n in range(1, 80)))
    client = await connect()
    asking = asyncio.create_task(client.send(question("88.118.8/很长") * 600))
    await asyncio.sleep(2.5)
    assert not door.admission.open
    asking.cancel()
    assert served.tally.discarded["too_slow"] == 1


async def test_long_answers_wait_for_the_peer_a_few_at_a_time(connect, door, served) -> None:
    served.register.put("88.118.8/很长", *(text_value(n, "DESC", "值" * 1_000) for n in range(1, 80)))
    client = await connect()
    await client.send(question("88.118.8/很长"))
    await client.receive()
    await client.send(question("88.118.8/很长") * 60)
    await asyncio.sleep(0.3)
    (connection,) = door.admission.open
    assert connection._held_octets <= 2 * HELD_OCTETS_MAX  # noqa: SLF001 - memory is not seen from outside
    assert connection._transport.get_write_buffer_size() <= 2 * HELD_OCTETS_MAX  # noqa: SLF001
    for _ in range(60):
        assert len((await client.receive()).body.values) == 79


async def test_surplus_connections_of_one_address_are_refused(connect, door) -> None:
    clients = [await connect() for _ in range(LIMITS.per_address_max + 5)]
    await asyncio.sleep(0.1)
    assert len(door.admission.open) == LIMITS.per_address_max
    closed = await asyncio.gather(*(client.is_closed_within(0.3) for client in clients))
    assert closed.count(True) == 5
    for client in clients[: LIMITS.per_address_max]:
        client.socket.close()
    await asyncio.sleep(0.1)
    late = await connect()
    await late.send(question("88.118.8/轴承"))
    assert (await late.receive()).response_code == ResponseCode.SUCCESS


async def test_closing_the_door_answers_what_was_asked(served) -> None:
    door = TcpDoor(open_tcp("127.0.0.1", 0), served.service, LIMITS)
    await door.open()
    connection = socket.create_connection(("127.0.0.1", door.port))
    connection.setblocking(False)
    client = Client(connection)
    served.register.is_open.clear()
    await client.send(question("88.118.8/轴承"))
    await asyncio.sleep(0.1)
    closing = asyncio.create_task(door.close(2.0))
    await asyncio.sleep(0.1)
    served.register.is_open.set()
    await closing
    assert (await client.receive()).response_code == ResponseCode.SUCCESS
    connection.close()
