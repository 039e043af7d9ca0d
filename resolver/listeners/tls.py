"""TLS over a connection that is open already: the wire's protocol, and the transport of what is spoken inside.

The standard library cannot accept a client certificate that nobody signed, which is what Handle clients show; OpenSSL
itself can. Here it works between two buffers in memory:

    wire ── data_received ─▶ OpenSSL ── data_received ─▶ application
    wire ◀─────── write ──── OpenSSL ◀──────── write ─── application

Deadlines are the application's: it hears of the first octet, of a finished handshake, and of a peer that does not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

TLS_FIRST_OCTET: Final = 0x16
"""The type of the record that a TLS client begins with (RFC 8446 §5.1); no HTTP method begins with it."""

PLAIN_OCTETS_MAX: Final = 65_536
"""Ours: what is handed on at once, so that a peer of many tiny records does not cost a call for each."""

RECORD_OCTETS: Final = 16_384
"""The longest content of one record (RFC 8446 §5.1)."""

_SEALED_OCTETS: Final = 65_536
"""What is taken from OpenSSL at once: four records."""


class TlsTransport(asyncio.Transport, asyncio.Protocol):
    """One TLS connection, on the side of the server.

    Attributes:
        client_certificate: DER of what the client showed and proved to hold the key of; None before the handshake
            has ended, and without one. Nobody vouches for what stands in it.
    """

    def __init__(
        self,
        wire: asyncio.Transport,
        application: asyncio.Protocol,
        context: SSL.Context,
        *,
        on_secured: Callable[[TlsTransport], None],
        on_failed: Callable[[], None],
    ) -> None:
        """Take over `wire`, whose first octets the caller hands to `data_received`.

        Args:
            wire: the connection; from now on its protocol is this object.
            application: hears everything else that a protocol hears.
            context: how to speak TLS.
            on_secured: called once in place of the application's `connection_made`.
            on_failed: called once if what came is no TLS that we speak; the connection then ends.
        """
        super().__init__()
        self._wire = wire
        self._application = application
        self._context = context
        self._on_secured = on_secured
        self._on_failed = on_failed
        self._engine = SSL.Connection(context)
        self._engine.set_accept_state()
        self._is_secured = False
        self._is_closing = False
        self._is_wanted = True
        self._is_delivering = False
        self._is_writing_paused = False
        self.client_certificate: bytes | None = None
        wire.set_protocol(self)

    # What the wire says.

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, then hand on what was inside."""
        if self._is_closing:
            return
        self._engine.bio_write(data)
        if self._is_secured or self._shake_hands():
            self._deliver()

    def eof_received(self) -> None:
        """Let the wire close. An end without a farewell is no worse: lengths stand in what is spoken inside."""
        self._application.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application that the wire is gone."""
        self._is_closing = True
        self._application.connection_lost(exc)

    def pause_writing(self) -> None:
        """Read no more from a peer that does not read: OpenSSL itself may have to answer what comes."""
        self._is_writing_paused = True
        self._balance()
        self._application.pause_writing()

    def resume_writing(self) -> None:
        """Go on."""
        self._is_writing_paused = False
        self._balance()
        self._application.resume_writing()

    # What the application asks for.

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's own signature
        """Return what is known about the wire; `sslcontext` is how aiohttp tells that a request came over TLS."""
        return self._context if name == "sslcontext" else self._wire.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Seal `data` and hand it to the wire."""
        if self._is_closing:
            return
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._engine.send(rest[:RECORD_OCTETS]) :]
        except SSL.Error:
            self.abort()
            return
        self._flush()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Seal all of it in as few records as possible."""
        self.write(b"".join(list_of_data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say from how many waiting octets on the peer counts as one that does not read."""
        self._wire.set_write_buffer_limits(high=high, low=low)

    def get_write_buffer_size(self) -> int:
        """Return how many sealed octets wait for the peer."""
        return self._wire.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the limits of the wire."""
        return self._wire.get_write_buffer_limits()

    def is_reading(self) -> bool:
        """Tell whether the application gets what comes."""
        return self._is_wanted and not self._is_closing

    def pause_reading(self) -> None:
        """Hand on nothing more, and let the peer's octets wait where they are."""
        self._is_wanted = False
        self._balance()

    def resume_reading(self) -> None:
        """Go on, soon: the application may be in the middle of something."""
        if not self._is_wanted:
            self._is_wanted = True
            self._balance()
            asyncio.get_running_loop().call_soon(self._deliver)

    def is_closing(self) -> bool:
        """Tell whether writing is over."""
        return self._is_closing or self._wire.is_closing()

    def close(self) -> None:
        """Say farewell (close_notify), and close when everything was sent."""
        if self._is_closing:
            return
        self._is_closing = True
        with suppress(SSL.Error):
            self._engine.shutdown()
        self._flush()
        self._wire.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._is_closing = True
        self._wire.abort()

    # Between them.

    def _shake_hands(self) -> bool:
        """Go on with the handshake and tell whether it has ended well."""
        try:
            self._engine.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        except SSL.Error:
            self._fail()
            return False
        self._is_secured = True
        shown = self._engine.get_peer_certificate()
        self.client_certificate = None if shown is None else dump_certificate(FILETYPE_ASN1, shown)
        self._flush()
        self._on_secured(self)
        return True

    def _deliver(self) -> None:
        """Hand on what has come, for as long as it is wanted."""
        if self._is_delivering or not self._is_secured:
            return
        self._is_delivering = True
        try:
            while self._is_wanted and not self._is_closing:
                data = self._unseal()
                if not data:
                    break
                self._application.data_received(data)
        finally:
            self._is_delivering = False
        if not self._is_closing:
            self._flush()

    def _unseal(self) -> bytes:
        """Return what was inside of the records that came, empty when there is no more for now."""
        parts: list[bytes] = []
        octets = 0
        while octets < PLAIN_OCTETS_MAX:
            try:
                parts.append(self._engine.recv(RECORD_OCTETS))
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self._take_leave(b"".join(parts))
                return b""
            except SSL.Error:
                self._fail()
                return b""
            octets += len(parts[-1])
        return b"".join(parts)

    def _take_leave(self, last: bytes) -> None:
        """Do what a plain connection does when the peer has closed its half."""
        if last:
            self._application.data_received(last)
        if not self._is_closing:
            self._application.eof_received()
            self.close()

    def _fail(self) -> None:
        """End the connection with the alert that OpenSSL has ready."""
        self._is_closing = True
        self._flush()
        self._wire.close()
        self._on_failed()

    def _flush(self) -> None:
        """Give the wire what OpenSSL has ready for it."""
        sealed: list[bytes] = []
        with suppress(SSL.WantReadError):
            while True:
                sealed.append(self._engine.bio_read(_SEALED_OCTETS))
        if sealed and not self._wire.is_closing():
            self._wire.write(b"".join(sealed))

    def _balance(self) -> None:
        """Read from the wire, or not."""
        if self._wire.is_closing():
            return
        reads = self._is_wanted and not self._is_writing_paused
        if reads and not self._wire.is_reading():
            self._wire.resume_reading()
        elif not reads and self._wire.is_reading():
            self._wire.pause_reading()
