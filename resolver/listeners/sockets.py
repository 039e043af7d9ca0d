"""Sockets that several workers open on the same port; the kernel shares out what arrives (SO_REUSEPORT)."""

from __future__ import annotations

import socket
from typing import Final

UDP_BUFFER_OCTETS: Final = 4 * 2**20
"""What may wait in the kernel while a worker is busy: some thousand questions. The kernel may grant less."""

TCP_BACKLOG: Final = 1_024
"""Connections that may wait to be accepted."""


def open_udp(address: str, port: int) -> socket.socket:
    """Open a non-blocking datagram socket. Raises OSError when the port cannot be had."""
    listener = _open(address, port, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        listener.setsockopt(socket.SOL_SOCKET, option, UDP_BUFFER_OCTETS)
    return listener


def open_tcp(address: str, port: int) -> socket.socket:
    """Open a non-blocking listening socket. Raises OSError when the port cannot be had."""
    listener = _open(address, port, socket.SOCK_STREAM)
    listener.listen(TCP_BACKLOG)
    return listener


def _open(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, kind)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener
