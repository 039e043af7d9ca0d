"""Where the REST API ends otherwise than messages do, or cannot ask at all; each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handle_protocol.codes import ResponseCode
from tests.conformance.seeded import OWNER, SERVER_ADMINISTRATOR
from tests.conformance.speaking import Prover
from tests.conformance.trials import MAIL, RECORD, replaced

_NO_SUCH_RESOURCE = "there is no resource for it"
_KEYS = "sessions of the REST API have no keys: TLS has"

INEXPRESSIBLE: Mapping[str, str] = {
    "remove nothing": "DELETE without indexes deletes the record",
    "set up a session with an RSA key": _KEYS,
    "set up a session with a key that is none": _KEYS,
    "hand over a key": _KEYS,
    **{f"operation {op_code}": _NO_SUCH_RESOURCE for op_code in (106, 1000, 1001, 1002, 1003, 1004, 606, 3000)},
}
"""Trials that cannot be asked over HTTP, by name."""


@dataclass(frozen=True)
class RestDifference:
    """How a trial ends over REST.

    Attributes:
        reason: why not as in messages.
        fields: of the outcome that differ, by name.
        prover: who answers the challenge that messages do not have.
    """

    reason: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    prover: Prover | None = None


_LISTING = "a list says who asks first"
_REPLACING = "PUT with indexes adds or replaces (operation 102), and asks who it is before anything else"


def _asked_first(prover: Prover) -> RestDifference:
    return RestDifference(_LISTING, {"is_challenged": True}, prover)


def _replacing(prover: Prover | None = None, **fields: object) -> RestDifference:
    return RestDifference(_REPLACING, {"is_challenged": True, **fields}, prover)


REST_DIFFERENCES: Mapping[str, RestDifference] = {
    "modify": _replacing(has_overwritten=True),
    "modify what anybody may": _replacing(code=ResponseCode.AUTHENTICATION_NEEDED, stored=RECORD),
    "modify what nobody may": _replacing(code=ResponseCode.SUCCESS, has_overwritten=True),
    "modify a value that is not there": _replacing(code=ResponseCode.SUCCESS, stored=replaced(MAIL)),
    "modify what is not there": _replacing(),
    "list another's handles": _asked_first(OWNER),
    "list the handles of a suspended prefix": _asked_first(OWNER),
    "list the handles of a delegated prefix": _asked_first(OWNER),
    "list the handles of no prefix": _asked_first(OWNER),
    "home no prefix": _asked_first(SERVER_ADMINISTRATOR),
    "unhome no prefix": _asked_first(SERVER_ADMINISTRATOR),
    "verify a proof that is none": RestDifference(
        "a name of an algorithm can be unknown", {"code": ResponseCode.PROTOCOL_ERROR}
    ),
    "end no session": RestDifference("a session that is not there is forbidden without a word", {"code": None}),
}
"""By the name of the trial."""

_LOGIN_FAILURES = frozenset(
    {ResponseCode.AUTHENTICATION_FAILED, ResponseCode.INVALID_CREDENTIAL, ResponseCode.AUTHENTICATION_ERROR}
)


def unsaid_in_rest(code: int | None) -> int | None:
    """Return the code of a reply where messages have `code`: of wrong credentials nothing is said (vector 14)."""
    return None if code in _LOGIN_FAILURES else code
