"""Whether the doors of a node are free. Workers share their ports, so the kernel would share with strangers too."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from node.errors import NodeError, Text
from node.settings import Settings

FREEING_SECONDS: Final = 3.0
"""After kill -9 of a supervisor its workers are gone at once, but not in the same moment."""

POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Door:
    """One port of one protocol. `setting` is what an operator changes to move it."""

    setting: str
    address: str
    port: int
    kind: socket.SocketKind

    def is_free(self) -> bool:
        """Tell whether nobody listens there.

        Raises:
            OSError: it cannot be listened on at all: no such address here, or not allowed.
        """
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        with socket.socket(family, self.kind) as probe:
            if self.kind is socket.SOCK_STREAM:
                # Connections of an earlier run may still linger; without this they would look like a listener.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.address, self.port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
                raise
        return True


def doors(settings: Settings) -> Sequence[Door]:
    """Return every door that the node opens."""
    return (
        Door("handle_port", settings.bind, settings.handle_port, socket.SOCK_DGRAM),
        Door("handle_port", settings.bind, settings.handle_port, socket.SOCK_STREAM),
        Door("http_port", settings.bind, settings.http_port, socket.SOCK_STREAM),
        Door("admin_port", settings.admin_bind, settings.admin_port, socket.SOCK_STREAM),
    )


async def check_doors_are_free(settings: Settings) -> None:
    """Wait until all doors are free, for FREEING_SECONDS at most.

    Raises:
        NodeError: somebody else listens on one of them, or it cannot be listened on.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(FREEING_SECONDS):
            while taken_door(settings) is not None:  # noqa: ASYNC110 - nobody tells when a port becomes free
                await asyncio.sleep(POLL_SECONDS)
            return
    taken = taken_door(settings)
    if taken is not None:
        raise _is_taken(taken)


def taken_door(settings: Settings) -> Door | None:
    """Return a door on which somebody listens already, None when all are free.

    Raises:
        NodeError: one cannot be listened on at all.
    """
    for door in doors(settings):
        try:
            if not door.is_free():
                return door
        except OSError as error:
            raise _is_unusable(door, error) from error
    return None


def _is_taken(door: Door) -> NodeError:
    protocol = "UDP" if door.kind is socket.SOCK_DGRAM else "TCP"
    option = "--" + door.setting.replace("_", "-")
    return NodeError(
        Text(
            f"{protocol} port {door.port} on {door.address} is in use ({door.setting})",
            f"{door.address} 的 {protocol} 端口 {door.port} 已被占用({door.setting})",
        ),
        Text(
            f"stop the program that uses it (ss -lnp), or choose another port with {option}",
            f"请停止占用该端口的程序(ss -lnp),或用 {option} 指定其他端口",
        ),
    )


def _is_unusable(door: Door, error: OSError) -> NodeError:
    return NodeError(
        Text(
            f"cannot listen on {door.address} port {door.port}: {error.strerror}",
            f"无法监听 {door.address} 端口 {door.port}:{error.strerror}",
        ),
        Text(
            "choose an address of this machine, and a port above 1023 unless you are root",
            "请选择本机地址;非 root 用户请选择大于 1023 的端口",
        ),
    )
