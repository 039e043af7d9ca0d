"""Workers ask each other over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from handle_protocol import octets
from resolver.relay import ADDRESS_OCTETS_MAX, CONTENT_OCTETS_MAX, FRAME_OCTETS_MAX, Relay, RelayLimits, relay_socket

KIND = 7
ADDRESS = "192.0.2.7"
MESSAGE = "问:88.118.8/阀".encode()
LIMITS = RelayLimits(questions_max=8, seconds=0.5)


async def echo(kind: int, address: str, content: bytes) -> bytes:
    await asyncio.sleep(0)
    return b"%d %s " % (kind, address.encode()) + content


@asynccontextmanager
async def worker(
    folder: Path, place: int, answerer: Callable[[int, str, bytes], Awaitable[bytes]] = echo
) -> AsyncIterator[Relay]:
    relay = Relay(folder, place, LIMITS)
    await relay.serve(answerer)
    try:
        yield relay
    finally:
        await relay.close()


@pytest.fixture
def folder(data_dir) -> Iterator[Path]:
    folder = data_dir / "run"
    folder.mkdir(0o711)
    return folder


async def test_two_workers_ask_each_other(folder) -> None:
    async with worker(folder, 0) as first, worker(folder, 1) as second:
        answers = await asyncio.gather(first.ask(1, KIND, ADDRESS, MESSAGE), second.ask(0, 255, "::1", b""))
    assert answers == [b"7 192.0.2.7 " + MESSAGE, b"255 ::1 "]


async def test_the_longest_message_and_address_pass_and_longer_ones_are_not_sent(folder) -> None:
    longest = os.urandom(CONTENT_OCTETS_MAX)
    address = "a" * ADDRESS_OCTETS_MAX

    async def count(_: int, address: str, content: bytes) -> bytes:
        await asyncio.sleep(0)
        return content if len(address) == ADDRESS_OCTETS_MAX else b""

    async with worker(folder, 0, count), worker(folder, 1) as second:
        assert await second.ask(0, KIND, address, longest) == longest
        for too_long in ((address, longest + b"x"), (address + "a", b"")):
            with pytest.raises(ValueError, match="bounds"):
                await second.ask(0, KIND, *too_long)


async def test_answers_come_in_any_order_and_to_those_who_asked(folder) -> None:
    async def later_first(_: int, __: str, content: bytes) -> bytes:
        await asyncio.sleep(0.05 - int(content) / 200)
        return content

    async with worker(folder, 0, later_first), worker(folder, 1) as second:
        asked = [b"%d" % number for number in range(8)]
        assert await asyncio.gather(*(second.ask(0, KIND, ADDRESS, each) for each in asked)) == asked


async def test_more_questions_than_may_be_under_way_are_refused_at_once(folder) -> None:
    is_open = asyncio.Event()

    async def wait(_: int, __: str, content: bytes) -> bytes:
        await is_open.wait()
        return content

    async with worker(folder, 0, wait), worker(folder, 1) as second:
        waiting = [asyncio.create_task(second.ask(0, KIND, ADDRESS, MESSAGE)) for _ in range(8)]
        await asyncio.sleep(0.05)
        with pytest.raises(ConnectionRefusedError):
            await second.ask(0, KIND, ADDRESS, MESSAGE)
        is_open.set()
        assert await asyncio.gather(*waiting) == [MESSAGE] * 8
        assert await second.ask(0, KIND, ADDRESS, MESSAGE) == MESSAGE


async def test_a_worker_that_does_not_answer_costs_the_deadline_and_no_more(folder) -> None:
    async def answer_some(_: int, __: str, content: bytes) -> bytes:
        await asyncio.sleep(0 if content else 1)
        return content

    async with worker(folder, 0, answer_some), worker(folder, 1) as second:
        with pytest.raises(TimeoutError):
            await second.ask(0, KIND, ADDRESS, b"")
        assert await second.ask(0, KIND, ADDRESS, MESSAGE) == MESSAGE


async def test_whoever_stops_waiting_leaves_the_others_undisturbed(folder) -> None:
    async def slowly(_: int, __: str, content: bytes) -> bytes:
        await asyncio.sleep(0.1)
        return content

    async with worker(folder, 0, slowly), worker(folder, 1) as second:
        gone, *staying = (asyncio.create_task(second.ask(0, KIND, ADDRESS, MESSAGE)) for _ in range(4))
        await asyncio.sleep(0.05)
        gone.cancel()
        assert await asyncio.gather(*staying) == [MESSAGE] * 3
        assert gone.cancelled()


async def test_a_worker_that_dies_and_comes_back_is_asked_again(folder) -> None:
    async with worker(folder, 1) as second:
        for _ in range(2):
            with pytest.raises((ProcessLookupError, ConnectionResetError)):
                await second.ask(0, KIND, ADDRESS, MESSAGE)
            async with worker(folder, 0):
                assert await second.ask(0, KIND, ADDRESS, MESSAGE) == b"7 192.0.2.7 " + MESSAGE


async def test_a_worker_knows_which_others_there_are(folder) -> None:
    async with worker(folder, 1) as second:
        assert second.others() == []
        async with worker(folder, 0), worker(folder, 1_000):
            assert second.others() == [0, 1_000]
        assert second.others() == []


async def test_a_worker_that_was_killed_is_no_more(folder) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(relay_socket(folder, 0)))
    listener.close()
    async with worker(folder, 1) as second:
        with pytest.raises(ProcessLookupError):
            await second.ask(0, KIND, ADDRESS, MESSAGE)


async def test_a_worker_that_dies_with_questions_under_way_fails_them_at_once(folder) -> None:
    async def never(_: int, __: str, ___: bytes) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    async with worker(folder, 1) as second:
        async with worker(folder, 0, never):
            waiting = [asyncio.create_task(second.ask(0, KIND, ADDRESS, MESSAGE)) for _ in range(3)]
            await asyncio.sleep(0.05)
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [ConnectionResetError] * 3


async def test_a_successor_is_asked_while_its_predecessor_ends(folder) -> None:
    async def slowly(_: int, __: str, ___: bytes) -> bytes:
        await asyncio.sleep(0.1)
        return b"predecessor"

    async def successor(_: int, __: str, ___: bytes) -> bytes:
        await asyncio.sleep(0)
        return b"successor"

    async with worker(folder, 0, slowly), worker(folder, 1) as second:
        before = asyncio.create_task(second.ask(0, KIND, ADDRESS, MESSAGE))
        await asyncio.sleep(0.05)
        async with worker(folder, 0, successor):
            assert await second.ask(0, KIND, ADDRESS, MESSAGE) == b"successor"
            assert await before == b"predecessor"


async def test_a_worker_ends_without_complaints(folder) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with worker(folder, 0) as first, worker(folder, 1) as second:
        await asyncio.gather(first.ask(1, KIND, ADDRESS, MESSAGE), second.ask(0, KIND, ADDRESS, MESSAGE))
    await asyncio.sleep(0)
    asyncio.get_running_loop().set_exception_handler(None)
    assert not complaints


@pytest.mark.parametrize("error", [ConnectionError, TimeoutError])
async def test_an_outage_is_told(error, folder) -> None:
    async def fail(_: int, __: str, ___: bytes) -> bytes:
        await asyncio.sleep(0)
        raise error

    async with worker(folder, 0, fail), worker(folder, 1) as second:
        with capture_logs() as lines, pytest.raises(ConnectionAbortedError):
            await second.ask(0, KIND, ADDRESS, MESSAGE)
    assert not lines


@pytest.mark.parametrize("is_too_long", [True, False])
async def test_a_failure_that_nobody_thought_of_is_told_and_logged(is_too_long, folder) -> None:
    async def fail(_: int, __: str, ___: bytes) -> bytes:
        await asyncio.sleep(0)
        return bytes(CONTENT_OCTETS_MAX + 1) if is_too_long else bytes(1 // 0)

    async with worker(folder, 0, fail), worker(folder, 1) as second:
        with capture_logs() as lines:
            for _ in range(2):
                with pytest.raises(ConnectionAbortedError):
                    await second.ask(0, KIND, ADDRESS, MESSAGE)
    assert [line["event"] for line in lines] == ["relay_answer_too_long" if is_too_long else "relay_failed"] * 2


@pytest.mark.parametrize(
    "sent",
    [
        octets.u32(FRAME_OCTETS_MAX + 1),
        octets.u32(2**32 - 1) + bytes(100),
        octets.counted(b""),
        octets.counted(bytes(4)),
        octets.counted(bytes(5) + b"\xff" + b"1.2.3.4"),
    ],
)
async def test_a_stranger_to_the_form_is_cut_off(sent, folder) -> None:
    async with worker(folder, 0), worker(folder, 1) as second:
        reader, writer = await asyncio.open_unix_connection(relay_socket(folder, 0))
        writer.write(sent)
        async with asyncio.timeout(1):
            assert await reader.read() == b""
        writer.close()
        assert await second.ask(0, KIND, ADDRESS, MESSAGE) == b"7 192.0.2.7 " + MESSAGE


async def test_another_user_can_neither_open_the_socket_nor_speak_on_it(folder) -> None:
    asked: list[bytes] = []

    async def remember(_: int, __: str, content: bytes) -> bytes:
        await asyncio.sleep(0)
        asked.append(content)
        return content

    async with worker(folder, 0, remember):
        path = relay_socket(folder, 0)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        if os.geteuid() == 0:  # Only root can try to be somebody else.
            path.chmod(0o666)
            assert await asyncio.to_thread(_answer_to_another_user, path) == b""
    assert not asked


def _answer_to_another_user(path: Path) -> bytes:
    """Ask from a process that has given up its rights, and return what came back."""
    receiving, sending = os.pipe()
    if os.fork() == 0:
        try:
            os.setgid(65_534)
            os.setuid(65_534)
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(str(path))
                stranger.sendall(octets.counted(octets.u32(1) + b"\x01\x00" + MESSAGE))
                os.write(sending, stranger.recv(100))
        finally:
            os._exit(0)
    os.close(sending)
    os.wait()
    with os.fdopen(receiving, "rb") as pipe:
        return pipe.read()
