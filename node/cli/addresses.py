"""Servers as people write them: HOST, HOST:PORT, [IPv6]:PORT."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

import click

from node.cli.language import words
from node.settings import Settings

HANDLE_PORT: Final = Settings().handle_port
HTTP_PORT: Final = Settings().http_port


def parse_server(spelling: str, default_port: int) -> tuple[str, int]:
    """Return host and port.

    Raises:
        click.BadParameter: it is neither of the forms above.
    """
    try:
        return str(IPv6Address(spelling)), default_port
    except ValueError:
        pass
    try:
        parts = urlsplit(f"//{spelling}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _is_no_server(spelling) from None
    if not host or parts.netloc != spelling:
        raise _is_no_server(spelling)
    return host, default_port if port is None else port


def format_server(host: str, port: int | None) -> str:
    """Return host and port as `parse_server` reads them."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def with_brackets(spelling: str) -> str | None:
    """Return [IPv6]:PORT for an address without brackets that ends as if in a port, such as ::1:2641; else None."""
    host, _, port = spelling.rpartition(":")
    try:
        return format_server(str(IPv6Address(host)), int(port))
    except ValueError:
        return None


def look_up(host: str) -> str:
    """Return the address of `host`; an address is its own.

    Raises:
        click.BadParameter: it has none.
    """
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise click.BadParameter(words(f"the host {host!r} has no address", f"主机 {host!r} 没有地址")) from None
    return str(found[0][4][0])


def _is_no_server(spelling: str) -> click.BadParameter:
    example = with_brackets(spelling) or "127.0.0.1:2641"
    return click.BadParameter(
        words(
            f"expected HOST:PORT, such as {example}, not {spelling!r}",
            f"应为 主机:端口,例如 {example},而不是 {spelling!r}",
        )
    )
