"""What the service manager is told, when one listens (sd_notify(3)): ready, reloading, stopping."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"


def notify(state: str) -> None:
    """Tell the service manager, if there is one; a node without one, or one that does not listen, runs as well."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:
        manager.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
