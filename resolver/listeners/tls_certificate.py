"""The certificate of a door's TLS side: two files, which are read again when they change."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL

LOOK_SECONDS: Final = 1.0
"""How often the files are looked at, at most."""

CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption alone (RFC 9325 §4.2); TLS 1.3 has nothing else."""

OPTIONS: Final = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
CLIENT_CHAIN_MAX: Final = 1
"""Ours: Handle clients sign their certificates themselves, so nothing is looked for behind the first."""

_SESSION_CONTEXT: Final = b"idnode"
_FileState = tuple[int, int, int]
_NO_FILE: Final[_FileState] = (0, 0, 0)

_log = structlog.get_logger()


class ServerCertificate:
    """A certificate chain and its key, both PEM."""

    def __init__(self, certificate_file: Path, key_file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._files = (certificate_file, key_file)
        self._clock = clock
        self._seen: tuple[_FileState, ...] = ()
        self._look_at = 0.0
        self._context: SSL.Context | None = None

    def context(self) -> SSL.Context | None:
        """Return how to speak TLS with the newest certificate that can be used, or None if there never was one.

        What cannot be used is logged once and looked at again when it changes: a renewal writes one file after the
        other, and a worker must not depend on the moment at which it starts.
        """
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            seen = tuple(map(_state_of, self._files))
            if seen != self._seen:
                self._seen = seen
                self._read()
        return self._context

    def _read(self) -> None:
        certificate_file, key_file = self._files
        try:
            self._context = make_context(certificate_file.read_bytes(), key_file.read_bytes())
        except (OSError, ValueError) as error:
            _log.error("certificate_refused", file=str(certificate_file), key=str(key_file), reason=str(error))


def make_context(certificates: bytes, key: bytes) -> SSL.Context:
    """Return how to speak TLS 1.2 and 1.3 with a certificate chain and its private key, both PEM.

    Every client is asked for a certificate and none is required; whoever signed one, it is taken. That the client
    holds its key is proved by the handshake itself.

    Raises:
        ValueError: they cannot be read, or do not belong together.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(OPTIONS)
    context.set_cipher_list(CIPHERS)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # 34 kB less for each connection that is silent.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # Sessions are in the clients' tickets.
    context.set_session_id(_SESSION_CONTEXT)  # Without it, a client that was asked for a certificate cannot resume.
    context.set_verify_depth(CLIENT_CHAIN_MAX)
    context.set_verify(SSL.VERIFY_PEER, _take_any)
    try:
        own, *others = x509.load_pem_x509_certificates(certificates)
        context.use_certificate(own)
        for other in others:
            context.add_extra_chain_cert(other)
        context.use_privatekey(load_pem_private_key(key, None))  # type: ignore[arg-type] # OpenSSL refuses other kinds
        context.check_privatekey()
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    except SSL.Error:
        raise ValueError("expected a certificate with its own private key") from None
    return context


def _take_any(*_: object) -> bool:
    return True


def _state_of(file: Path) -> _FileState:
    """Return what tells one state of a file from the next; for a link, of what it leads to."""
    try:
        found = file.stat()
    except OSError:
        return _NO_FILE
    return found.st_ino, found.st_ctime_ns, found.st_size
