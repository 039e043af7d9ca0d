"""The body of an answer that is no success: a text for people (RFC 3652 §3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.octets import OctetReader


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """Why there is no better answer.

    Attributes:
        text: often empty; None when it is left out, as peers before 2.1 do.
    """

    text: str | None = ""
    request_digest: RequestDigest | None = None


def encode_error(body: ErrorBody) -> bytes:
    """Return the octets of an error, without the digest."""
    return b"" if body.text is None else octets.text(body.text)


def decode_error(reader: OctetReader, digest: RequestDigest | None) -> ErrorBody:
    """Read what follows the digest.

    Raises:
        MalformedMessage: the octets end early, or the text is not UTF-8.
    """
    return ErrorBody(reader.text("error text") if reader.remaining else None, digest)
