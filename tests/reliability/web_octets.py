"""Clients that send octets to the HTTP door as they are, plain or over TLS, and every answer that comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.conformance.speaking import trusting_anybody
from tests.started_node import LOOPBACK, StartedNode

ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class WebAnswer:
    """One answer, read to its end.

    Attributes:
        headers: names in lower case; each stands once.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Heard:
    """What came back on one connection.

    Attributes:
        is_closed: the node closed it, or cut it.
    """

    answers: tuple[WebAnswer, ...]
    is_closed: bool

    @property
    def statuses(self) -> list[int]:
        """The status of every answer."""
        return [answer.status for answer in self.answers]


async def exchange_octets(
    node: StartedNode, octets: bytes, *, is_secure: bool = False, seconds: float = ANSWER_SECONDS
) -> Heard:
    """Send octets on a connection of their own, and read until the node closes it or `seconds` are over."""
    context = trusting_anybody() if is_secure else None
    reader, writer = await asyncio.open_connection(LOOPBACK, node.http_port, ssl=context, limit=2**22)
    answers: list[WebAnswer] = []
    try:
        writer.write(octets)
        async with asyncio.timeout(seconds):
            while True:
                answers.append(await read_answer(reader, has_body=not octets.startswith(b"HEAD ")))
    except TimeoutError:
        return Heard(tuple(answers), is_closed=False)
    except (asyncio.IncompleteReadError, ConnectionError):
        return Heard(tuple(answers), is_closed=True)
    finally:
        writer.transport.abort()


async def read_answer(reader: asyncio.StreamReader, *, has_body: bool = True) -> WebAnswer:
    """Read one answer; those to HEAD have a length and no body. Raises IncompleteReadError when the connection ends."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    fields = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): text for name, text in fields}
    assert len(headers) == len(fields), "a field stands twice: " + head
    version, status = first.split(" ")[:2]
    assert version in {"HTTP/1.0", "HTTP/1.1"}, head
    length = int(headers.get("content-length", "0")) if has_body else 0
    return WebAnswer(int(status), headers, await reader.readexactly(length))


async def visit(node: StartedNode, target: str, fields: str = "") -> WebAnswer:
    """Ask for a target as browsers do, with more fields as they are written."""
    head = f"GET {target} HTTP/1.1\r\nHost: id.example.cn\r\nConnection: close\r\n{fields}\r\n"
    (answer,) = (await exchange_octets(node, head.encode())).answers
    return answer
