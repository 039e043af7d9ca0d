"""A web request and a web response as plain values, free of the server that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from handle_protocol.record import HandleRecord
from resolver.listeners.client_certificate import ClientCertificate
from resolver.translation import negotiation
from resolver.translation.parameters import Parameters, UnreadableParameters

READING_METHODS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One request, read to its end.

    Attributes:
        path, query_string: the target as it was sent, without the "?" between them.
        headers: names in any case.
        address: where it comes from.
        is_secure: whether it came over TLS.
        client_certificate: what the client showed in the handshake.
    """

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""
    address: str = ""
    is_secure: bool = False
    client_certificate: ClientCertificate | None = None

    @property
    def accept(self) -> str:
        """The media types that are welcome."""
        return self.headers.get("Accept", "")

    @property
    def language(self) -> negotiation.Language:
        """The language to write pages in."""
        return negotiation.language_of(self.headers.get("Accept-Language", ""))

    def parameters(self) -> Parameters:
        """Return the parameters of the query string and then those of the body, form or JSON.

        Raises:
            UnreadableParameters: they say nothing.
        """
        parameters = Parameters.from_form(self.query_string)
        if not self.body:
            return parameters
        if self.headers.get("Content-Type", "").lower().startswith("application/json"):
            return parameters + Parameters.from_json(self.body)
        return parameters + Parameters.from_form(self.body.decode(errors="surrogateescape"))

    def readable_parameters(self) -> Parameters:
        """Return the same, or none where they say nothing: for resources that can do without."""
        try:
            return self.parameters()
        except UnreadableParameters:
            return Parameters()


@dataclass(frozen=True, slots=True)
class WebResponse:
    """One response.

    Attributes:
        outcome: a short word for the counters; empty when no handle was asked for.
        shows: the record that alone decided the response, but for what the request says; None = other things did, too.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    shows: HandleRecord | None = None
