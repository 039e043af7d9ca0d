"""Who asks for a resource of the REST API: found out before anything else is, over TLS alone (recorded: vector 14).

Basic ─▶ a secret key    Handle ─▶ a proof in a session, or a session that goes on    Handle clientCert ─▶ TLS saw it
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from handle_protocol.value import ValueReference
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import CertificateKey, Password
from resolver.authentication.verification import PresentedClaim
from resolver.authentication.web_logins import LoginAnswer, SessionView, WebLogins
from resolver.listeners.http_messages import READING_METHODS, WebRequest
from resolver.translation.authorization import (
    NOT_VERIFIED,
    HandleCredentials,
    PasswordCredentials,
    UnreadableAuthorization,
    challenge_text,
    read_authorization,
    read_identity,
    read_session_cookie,
)

SIGNATURES_WAITING_MAX: Final = 64
"""Ours: signatures of the node that are under way; more are answered without one."""

Sign = Callable[[bytes], Awaitable[tuple[str, bytes]]]
"""Signs with the node's key: returns the name of the digest, and the signature."""


@dataclass(frozen=True, slots=True)
class ProvedIdentity:
    """Somebody whose proof was verified for this request: a Claim that holds as long as the request."""

    identity: ValueReference

    async def prove(self) -> Proof:
        """Return VALID: it was proved before the command began."""
        return Proof.VALID


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes:
        claim: who it was proved to be; None = nobody said so.
        failure: what the credentials were worth that proved nothing; None = nothing was wrong.
        session: the one that was used.
        login: the claim of credentials that came with the request itself, which a new session goes on with.
        names_scheme: whether the scheme Handle was used, so that Basic is not offered.
        headers: what is to be said in any case.
    """

    claim: ProvedIdentity | None = None
    failure: Proof | None = None
    session: SessionView | None = None
    login: PresentedClaim | None = None
    names_scheme: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


NOBODY: Final = Asker()


class RestIdentity:
    """Finds out who asks.

    Args:
        logins: the way to every web session; None = nobody can log in.
        sign: the node's own signature, for clients that want to know the node; None = there is none.
    """

    def __init__(self, logins: WebLogins | None, sign: Sign | None) -> None:
        self._logins = logins
        self._sign = sign
        self._signing = 0

    def takes_logins(self, request: WebRequest) -> bool:
        """Tell whether whoever sent `request` may say who they are: only over TLS."""
        return self._logins is not None and request.is_secure

    async def identify(self, request: WebRequest) -> Asker:
        """Return who sent `request`. Raises ConnectionError or TimeoutError when nobody can tell now."""
        header, cookie = request.headers.get("Authorization", ""), request.headers.get("Cookie", "")
        if self._logins is None or not request.is_secure or not (header or cookie):
            return NOBODY
        session_id = read_session_cookie(cookie) if cookie else ""
        if not header:
            return await self._look(self._logins, HandleCredentials(session_id), request) if session_id else NOBODY
        try:
            credentials = read_authorization(header)
        except UnreadableAuthorization:
            return Asker(failure=Proof.UNUSABLE)
        if isinstance(credentials, PasswordCredentials):
            evidence = Password(credentials.secret)
            return await self._prove(
                self._logins.authentication.present(credentials.identity, evidence, request.address)
            )
        if credentials.shows_certificate:
            return await self._identify_by_certificate(self._logins, credentials, request)
        return await self.log_in(credentials, session_id, request)

    async def log_in(self, credentials: HandleCredentials, cookie_session: str, request: WebRequest) -> Asker:
        """Return who `credentials` of the scheme Handle prove it is; a session may be named by a cookie instead."""
        if self._logins is None:
            return NOBODY
        session_id = credentials.session_id or cookie_session
        if credentials.proof is None:
            found = HandleCredentials(session_id, credentials.client_nonce)
            return await self._look(self._logins, found, request)
        answer = await self._logins.log_in(session_id, credentials.proof, request.address)
        return _asker(answer)

    def challenge(self, request: WebRequest, asker: Asker) -> dict[str, str]:
        """Return what asks for credentials, with a session in which they can be proved."""
        if self._logins is None:
            return {}
        session = asker.session or self._logins.open(request.address)
        error = NOT_VERIFIED if asker.failure is not None else ""
        offers_basic = not asker.names_scheme
        return {"WWW-Authenticate": challenge_text(session.id, session.nonce, offers_basic=offers_basic, error=error)}

    async def _look(self, logins: WebLogins, credentials: HandleCredentials, request: WebRequest) -> Asker:
        answer = await logins.look(credentials.session_id, request.address)
        asker = _asker(answer)
        if asker.session is None or not credentials.client_nonce or self._sign is None:
            return asker
        headers = await self._signed(self._sign, asker.session, credentials.client_nonce)
        return Asker(asker.claim, asker.failure, asker.session, names_scheme=True, headers=headers)

    async def _signed(self, sign: Sign, session: SessionView, client_nonce: bytes) -> dict[str, str]:
        """Return the node's signature over both nonces; the first is ours, so that nobody chooses what is signed."""
        if self._signing >= SIGNATURES_WAITING_MAX:
            return {}
        self._signing += 1
        try:
            signature = await sign(session.nonce + client_nonce)
        finally:
            self._signing -= 1
        return {"WWW-Authenticate": challenge_text(session.id, session.nonce, offers_basic=False, signature=signature)}

    async def _identify_by_certificate(
        self, logins: WebLogins, credentials: HandleCredentials, request: WebRequest
    ) -> Asker:
        certificate = request.client_certificate
        if certificate is None:
            return Asker(failure=Proof.UNUSABLE, names_scheme=True)
        try:
            identity = credentials.identity or read_identity(certificate.user_id)
        except UnreadableAuthorization:
            return Asker(failure=Proof.UNUSABLE, names_scheme=True)
        evidence = CertificateKey(certificate.public_key)
        return await self._prove(logins.authentication.present(identity, evidence, request.address))

    async def _prove(self, claim: PresentedClaim) -> Asker:
        proof = await claim.prove()
        proved = claim.proved
        if proved is None:
            return Asker(failure=proof)
        return Asker(ProvedIdentity(proved.identity), login=claim)


def is_forged(request: WebRequest) -> bool:
    """Tell whether a page of another origin may have made a browser send this, with what it sends by itself.

    That is a cookie, or with POST (which a form can send) a remembered password. What has a header of the scheme
    Handle was written by a script that was allowed to.
    """
    origin = request.headers.get("Origin", "")
    if not origin or request.method in READING_METHODS or _is_own(origin, request.headers.get("Host", "")):
        return False
    authorization = request.headers.get("Authorization", "").lstrip().lower()
    if authorization.startswith("basic"):
        return request.method == "POST"
    return not authorization and "Cookie" in request.headers


def _is_own(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _asker(answer: LoginAnswer) -> Asker:
    """Return who a session is; one that is not there, or whose key is gone, proves nothing."""
    session = answer.session
    if session is None:
        return Asker(failure=answer.proof or Proof.UNUSABLE, names_scheme=True)
    if answer.proof not in {None, Proof.VALID}:
        return Asker(failure=answer.proof, session=session, names_scheme=True)
    claim = None if session.identity is None else ProvedIdentity(session.identity)
    return Asker(claim, session=session, names_scheme=True)
