"""The UDP door on a real socket."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.codes import ResponseCode
from handle_protocol.message import decode_message
from handle_protocol.transmission import Reassembly, split
from resolver.listeners.sockets import open_udp
from resolver.listeners.udp import UdpDoor, UdpLimits
from tests.builders import question, text_value


class Client:
    """A socket that speaks to one door."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect((address, port))

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.socket.send(datagram)

    async def receive(self, seconds: float = 2.0) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 65_535), seconds)

    async def is_left_alone(self) -> bool:
        try:
            await self.receive(0.1)
        except TimeoutError:
            return True
        return False


@pytest_asyncio.fixture
async def door(served) -> AsyncIterator[UdpDoor]:
    door = UdpDoor(open_udp("127.0.0.1", 0), served.service, UdpLimits())
    door.open()
    yield door
    await door.close(1.0)


@pytest_asyncio.fixture
async def client(door) -> AsyncIterator[Client]:
    client = Client(door.port)
    yield client
    client.socket.close()


async def test_a_question_is_answered_from_the_register_and_from_memory(client, served) -> None:
    for request_id in (7, 8):
        client.send(question("88.118.8/轴承", request_id))
        answer = decode_message(await client.receive())
        assert (answer.request_id, answer.response_code) == (request_id, ResponseCode.SUCCESS)
        assert [value.value_type for value in answer.body.values] == ["URL", "名称"]
    assert served.service.plain.hits == 2


async def test_a_question_in_several_datagrams_is_put_together(client) -> None:
    datagrams = split(question("88.118.8/轴承", types=(*(f"一个很长的类型名称.{n}" for n in range(60)), "URL")))
    random.Random(1).shuffle(datagrams)  # noqa: S311 - any order will do
    client.send(*datagrams)
    answer = decode_message(await client.receive())
    assert [value.value_type for value in answer.body.values] == ["URL"]


async def test_an_answer_too_long_for_udp_says_so_in_one_datagram(client, served) -> None:
    client.send(question("88.118.8/长"))
    answer = decode_message(await client.receive())
    assert (answer.response_code, answer.request_id) == (ResponseCode.ERROR, 1)
    assert answer.body == ErrorBody("too long for UDP, ask over TCP 应答过长,请使用 TCP")
    assert await client.is_left_alone()
    assert served.tally.discarded["too_long_for_udp"] == 1


async def test_a_longer_answer_within_the_bound_comes_in_several_datagrams(served) -> None:
    door = UdpDoor(open_udp("127.0.0.1", 0), served.service, UdpLimits(answer_packets_max=10))
    door.open()
    client = Client(door.port)
    try:
        client.send(question("88.118.8/长"))
        reassembly, message = Reassembly(), None
        while message is None:
            message = reassembly.accept(await client.receive(), ("127.0.0.1", door.port), 0.0)
        assert decode_message(message).body.values[0].data == ("长" * 1_000).encode()
    finally:
        client.socket.close()
        await door.close(1.0)


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"x",
        b"\0" * 19,
        b"GET / HTTP/1.1\r\nHost: example.cn\r\n\r\n",
        b"\xff" * 512,
        b"\0" * 600,
        question("88.118.8/轴承")[:-1],
        question("88.118.8/轴承") + b"x",
    ],
)
async def test_noise_gets_silence_and_a_count(noise, client, served) -> None:
    client.send(noise)
    assert await client.is_left_alone()
    client.send(question("88.118.8/轴承"))
    assert decode_message(await client.receive()).response_code == ResponseCode.SUCCESS
    assert sum(served.tally.discarded.values()) <= 1


async def test_another_generation_gets_a_protocol_error_with_its_request_id(client) -> None:
    client.send(b"\x05\x00\x00\x00" + question("88.118.8/轴承", 0x01020304)[4:])
    answer = decode_message(await client.receive())
    assert (answer.response_code, answer.request_id) == (ResponseCode.PROTOCOL_ERROR, 0x01020304)


async def test_an_answer_is_not_answered(client) -> None:
    client.send(question("88.118.8/轴承"))
    client.send(await client.receive())
    assert await client.is_left_alone()


async def test_thousands_of_damaged_datagrams_change_nothing(client, caplog) -> None:
    draw = random.Random(118)  # noqa: S311 - repeatable noise
    whole = question("88.118.8/轴承")
    for _ in range(3_000):
        damaged = bytearray(whole[: draw.randrange(len(whole) + 1)] + draw.randbytes(draw.randrange(4)))
        for _ in range(draw.randrange(1, 4)):
            if damaged:
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        client.send(bytes(damaged))
        if draw.random() < 0.05:
            await asyncio.sleep(0)
    await asyncio.sleep(0.2)
    probe = Client(client.socket.getpeername()[1])
    probe.send(question("88.118.8/轴承", 99))
    assert decode_message(await probe.receive()).request_id == 99
    probe.socket.close()
    assert not caplog.records


async def test_closing_waits_for_what_was_asked(served) -> None:
    door = UdpDoor(open_udp("127.0.0.1", 0), served.service, UdpLimits())
    door.open()
    client = Client(door.port)
    served.register.is_open.clear()
    client.send(question("88.118.8/轴承"))
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(door.close(2.0))
    await asyncio.sleep(0.05)
    served.register.is_open.set()
    await closing
    assert decode_message(await client.receive()).response_code == ResponseCode.SUCCESS
    client.socket.close()


async def test_two_doors_share_one_port(served) -> None:
    first = UdpDoor(open_udp("127.0.0.1", 0), served.service, UdpLimits())
    second = UdpDoor(open_udp("127.0.0.1", first.port), served.service, UdpLimits())
    first.open()
    second.open()
    clients = [Client(first.port) for _ in range(20)]
    for client in clients:
        client.send(question("88.118.8/轴承"))
        assert decode_message(await client.receive()).response_code == ResponseCode.SUCCESS
        client.socket.close()
    await first.close(1.0)
    await second.close(1.0)


@pytest.mark.parametrize("can_segment", [True, False], ids=["together", "one by one"])
async def test_many_answers_at_once_reach_each_asker_whole(served, door, can_segment) -> None:
    """Answers of one size to one asker leave as one message that the kernel cuts."""
    served.service.plain.way.can_segment = can_segment
    clients = [Client(door.port) for _ in range(3)]
    names = [f"88.118.8/{'x' * length}" for length in (1, 1, 1, 2, 3)]
    for name in names:
        served.register.put(name, text_value(1, "URL", name))
    for client in clients:
        client.send(*(question(name, 1) for name in names))
        _ = [await client.receive() for _ in names]  # Now they are remembered.
    for client in clients:
        client.send(*(question(name, number) for number, name in enumerate(names * 25, 1)))
    for client in clients:
        answers = [decode_message(await client.receive()) for _ in range(len(names) * 25)]
        told = {answer.request_id: answer.body.values[0].data.decode() for answer in answers}
        assert told == dict(enumerate(names * 25, 1))
        assert await client.is_left_alone()
        client.socket.close()
    assert served.service.plain.take_not_sent() == 0


async def test_questions_over_ipv6_are_answered_the_short_way_and_the_long(served) -> None:
    door = UdpDoor(open_udp("::1", 0), served.service, UdpLimits())
    door.open()
    client = Client(door.port, "::1")
    for request_id in range(4):
        client.send(question("88.118.8/轴承", request_id, types=("URL",) if request_id % 2 else ()))
        assert decode_message(await client.receive()).request_id == request_id
    assert served.service.plain.hits == 2
    client.socket.close()
    await door.close(1.0)
