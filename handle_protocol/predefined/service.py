"""HS_SERV: the handle whose record holds the sites of a prefix (RFC 3651 §3.2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.handle import Handle


@dataclass(frozen=True, slots=True)
class ServiceHandle:
    """Where the sites of a prefix are described; 0.NA/0.NA means the global ones."""

    handle: Handle


def encode_service(service: ServiceHandle) -> bytes:
    """Return the octets of a service handle."""
    return service.handle.spelling.encode()


def decode_service(data: bytes) -> ServiceHandle:
    """Read a service handle.

    Raises:
        InvalidHandle: the octets can be no handle.
    """
    return ServiceHandle(Handle.decode(data))
