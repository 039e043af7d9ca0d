"""The yardstick: a uvloop datagram endpoint that sends back what it got and some octets: `python -m load_tests.echo N`.

It does the least that any Python server on uvloop has to do. It prints its port and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop


class Echo(asyncio.DatagramProtocol):
    """Answers each datagram with the same octets and a tail."""

    def __init__(self, tail_octets: int) -> None:
        self._tail = bytes(tail_octets)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Take the way out."""
        self._send = transport.sendto

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer."""
        self._send(data + self._tail, addr)


async def serve(tail_octets: int) -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Echo(tail_octets), local_addr=("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    transport.close()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
