"""Operations that change nothing: resolution where the short answer does not do, site information, verification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handle_protocol.bodies.challenge import VerifyChallengeRequest, VerifyChallengeResponse
from handle_protocol.bodies.digest import DIGEST_OCTETS, RequestDigest
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.site import SiteInfoResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.errors import MalformedMessage
from handle_protocol.flags import OpFlag
from handle_protocol.message import answer_to, answer_version
from handle_protocol.predefined.site import encode_site
from resolver.answer import Found, PermissionNeeded
from resolver.authentication.authentication import Authentication
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import SECRET_KEY, read_evidence
from resolver.operations.administrative import Administrative
from resolver.operations.asked import Answering, Asked
from resolver.operations.trust import TrustedQueries
from resolver.resolve import Resolver
from resolver.translation.commands import with_flag
from resolver.translation.messages import message_of, query_of

_APART: Final = "verify "
"""Wrong proofs that somebody has verified are counted apart: over UDP their sender may be forged, and must not keep the
owner of the key from proving anything."""

_NOT_VERIFIED: Final = "the record is not signed by anybody who is trusted 记录签名未通过验证"

_REFUSALS: Final = {
    Proof.BUSY: ResponseCode.SERVER_TOO_BUSY,
    Proof.TOO_MANY: ResponseCode.AUTHENTICATION_ERROR,
}
"""Where a verification has no verdict."""


class Inquiries:
    """Answers questions."""

    def __init__(
        self,
        resolver: Resolver,
        administrative: Administrative,
        authentication: Authentication,
        trusted_queries: TrustedQueries,
        unix_clock: Callable[[], float],
    ) -> None:
        self._resolver = resolver
        self._trusted_queries = trusted_queries
        self._administrative = administrative
        self._authentication = authentication
        self._unix_clock = unix_clock

    async def resolve(self, asked: Asked) -> Answering:
        """Resolve a handle; who asks for what not everybody may read is asked who it is.

        In a session such a question always needs an identity (reference).
        """
        query = query_of(asked.request)
        if not query.is_public_only and asked.session is not None:
            return await self._administrative.perform(asked)
        answer = await self._resolver.resolve(query)
        if isinstance(answer, PermissionNeeded):
            return await self._administrative.perform(asked)
        if isinstance(answer, Found) and asked.request.has_flag(OpFlag.TRUSTED_QUERY):
            return await self._resolve_trusted(asked, answer)
        return Answering((message_of(answer, asked.request, now=self._unix_clock()),))

    async def _resolve_trusted(self, asked: Asked, answer: Found) -> Answering:
        fault = await self._trusted_queries.find_fault(answer.record)
        if fault is None:
            told = message_of(answer, asked.request, now=self._unix_clock())
            return Answering((with_flag(told, OpFlag.TRUSTED_RESULT, is_set=True),))
        code, text = ResponseCode.CREDENTIAL_NOT_VERIFIED, f"{_NOT_VERIFIED}: {fault}"
        return Answering((answer_to(asked.request, code, ErrorBody(text), now=self._unix_clock()),))

    async def tell_site(self, asked: Asked) -> Answering:
        """Tell where this node is."""
        body = SiteInfoResponse(encode_site(self._resolver.site))
        return Answering((answer_to(asked.request, ResponseCode.SUCCESS, body, now=self._unix_clock()),))

    async def verify(self, asked: Asked) -> Answering:
        """Tell another service whether a proof was made with a key that is ours (operation 201)."""
        body = asked.request.body
        assert isinstance(body, VerifyChallengeRequest), "the codec reads this operation so"
        now = self._unix_clock()
        proof = await self._verdict(body, asked)
        if proof in _REFUSALS:
            return Answering((answer_to(asked.request, _REFUSALS[proof], ErrorBody(), now=now),))
        verdict = VerifyChallengeResponse(int(proof is Proof.VALID))
        return Answering((answer_to(asked.request, ResponseCode.SUCCESS, verdict, now=now),))

    async def _verdict(self, body: VerifyChallengeRequest, asked: Asked) -> Proof:
        try:
            digest = _digest_of(body.digest_octets)
        except MalformedMessage:
            return Proof.UNUSABLE
        # Who asks for the first time does not know our version, and says an old one with the newest as a suggestion.
        version = answer_version(asked.request)
        evidence = read_evidence(SECRET_KEY, body.proof, body.nonce, digest, version)
        verifier = self._authentication.verifier
        return (await verifier.verify(body.identity, evidence, f"{_APART}{asked.peer.address}")).proof


def _digest_of(octets: bytes) -> RequestDigest:
    """Read a digest, with or without the octet of its algorithm; only the digest itself enters the proof.

    Raises:
        MalformedMessage: it has the length of none.
    """
    for algorithm, length in DIGEST_OCTETS.items():
        if octets[:1] == bytes((algorithm,)) and len(octets) == length + 1:
            return RequestDigest(algorithm, octets[1:])
        if len(octets) == length:
            return RequestDigest(algorithm, octets)
    raise MalformedMessage("a digest", 0)
