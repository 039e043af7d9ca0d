"""How long the bodies of web requests may be, each and together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from handle_protocol.limits import ENVELOPE_OCTETS, MESSAGE_OCTETS_MAX
from resolver.listeners.http_tunnel import is_tunnelled

RECORD_TREE: Final = "/api/handles/"
"""Where records are written. A proxy may send a host before it, so it is looked for anywhere in the target."""

_WRITING_METHODS: Final = frozenset({"PUT", "POST"})


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bounds of bodies, in octets.

    Attributes:
        parameters_octets_max: of a form, or of parameters as JSON.
        record_octets_max: of a record as JSON. On the wire a record has 262,144 octets at most; octets take a third
            more in base64, Chinese text twice as much when it is escaped, and 2,048 values some hundred octets each.
        message_octets_max: of a tunnelled message with its envelope.
        all_octets_max: of all that are longer than parameters, together, from their announcement to their answer.
    """

    parameters_octets_max: int = 65_536
    record_octets_max: int = 2 * 2**20
    message_octets_max: int = ENVELOPE_OCTETS + MESSAGE_OCTETS_MAX
    all_octets_max: int = 64 * 2**20

    def octets_max(self, method: str, target: str, headers: Mapping[str, str]) -> int:
        """Return how long the body of a request may be."""
        if is_tunnelled(method, headers):
            return self.message_octets_max
        if method in _WRITING_METHODS and RECORD_TREE in target:
            return self.record_octets_max
        return self.parameters_octets_max


class BodyRoom:
    """The room for long bodies: many clients together must not fill the memory."""

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._free_octets = limits.all_octets_max

    @contextmanager
    def reserve(self, octets: int) -> Iterator[bool]:
        """Hold room for a body of `octets` within the context, and tell whether there is any."""
        wanted = octets if octets > self._limits.parameters_octets_max else 0
        has_room = wanted <= self._free_octets
        if not has_room:
            yield False
            return
        self._free_octets -= wanted
        try:
            yield True
        finally:
            self._free_octets += wanted
