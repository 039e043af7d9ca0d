"""Claims whose worth is known beforehand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from handle_protocol.value import ValueReference
from resolver.authentication.claims import Proof


@dataclass
class KnownClaim:
    """A claim that turns out as it was made.

    Attributes:
        identity: who it is said to be.
        proof: what it is worth.
        proves_to_be: who the proof shows it to be, when `identity` left that open.
        proofs: how often it was asked to be proved.
    """

    identity: ValueReference
    proof: Proof = Proof.VALID
    proves_to_be: ValueReference | None = None
    proofs: int = 0

    async def prove(self) -> Proof:
        """Return what the claim is worth."""
        await asyncio.sleep(0)
        self.proofs += 1
        self.identity = self.proves_to_be or self.identity
        return self.proof
