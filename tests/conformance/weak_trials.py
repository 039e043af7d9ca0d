"""Proofs that prove nothing with usual settings, each by somebody who may do what is asked: MD5, SHA-1 and DSA."""

from __future__ import annotations

from dataclasses import replace

from handle_protocol.codes import ResponseCode
from handle_protocol.value import ValueReference
from tests.conformance.seeded import OWNER, SERVER_ADMINISTRATOR, administrator, recorded_key
from tests.conformance.speaking import Prover
from tests.conformance.trials import DELETE, RECORD, Trial, named

DSA = Prover(ValueReference(302, "0.NA/88.300.15907"), recorded_key("admin DSA"), "HS_PUBKEY", "SHA-256")

WEAK_PROVERS = {
    "an MD5 code": replace(OWNER, digest_name="MD5"),
    "a SHA-1 code": replace(OWNER, digest_name="SHA1"),
    "an MD5 signature": replace(SERVER_ADMINISTRATOR, digest_name="MD5"),
    "a SHA-1 signature": replace(SERVER_ADMINISTRATOR, digest_name="SHA1"),
    "a key of DSA": DSA,
}
_DELETABLE = (*RECORD, administrator(103, SERVER_ADMINISTRATOR), administrator(104, DSA))

WEAK_TRIALS = (
    *(
        Trial(
            f"delete by {proof}",
            DELETE,
            named(),
            ResponseCode.INVALID_CREDENTIAL,
            prover,
            before=_DELETABLE,
            after=_DELETABLE,
        )
        for proof, prover in WEAK_PROVERS.items()
    ),
    Trial(
        "delete by a SHA-256 signature",
        DELETE,
        named(),
        ResponseCode.SUCCESS,
        SERVER_ADMINISTRATOR,
        before=_DELETABLE,
        after=None,
    ),
    Trial(
        "delete by a SHA-256 code",
        DELETE,
        named(),
        ResponseCode.SUCCESS,
        replace(OWNER, digest_name="SHA256"),
        before=_DELETABLE,
        after=None,
    ),
)
