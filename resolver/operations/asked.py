"""A request on its way through the operations, and what they give back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from handle_protocol.bodies.digest import RequestDigest, digest_of, usual_algorithm
from handle_protocol.handle import Handle
from handle_protocol.limits import ENVELOPE_OCTETS, HEADER_OCTETS
from handle_protocol.message import Message, answer_version
from resolver.authentication.claims import Claim
from resolver.authentication.sessions import Session
from resolver.operations.peers import Peer

_BODY_LENGTH_AT = slice(ENVELOPE_OCTETS + 20, ENVELOPE_OCTETS + HEADER_OCTETS)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        request: what is asked.
        octets: envelope and message as they came, decrypted.
        peer: who asks.
        session: the session in which it came, with a MAC that is right and a counter that is new; None = no session.
        is_sealed: it came encrypted, and so must the answer leave.
    """

    request: Message
    octets: bytes
    peer: Peer
    session: Session | None = None
    is_sealed: bool = False

    @property
    def claim(self) -> Claim | None:
        """Who asks, if that was proved before: in its session, else by logging in on its connection."""
        if self.session is not None:
            return self.session.claim
        return None if self.peer.login is None else self.peer.login.claim

    @property
    def comes_from_industrial_sdk(self) -> bool:
        """Whether the envelope has a session id that we never gave: the Teleinfo SDK chooses them itself.

        It takes a challenge to a change for a success (id-pointer-sdk 2.3.1), so it is told to log in instead.
        """
        return self.session is None and self.request.session_id != 0

    @property
    def header_and_body(self) -> bytes:
        """The octets that digests cover, as they came."""
        body_length = int.from_bytes(self.octets[_BODY_LENGTH_AT], "big")
        return self.octets[ENVELOPE_OCTETS : ENVELOPE_OCTETS + HEADER_OCTETS + body_length]

    @property
    def digest(self) -> RequestDigest:
        """The digest of the request, by the algorithm that answers of its version use."""
        return digest_of(self.header_and_body, usual_algorithm(answer_version(self.request)))


class Answering(NamedTuple):
    """Messages that answer a request, or the first of them.

    Attributes:
        more: makes those that follow; None = these are all.
    """

    messages: Sequence[Message]
    more: Callable[[], Awaitable[Answering]] | None = None


Operation: TypeAlias = Callable[[Asked], Awaitable[Answering]]
"""How one operation is done."""


def subject_of(request: Message) -> bytes:
    """Return what a request is about: the same octets for all spellings of one handle."""
    handle = getattr(request.body, "handle", None)
    return handle.key(folds_suffix=True) if isinstance(handle, Handle) else b""
