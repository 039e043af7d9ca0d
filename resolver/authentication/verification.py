"""Verifying proofs: which key is meant, whether the evidence fits it, and who may not try any more.

What costs time runs in a few threads, and no more may wait for them than they get through soon.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple

from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.value import HandleValue, ValueReference
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import SECRET_KEY, Evidence, SecretCode, proof_of
from resolver.authentication.guessing import Guess, Guessing
from resolver.authentication.keys import KeySource, RemoteKeys
from resolver.metrics import AUTHENTICATIONS, LEGACY_AUTHENTICATIONS

WAITING_MAX: Final = 64
"""Proofs that wait for a thread: at the cost of the field, 5 ms each, a third of a second of one; at the highest that
is allowed, 0.2 s each, thirteen seconds, but who sends such and fails is refused soon."""

KEYS_TRIED_MAX: Final = 3
"""Keys of one handle that are tried when the claim leaves open which: the field has one, or two while they rotate. For
nobody one is tried, so a refusal tells by its time no more than that factor."""

REMOTE_BELIEF_SECONDS: Final = 300.0
"""How long somebody is believed whose secret key only another service knows: it can be asked again with a new
challenge alone."""

DELAY_SECONDS: Final = 1.0
"""How long one who may not try any more waits to hear so."""

DELAYED_MAX: Final = 256
"""How many may be kept waiting at once: these cost memory."""

_DECOY: Final = HandleValue(1, SECRET_KEY, b"nobody's secret")
"""What a code is held against when there is no such key, so that the time does not tell."""


@dataclass(frozen=True, slots=True)
class VerificationLimits:
    """Bounds of verification.

    Attributes:
        threads: how many proofs are verified at once.
        waiting_max: how many more may wait.
        accepts_legacy: whether MD5, SHA-1, DSA, short keys and versions below 2.7 prove anything.
    """

    threads: int = 1
    waiting_max: int = WAITING_MAX
    accepts_legacy: bool = False


@dataclass(frozen=True, slots=True)
class ProvedKey:
    """The key that somebody proved to have, so that it can be noticed when it is changed or gone.

    Attributes:
        reference: the value that holds it.
        value_type: HS_SECKEY or HS_PUBKEY.
        fingerprint: of the value's data, with a secret of this process; None = only another service knows the key.
        believed_until: for a key without fingerprint, seconds of the monotonic clock.
    """

    reference: ValueReference
    value_type: str
    fingerprint: bytes | None
    believed_until: float = 0.0


class Verified(NamedTuple):
    """What a proof is worth, and which key it was made with when it is VALID."""

    proof: Proof
    key: ProvedKey | None = None


class Verifier:
    """Verifies the proofs of one worker.

    Args:
        keys: of our own handles.
        guessing: who may not try any more.
        limits: what is verified, and how much at once.
        remote: keys of other handles; None = nobody else can prove anything.
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        keys: KeySource,
        guessing: Guessing,
        limits: VerificationLimits,
        remote: RemoteKeys | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._remote = remote
        self._limits = limits
        self._guessing = guessing
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="proofs")
        self._under_way = 0
        self._delayed = 0

    async def verify(self, identity: ValueReference, evidence: Evidence | Proof, address: str) -> Verified:
        """Verify what somebody at `address` presents to prove to be `identity`."""
        if isinstance(evidence, Proof):
            AUTHENTICATIONS.labels("unread", evidence.value).inc()
            return Verified(evidence)
        guess = Guess.at(identity, address)
        verified = await self._verify_unless_refused(guess, identity, evidence)
        if verified.proof is Proof.TOO_MANY:
            await self._delay()
        elif verified.proof in {Proof.WRONG, Proof.UNKNOWN}:
            self._guessing.fail(guess, self._clock())
        AUTHENTICATIONS.labels(evidence.method, verified.proof.value).inc()
        return verified

    async def recheck(self, key: ProvedKey) -> Proof:
        """Tell whether a key that was proved is still there, unchanged: VALID, UNKNOWN or BUSY."""
        if key.fingerprint is None:
            return Proof.VALID if self._clock() < key.believed_until else Proof.UNKNOWN
        try:
            _, values = await self._find(key.reference, key.value_type)
        except (ConnectionError, TimeoutError):
            return Proof.BUSY
        except ProtocolError:
            return Proof.UNKNOWN
        is_there = any(hmac.compare_digest(self._fingerprint(value), key.fingerprint) for value in values)
        return Proof.VALID if is_there else Proof.UNKNOWN

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _verify_unless_refused(self, guess: Guess, identity: ValueReference, evidence: Evidence) -> Verified:
        if self._guessing.is_refused(guess, self._clock()):
            return Verified(Proof.TOO_MANY)
        verified = await self._look_and_judge(identity, evidence)
        # Many guesses at once would all begin before the first has failed: what these found out is not told.
        return Verified(Proof.TOO_MANY) if self._guessing.is_refused(guess, self._clock()) else verified

    async def _look_and_judge(self, identity: ValueReference, evidence: Evidence) -> Verified:
        try:
            is_ours, values = await self._find(identity, evidence.value_type)
            if not is_ours and evidence.value_type == SECRET_KEY:
                return await self._ask_service(identity, evidence)
        except (ConnectionError, TimeoutError):
            return Verified(Proof.BUSY)
        except ProtocolError:
            return Verified(Proof.UNKNOWN)
        return await self._judge(identity, evidence, values)

    async def _find(self, identity: ValueReference, value_type: str) -> tuple[bool, Sequence[HandleValue]]:
        """Return whether the handle is ours, and which of its values may be meant."""
        handle = Handle.parse(identity.handle)
        values = await self._keys.values(handle)
        is_ours = values is not None
        if values is None and self._remote is not None and value_type != SECRET_KEY:
            values = await self._remote.values(handle)
        meant = (each for each in values or () if each.has_type(value_type) and identity.index in {0, each.index})
        return is_ours, [value for _, value in zip(range(KEYS_TRIED_MAX), meant, strict=False)]

    async def _ask_service(self, identity: ValueReference, evidence: Evidence) -> Verified:
        if self._remote is None or not isinstance(evidence, SecretCode):
            return Verified(Proof.UNKNOWN)
        if self._is_refused_as_weak(evidence.weakness(b"")):
            return Verified(Proof.TOO_WEAK)
        if not await self._remote.verifies(identity, evidence):
            return Verified(Proof.WRONG)
        return Verified(
            Proof.VALID, ProvedKey(identity, SECRET_KEY, None, believed_until=self._clock() + REMOTE_BELIEF_SECONDS)
        )

    async def _judge(self, identity: ValueReference, evidence: Evidence, values: Sequence[HandleValue]) -> Verified:
        if self._under_way >= self._limits.threads + self._limits.waiting_max:
            return Verified(Proof.BUSY)
        self._under_way += 1
        try:
            judgement = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._try_keys, evidence, identity.handle, values
            )
        finally:
            self._under_way -= 1
        if judgement.weakness is not None and judgement.proof is Proof.VALID:
            LEGACY_AUTHENTICATIONS.labels(judgement.weakness).inc()
        if judgement.value is None:
            return Verified(judgement.proof)
        reference = ValueReference(judgement.value.index, identity.handle)
        return Verified(judgement.proof, ProvedKey(reference, evidence.value_type, self._fingerprint(judgement.value)))

    def _try_keys(self, evidence: Evidence, handle: str, values: Sequence[HandleValue]) -> _Judgement:
        """Hold the evidence against each key, in a thread, and return the judgement that says most."""
        if not values:
            if evidence.value_type == SECRET_KEY:
                self._try_key(evidence, handle, _DECOY)
            return _Judgement(Proof.UNKNOWN)
        judgements = (self._try_key(evidence, handle, value) for value in values)
        return min(judgements, key=lambda each: _TELLING.index(each.proof))

    def _try_key(self, evidence: Evidence, handle: str, value: HandleValue) -> _Judgement:
        try:
            weakness = evidence.weakness(value.data)
            if self._is_refused_as_weak(weakness):
                return _Judgement(Proof.TOO_WEAK)
            if evidence.fits(value.data, handle):
                return _Judgement(Proof.VALID, value, weakness)
        except ProtocolError as error:
            return _Judgement(proof_of(error))
        return _Judgement(Proof.WRONG)

    def _is_refused_as_weak(self, weakness: str | None) -> bool:
        return weakness is not None and not self._limits.accepts_legacy

    def _fingerprint(self, value: HandleValue) -> bytes:
        return hmac.digest(self._secret, value.data, "sha256")

    async def _delay(self) -> None:
        if self._delayed < DELAYED_MAX:
            self._delayed += 1
            try:
                await asyncio.sleep(DELAY_SECONDS)
            finally:
                self._delayed -= 1


class _Judgement(NamedTuple):
    proof: Proof
    value: HandleValue | None = None
    weakness: str | None = None


_TELLING: Final = (Proof.VALID, Proof.WRONG, Proof.TOO_WEAK, Proof.UNUSABLE)


class PresentedClaim:
    """Somebody's claim with the evidence for it, which is looked at once, when it matters.

    Attributes:
        identity: who it is said to be.
    """

    def __init__(self, verifier: Verifier, identity: ValueReference, evidence: Evidence | Proof, address: str) -> None:
        self.identity = identity
        self._verifier = verifier
        self._evidence = evidence
        self._address = address
        self._proving = asyncio.Lock()
        self._verified: Verified | None = None

    async def prove(self) -> Proof:
        """See Claim."""
        async with self._proving:
            if self._verified is None:
                self._verified = await self._verifier.verify(self.identity, self._evidence, self._address)
        return self._verified.proof

    @property
    def proved(self) -> ProvedClaim | None:
        """The claim that a session or a login goes on with; None unless this one was proved, and is true."""
        key = None if self._verified is None else self._verified.key
        return None if key is None else ProvedClaim(self._verifier, key)


@dataclass(frozen=True, slots=True)
class ProvedClaim:
    """Somebody who proved before to have a key, and is believed while that key is there and unchanged.

    Each look asks the register, so whoever lost a key, or had it revoked, is stopped at the next command.
    """

    verifier: Verifier
    key: ProvedKey

    @property
    def identity(self) -> ValueReference:
        """Who it is: the value that holds the key, even where the claim had left open which."""
        return self.key.reference

    async def prove(self) -> Proof:
        """Return VALID while the key is there, UNKNOWN when it is not, BUSY when nobody can tell."""
        return await self.verifier.recheck(self.key)
