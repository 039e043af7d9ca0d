"""What workers of one node ask each other: a message that another worker holds the challenge or session of.

Each worker listens on a unix socket in the node's run folder. On a connection, frames go both ways:

octets  field
     4  length of what follows
     4  number of the question, echoed by its answer
   1/1  kind of the question / 1 when it was answered, 0 when it could not be
   1+n  address of the peer that asked, ASCII; in a question alone
     n  octets, as the kind wants them

Several questions of one worker are under way at once, and are answered in any order.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage
from handle_protocol.limits import ENVELOPE_OCTETS, MESSAGE_OCTETS_MAX
from handle_protocol.octets import OctetReader

CONTENT_OCTETS_MAX: Final = MESSAGE_OCTETS_MAX + ENVELOPE_OCTETS
"""The longest message with its envelope."""

FRAME_OCTETS_MAX: Final = CONTENT_OCTETS_MAX + 512
"""The longest frame: content, address and a few numbers."""

ADDRESS_OCTETS_MAX: Final = 255
"""An IPv6 address has 39, with the name of an interface perhaps 60."""

QUESTIONS_MAX: Final = 64
"""Ours: questions to one worker that are under way, and of one worker that are answered at once."""

ANSWER_SECONDS: Final = 5.0
"""Ours: how long a question may take, connecting included; longer than any wait for the register."""

_CREDENTIALS_OCTETS: Final = 12
_USER_AT: Final = slice(4, 8)
"""unix(7): struct ucred is three numbers of 32 bits in the machine's order: process, user, group."""

_ANSWERED: Final = 1
_FAILED: Final = 0

_log = structlog.get_logger()

Answerer = Callable[[int, str, bytes], Awaitable[bytes]]
"""Answers a question: its kind, the address of the peer that asked, octets."""


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Bounds of what workers ask each other.

    Attributes:
        questions_max: to one worker, and of one worker, at once.
        seconds: how long a question may take.
    """

    questions_max: int = QUESTIONS_MAX
    seconds: float = ANSWER_SECONDS


def relay_socket(folder: Path, place: int, name: str = "worker") -> Path:
    """Return where the worker at `place` listens."""
    return folder / f"{name}-{place}.socket"


class Relay:
    """One worker's way to the others.

    Args:
        folder: where the sockets are; no one else can enter it.
        place: which worker this is.
        limits: what may be under way.
        name: tells relays apart that workers have beside each other, so that one can be full and the other not.
    """

    def __init__(self, folder: Path, place: int, limits: RelayLimits | None = None, *, name: str = "worker") -> None:
        self._name = name
        self._folder = folder
        self._place = place
        self._limits = limits or RelayLimits()
        self._others: dict[int, _OtherWorker] = {}
        self._listeners: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._inode = 0

    async def ask(self, place: int, kind: int, address: str, content: bytes) -> bytes:
        """Return what the worker at `place` answers.

        Raises:
            ProcessLookupError: there is no such worker, or no more; nor is there anything that it kept.
            ConnectionError: it went away, could not answer, or has too much to answer. Whether it did what was asked
                is not known.
            TimeoutError: it did not answer in time; the same.
            ValueError: the address or the content is too long.
        """
        if len(address) > ADDRESS_OCTETS_MAX or len(content) > CONTENT_OCTETS_MAX:
            raise ValueError("expected an address and a message within their bounds")
        question = octets.u8(kind) + octets.u8(len(address)) + address.encode("ascii") + content
        other = self._others.get(place)
        if other is None:
            path = relay_socket(self._folder, place, self._name)
            other = self._others[place] = _OtherWorker(path, self._limits.questions_max)
        async with asyncio.timeout(self._limits.seconds):
            return await other.ask(question)

    def others(self) -> list[int]:
        """Return the places of the workers that can be asked; some of them may have ended without a word."""
        sockets = (path.stem for path in self._folder.glob(f"{self._name}-*.socket"))
        places = {int(stem.rpartition("-")[2]) for stem in sockets}
        return sorted(places - {self._place})

    async def serve(self, answerer: Answerer) -> None:
        """Begin to answer the other workers. A worker that was here before is replaced."""
        path = relay_socket(self._folder, self._place, self._name)
        arriving = path.with_name(f"{path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            arriving.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        listener.bind(str(arriving))
        arriving.chmod(0o600)
        self._server = await asyncio.start_unix_server(lambda *ends: self._listen(answerer, *ends), sock=listener)
        self._inode = arriving.stat().st_ino
        arriving.rename(path)  # At once: nobody finds a socket that is not served, or none at all.

    async def close(self) -> None:
        """Answer no more and ask no more."""
        if self._server is not None:
            self._server.close()
            self._remove_socket()
        for listener in tuple(self._listeners):
            listener.cancel()
        for other in self._others.values():
            other.close()
        await asyncio.gather(*self._listeners, return_exceptions=True)

    def _remove_socket(self) -> None:
        """Let nobody look for this worker any more, unless another one has its place already."""
        path = relay_socket(self._folder, self._place, self._name)
        with suppress(FileNotFoundError):
            if path.stat().st_ino == self._inode:
                path.unlink()

    async def _listen(self, answerer: Answerer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener = asyncio.current_task()
        assert listener is not None, "a connection is served by a task"
        self._listeners.add(listener)
        try:
            if _is_one_of_us(writer.get_extra_info("socket")):
                await self._answer_all(answerer, reader, writer)
        except asyncio.CancelledError:
            pass  # By `close`. asyncio's streams would report it as a failure.
        except MalformedMessage as error:
            _log.error("relay_unreadable", expected=error.expected)
        finally:
            self._listeners.discard(listener)
            writer.transport.abort()

    async def _answer_all(self, answerer: Answerer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the asker goes away; what was begun is brought to its end."""
        room = asyncio.Semaphore(self._limits.questions_max)
        answers: set[asyncio.Task[None]] = set()
        try:
            while True:
                await room.acquire()
                question = _read_question(await _read_frame(reader))
                answer = asyncio.get_running_loop().create_task(self._answer(answerer, question, writer))
                answers.add(answer)
                answer.add_done_callback(answers.discard)
                answer.add_done_callback(lambda _: room.release())
        except (ConnectionError, asyncio.IncompleteReadError):
            await asyncio.gather(*answers)
        finally:
            for answer in answers:
                answer.cancel()

    async def _answer(self, answerer: Answerer, question: _Question, writer: asyncio.StreamWriter) -> None:
        answer = octets.u32(question.number) + await _outcome(answerer, question)
        with suppress(ConnectionError, TimeoutError):  # The asker went away, or does not read: it waits no longer.
            async with asyncio.timeout(self._limits.seconds):
                writer.write(octets.counted(answer))
                await writer.drain()


class _Question(NamedTuple):
    number: int
    kind: int
    address: str
    content: bytes


def _read_question(frame: OctetReader) -> _Question:
    number, kind = frame.u32("number of question"), frame.u8("kind of question")
    address = frame.take(frame.u8("length of address"), "address").decode("ascii", errors="replace")
    return _Question(number, kind, address, frame.rest())


async def _outcome(answerer: Answerer, question: _Question) -> bytes:
    """Return what follows the number in an answer."""
    try:
        answer = await answerer(question.kind, question.address, question.content)
    except (ConnectionError, TimeoutError):
        return octets.u8(_FAILED)
    except Exception:  # noqa: BLE001 - the edge of a request: the asker is told, other questions are answered
        _log.exception("relay_failed", kind=question.kind)
        return octets.u8(_FAILED)
    if len(answer) > CONTENT_OCTETS_MAX:
        _log.error("relay_answer_too_long", kind=question.kind, octets=len(answer))
        return octets.u8(_FAILED)
    return octets.u8(_ANSWERED) + answer


class _OtherWorker:
    """The way to one other worker: a connection when there is something to ask, a new one after it was replaced."""

    def __init__(self, path: Path, questions_max: int) -> None:
        self._path = path
        self._questions_max = questions_max
        self._connecting = asyncio.Lock()
        self._connection: _Connection | None = None
        self._socket_there = (0, 0)
        self._asked = 0

    async def ask(self, question: bytes) -> bytes:
        if self._asked >= self._questions_max:
            raise ConnectionRefusedError("too many questions to another worker are under way")
        self._asked += 1
        try:
            connection = await self._connected()
            return await connection.ask(question)
        finally:
            self._asked -= 1

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def _connected(self) -> _Connection:
        """Connect to the worker that is there now. One that it replaced still answers what it was asked before."""
        async with self._connecting:
            try:
                status = self._path.stat()
                socket_there = status.st_ino, status.st_ctime_ns  # The number alone may be given to the next socket.
                if self._connection is None or self._connection.is_lost or socket_there != self._socket_there:
                    self._connection = _Connection(*await asyncio.open_unix_connection(self._path))
                    self._socket_there = socket_there
            except (FileNotFoundError, ConnectionRefusedError) as error:
                raise ProcessLookupError("another worker is not there") from error
            except OSError as error:
                raise ConnectionAbortedError("another worker cannot be reached") from error
            return self._connection


class _Connection:
    """Questions to another worker that wait for their answers.

    Attributes:
        is_lost: whether none will come any more.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._last_number = 0
        self.is_lost = False
        self._reading = asyncio.get_running_loop().create_task(self._read(reader))

    async def ask(self, question: bytes) -> bytes:
        self._last_number = (self._last_number + 1) % 2**32
        number = self._last_number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(octets.counted(octets.u32(number) + question))
            answered: bytes = await answer
        finally:
            del self._waiting[number]
        return answered

    def close(self) -> None:
        self._reading.cancel()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, MalformedMessage):
            try:
                while True:
                    self._settle(await _read_frame(reader))
            finally:
                self.is_lost = True
                self._writer.transport.abort()
                for answer in self._waiting.values():
                    if not answer.done():
                        answer.set_exception(ConnectionResetError("another worker went away"))

    def _settle(self, frame: OctetReader) -> None:
        number, outcome = frame.u32("number of answer"), frame.u8("outcome")
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return  # Whoever asked waits no longer.
        if outcome == _ANSWERED:
            answer.set_result(frame.rest())
        else:
            answer.set_exception(ConnectionAbortedError("another worker could not answer"))


async def _read_frame(reader: asyncio.StreamReader) -> OctetReader:
    length = OctetReader(await reader.readexactly(4)).u32("length of frame")
    if length > FRAME_OCTETS_MAX:
        raise MalformedMessage(f"at most {FRAME_OCTETS_MAX} octets of frame", 0)
    return OctetReader(await reader.readexactly(length))


def _is_one_of_us(connection: socket.socket) -> bool:
    """Tell whether the other end runs as our user or as root."""
    credentials: bytes = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS_OCTETS)
    return int.from_bytes(credentials[_USER_AT], sys.byteorder) in {0, os.geteuid()}
