"""A REST API over a register in memory, with administration, and with the reference's own session ids and nonces."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from handle_protocol.handle import Handle
from handle_protocol.json_form import record_from_json
from handle_protocol.predefined.site import decode_site
from handle_protocol.record import HandleRecord
from handle_protocol.value import ValueReference
from resolver.administration.administration import Administration
from resolver.authentication.authentication import Authentication, AuthenticationLimits
from resolver.authentication.keys import RegisterKeys
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.verification import VerificationLimits
from resolver.authentication.web_logins import WebLogins
from resolver.authentication.web_sessions import WebSessions
from resolver.authority import Authority
from resolver.cache import CacheLimits, RecordCache
from resolver.listeners.client_certificate import ClientCertificate
from resolver.listeners.http_messages import WebRequest, WebResponse
from resolver.listeners.http_service import HttpService
from resolver.listeners.rest_api import RestApi
from resolver.resolve import Resolver
from tests.builders import text_value
from tests.fakes.memory_register import MemoryRegister
from tests.integration.resolver.http_world import LOCATIONS, PREFIX, RECORDED_AT, SEED, recorded_record

SECRET = SEED["secret_key"]
BASIC = "Basic " + base64.b64encode(f"301%3A0.NA%2F{PREFIX}:{SECRET}".encode()).decode()
ADDRESS = "192.0.2.7"


class Reply:
    """A response."""

    def __init__(self, response: WebResponse) -> None:
        self.status = int(response.status)
        self.headers: Mapping[str, str] = response.headers
        self.text = response.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> tuple[int, int]:
        return self.status, self.json["responseCode"]


class RestWorld:
    """A service and what stands behind it.

    Attributes:
        session: id and nonce of the session that is opened next.
        suffix: the end of the name that is minted next.
        signed: what the node was to sign.
    """

    def __init__(self, *, accepts_legacy: bool = True) -> None:
        self.register = MemoryRegister()
        self.register.add_prefix(PREFIX, folds_suffix=True)
        self.session = ("abc123", b"n" * 16)
        self.suffix = "0001"
        self.signed: list[bytes] = []
        site = decode_site(record_from_json(SEED["handles"][0]).values[0].data)
        self.resolver = Resolver(self.register, RecordCache(CacheLimits()), site)
        ids = SessionIds(draw=lambda _: int(self.session[0], 36))
        limits = AuthenticationLimits(verification=VerificationLimits(accepts_legacy=accepts_legacy))
        self.authentication = Authentication(RegisterKeys(self.resolver), ids, limits)
        self.authentication.web_sessions = WebSessions(ids, draw_octets=lambda _: self.session[1])
        administration = Administration(
            self.resolver,
            self.register,
            self.register,
            self.register,
            map(ValueReference.parse, SEED["server_admins"]),
            new_suffix=lambda: self.suffix,
        )
        rest = RestApi(self.resolver, administration, WebLogins(self.authentication), self._sign)
        self._service = HttpService(self.resolver, lambda: True, lambda: RECORDED_AT, lambda: 0.5, rest)
        self._store()

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        is_secure: bool = True,
        certificate: ClientCertificate | None = None,
        **headers: str,
    ) -> Reply:
        """Send a request; names of headers are written with underscores."""
        path, _, query_string = target.partition("?")
        octets = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        request = WebRequest(method, path, query_string, named, octets, ADDRESS, is_secure, certificate)
        return Reply(await self._service.serve(request))

    async def put(self, target: str, values: Any, **headers: str) -> Reply:
        """Send values as the administrator."""
        usual = {"Authorization": BASIC, "Content_Type": "application/json"}
        return await self.ask("PUT", target, values, **(usual | headers))

    def store(self, spelling: str, *values: Any) -> None:
        """Store a record."""
        self.register.put(spelling, *values, folds_suffix=True)

    def close(self) -> None:
        self.authentication.close()

    async def _sign(self, content: bytes) -> tuple[str, bytes]:
        await asyncio.sleep(0)
        self.signed.append(content)
        return "SHA-256", b"signature"

    def _store(self) -> None:
        for record in (record_from_json(SEED["handles"][0]), recorded_record("GET all")):
            self.store(record.handle.spelling, *record.values)
        for name in ("FIRST", *(f"LST-{number}" for number in range(7))):
            self.store(f"{PREFIX}/{name}", text_value(1, "DESC", name))
        self.resolver.authority = Authority(self.register.prefixes.values())
        self.resolver.cache.trust(1e12)

    def add_locations(self) -> None:
        """Store what was stored, unrecorded, before the locations were asked for."""
        self.store(
            f"{PREFIX}/loc-1", text_value(1, "10320/loc", LOCATIONS), text_value(2, "URL", "https://plain.example/")
        )

    def stored(self, spelling: str) -> HandleRecord | None:
        """Return a record as it is stored."""
        return self.register.records.get(Handle(spelling).key(folds_suffix=True))


def without_stamps(text: str) -> str:
    """Leave out when values were changed."""
    return re.sub(r',?\s*"timestamp":\s*"[^"]*"', "", text)
