"""What the industrial SDKs said on their connections (vectors, file 15), and what of it they hear otherwise from us.

The recording lost some halves of its exchanges. Each is put together from the style of its own conversation and from
what another conversation says at the same step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final, Self

from handle_protocol import octets
from handle_protocol.bodies.administration import ValuesRequest
from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.bodies.digest import digest_of, usual_algorithm
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.resolution import ResolutionResponse
from handle_protocol.bodies.site import SiteInfoResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.limits import EXPIRATION_SECONDS
from handle_protocol.message import Message, decode_message, encode_header_and_body, encode_message
from handle_protocol.predefined.site import Site
from handle_protocol.record import encode_value_list
from handle_protocol.security.key_proofs import make_key_proof
from handle_protocol.security.message_authentication import verify_signature
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.public_keys import read_public_key
from handle_protocol.value import HandleValue
from tests.conformance.seeded import vectors
from tests.conformance.speaking import Tcp

_FILE: Final = vectors("15-teleinfo")
_RECORDED: Final[Mapping[str, dict[str, Any]]] = {each["name"]: each for each in _FILE["vectors"]}

KEYS: Final[Mapping[str, str]] = _FILE["keys"]

CONVERSATIONS: Final = ("rsa, plain", "sm2, plain", "caict")
"""By id-pointer-sdk 2.3.1 with a key of either kind, and by CAICT's ID-SDK 2.0.3."""

LEFT_OUT: Final[Mapping[str, str]] = {
    "rsa, plain: add request": "sm2, plain: add request",
    "rsa, plain: resolve response": "sm2, plain: resolve response",
    "sm2, plain: create response": "rsa, plain: create response",
    "sm2, plain: delete request": "rsa, plain: delete request",
    "caict: resolve response #3": "caict: resolve response",
    "caict: modify request": "rsa, plain: modify request",
    "caict: remove response": "rsa, plain: remove response",
    "caict: resolve response #7": "sm2, plain: resolve response",
    "caict: delete request": "rsa, plain: delete request",
}
"""Halves of exchanges that the recording lost, and where the same is said."""

_IDS: Final = slice(4, 12)
"""Session id and request id in the envelope."""

_OWN_TYPES: Final = ("HS_SITE", "HS_ADMIN")
_STAMP_SECONDS_MAX: Final = 300
"""Between the start of a test, or the writing of a value, and the look at it."""


@dataclass(frozen=True)
class Turn:
    """One request of an SDK, and what it heard.

    Attributes:
        name: of the answer, as the recording has it.
    """

    name: str
    request: bytes
    heard: bytes

    @property
    def asked(self) -> Message:
        """The request, read."""
        return decode_message(self.request)


def conversation(name: str) -> Iterator[Turn]:
    """Yield the turns of a conversation in their order.

    Teleinfo's SDK takes a session id for each connection of its pool, and logs in on it when it first needs to. The
    recording has that for the first connection; the ids that it leaves out are those of the later ones.
    """
    turns = tuple(_recorded_turns(name))
    opening = turns[:3]
    known = set()
    for turn in turns:
        session_id, request_id = turn.asked.session_id, turn.asked.request_id
        if session_id not in known and turn not in opening:
            yield from (_again(each, session_id, number) for each, number in zip(opening, count(request_id + 1)))
        known.add(session_id)
        yield turn


def first_turns(name: str) -> Mapping[str, Turn]:
    """Return the turns of a conversation by what they do ("create"), each as it was taken first, on one connection."""
    turns: dict[str, Turn] = {}
    for turn in conversation(name):
        first = next(iter(turns.values()), turn).asked.session_id
        step = turn.name.partition(": ")[2].removesuffix(" response")
        turns.setdefault(step, _again(turn, first, turn.asked.request_id))
    return turns


def recorded(name: str) -> bytes:
    """Return the octets of a recorded message."""
    return bytes.fromhex(_RECORDED[name]["wire_hex"])


def recorded_value(name: str) -> HandleValue:
    """Return a value that Teleinfo's SDK wrote."""
    [value] = ResolutionResponse(Handle("0"), octets.u32(1) + bytes.fromhex(_RECORDED[name]["value_hex"])).values
    return value


def stand_in(name: str, twin: str, other_half: Message) -> bytes:
    """Return the message that is said where `name` was lost.

    Args:
        name: of the lost message.
        twin: of one that says the same.
        other_half: what it asks for, or what asks for it.
    """
    whose = name.partition(":")[0]
    style = decode_message(recorded(f"{whose}: create request" if "request" in name else f"{whose}: add response"))
    made = decode_message(recorded(f"{whose}: create request")).body
    body = decode_message(recorded(twin)).body
    if hasattr(body, "handle"):
        body = replace(body, handle=getattr(other_half.body, "handle", made.handle))  # type: ignore[type-var, union-attr] - it has one
    header = replace(style.header, op_code=other_half.header.op_code)
    ids = {"session_id": other_half.session_id, "request_id": other_half.request_id}
    return encode_message(replace(style, header=header, body=body, **ids))


def _recorded_turns(name: str) -> Iterator[Turn]:
    halves: dict[int, dict[str, str]] = {}
    for each in _RECORDED.values():
        if each.get("conversation") == name:
            halves.setdefault(each["envelope"]["request_id"], {})[each["kind"]] = each["name"]
    for pair in halves.values():
        yield _turn(pair.get("request"), pair.get("response"))


def _turn(request: str | None, response: str | None) -> Turn:
    if request is None:
        assert response is not None
        lost = response.replace("response", "request")
        return Turn(response, stand_in(lost, LEFT_OUT[lost], decode_message(recorded(response))), recorded(response))
    if response is None:
        lost = request.replace("request", "response")
        return Turn(lost, recorded(request), stand_in(lost, LEFT_OUT[lost], decode_message(recorded(request))))
    return Turn(response, recorded(request), recorded(response))


def _again(turn: Turn, session_id: int, request_id: int) -> Turn:
    """Return the same turn with other ids."""
    ids = octets.u32(session_id) + octets.u32(request_id)
    return replace(turn, request=_with_ids(turn.request, ids), heard=_with_ids(turn.heard, ids))


def _with_ids(message_octets: bytes, ids: bytes) -> bytes:
    return message_octets[: _IDS.start] + ids + message_octets[_IDS.stop :]


@dataclass
class Sdk:
    """An SDK with its connections; one for each session id that it chooses.

    Attributes:
        key: with which it answers challenges.
    """

    address: tuple[str, int]
    key: SigningKey
    ways: dict[int, Tcp] = field(default_factory=dict)
    challenges: dict[int, Challenge] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for way in self.ways.values():
            way.socket.close()

    def say(self, request: bytes) -> tuple[bytes, Message]:
        """Send a request, its proof made anew if it has one; return what was sent, and the answer."""
        message = decode_message(request)
        session_id = message.session_id
        if isinstance(message.body, ChallengeAnswer):
            request = encode_message(self._proved(message, message.body))
        if session_id not in self.ways:
            self.ways[session_id] = Tcp(self.address)
        [answered] = self.ways[session_id].ask_octets(request)
        answer = decode_message(answered)
        assert encode_message(answer) == answered  # So nothing escapes those who compare what was read.
        if isinstance(answer.body, Challenge):
            self.challenges[session_id] = answer.body
        return request, answer

    def _proved(self, message: Message, body: ChallengeAnswer) -> Message:
        challenge = self.challenges[message.session_id]
        assert challenge.request_digest is not None
        digest = challenge.request_digest.octets
        proof = make_key_proof(self.key, challenge.nonce, digest, message.version, body.identity.handle)
        return replace(message, body=replace(body, proof=proof))


@dataclass(frozen=True)
class Compared:
    """An answer of ours beside the recorded one.

    Attributes:
        sent: the request that we answered.
        now: Unix seconds.
        site: where the node says to be, with its public key.
    """

    sent: Message
    ours: Message
    theirs: Message
    now: float
    site: Site

    def with_body_of(self, changed: Any) -> Message:
        """Return our answer with another body."""
        return replace(self.ours, body=changed)


def _version(compared: Compared) -> Message:
    assert compared.ours.version == min(compared.sent.suggested, VERSION_OURS)
    return replace(compared.ours, version=compared.theirs.version)


def _op_flags(compared: Compared) -> Message:
    ours, theirs = compared.ours.header, compared.theirs.header
    assert ours.op_flags == compared.sent.header.op_flags | OpFlag.AUTHORITATIVE
    return replace(compared.ours, header=replace(ours, op_flags=theirs.op_flags))


def _expiration(compared: Compared) -> Message:
    ours = compared.ours.header
    assert abs(ours.expires_at - EXPIRATION_SECONDS - compared.now) < _STAMP_SECONDS_MAX
    return replace(compared.ours, header=replace(ours, expires_at=compared.theirs.header.expires_at))


def _nonce(compared: Compared) -> Message:
    ours, theirs = compared.ours.body, compared.theirs.body
    if not isinstance(ours, Challenge) or not isinstance(theirs, Challenge):
        return compared.ours
    assert len(ours.nonce) == len(theirs.nonce)
    assert ours.nonce != theirs.nonce
    return compared.with_body_of(replace(ours, nonce=theirs.nonce))


def _digest(compared: Compared) -> Message:
    ours, theirs = compared.ours, compared.theirs
    if not compared.sent.has_flag(OpFlag.RETURN_REQUEST_DIGEST) or isinstance(ours.body, Challenge):
        return ours
    digest = digest_of(encode_header_and_body(compared.sent), usual_algorithm(ours.version))
    assert ours.body.octets == bytes((digest.algorithm,)) + digest.octets  # type: ignore[union-attr] - nothing else is answered
    return compared.with_body_of(theirs.body)


def _stamps(compared: Compared) -> Message:
    ours, theirs = compared.ours.body, compared.theirs.body
    if not isinstance(ours, ResolutionResponse) or not isinstance(theirs, ResolutionResponse):
        return compared.ours
    stamps = {value.index: value.modified_at for value in theirs.values}
    assert all(abs(value.modified_at - compared.now) < _STAMP_SECONDS_MAX for value in ours.values)
    values = [replace(value, modified_at=stamps.get(value.index, value.modified_at)) for value in ours.values]
    return compared.with_body_of(replace(ours, value_list=encode_value_list(values)))


def _own_values(compared: Compared) -> Message:
    body = compared.ours.body
    if not isinstance(body, ResolutionResponse):
        return compared.ours
    values = [value for value in body.values if value.value_type not in _OWN_TYPES]
    return compared.with_body_of(replace(body, value_list=encode_value_list(values)))


def _site(compared: Compared) -> Message:
    ours = compared.ours.body
    if not isinstance(ours, SiteInfoResponse):
        return compared.ours
    assert ours.site == compared.site
    return compared.with_body_of(compared.theirs.body)


def _words(compared: Compared) -> Message:
    return compared.with_body_of(compared.theirs.body) if isinstance(compared.ours.body, ErrorBody) else compared.ours


def _signature(compared: Compared) -> Message:
    if not compared.sent.has_flag(OpFlag.CERTIFY):
        return compared.ours
    assert verify_signature(compared.ours, read_public_key(compared.site.servers[0].public_key))
    return replace(compared.ours, credential=None)


MUST_DIFFER: Final[Mapping[str, Callable[[Compared], Message]]] = {
    "signature: asked for by the SDK, never given by the server of the recording; verified here": _signature,
    "digest of an answered challenge: covers the proof, which is made for a new nonce; computed here": _digest,
    "version: that server said 2.11 to whoever suggests 2.10; an answer has the lower one": _version,
    "operation flags: that server said RECURSIVE unasked, and knows no AUTHORITATIVE": _op_flags,
    "expiration: twelve hours from now": _expiration,
    "nonce: never twice": _nonce,
    "HS_SITE and HS_ADMIN: where a prefix is, and who may change what; that server knew neither": _own_values,
    "stamps of values: when they were written; that server kept what the SDK said": _stamps,
    "site: where this node is": _site,
    "words of a refusal: for people": _words,
}
"""In what an answer of ours is not to the octet what was heard, with the reason; each is right in its own way.

Each makes that part of our answer what it was in the recorded one, and leaves the rest.
"""


def as_heard(compared: Compared) -> bytes:
    """Return our answer with everything that must differ as it was in the recorded one; another outcome as it is."""
    if compared.ours.response_code != compared.theirs.response_code:
        return encode_message(compared.ours)
    for make_alike in MUST_DIFFER.values():
        compared = replace(compared, ours=make_alike(compared))
    return encode_message(compared.ours)


def refused(heard: Message, code: ResponseCode) -> Message:
    """Return a refusal in the place of an answer that was heard."""
    header = replace(heard.header, response_code=int(code))
    return replace(heard, header=header, body=ErrorBody(""))


def with_types(heard: Message, *wanted: str) -> Message:
    """Return an answer that was heard with values of the `wanted` types alone."""
    body = heard.body
    assert isinstance(body, ResolutionResponse)
    values = [value for value in body.values if value.value_type in wanted]
    return replace(heard, body=replace(body, value_list=encode_value_list(values)))


def with_change(heard: Message, change: str) -> Message:
    """Return an answer that was heard with the values of a change that was asked for before."""
    body, changed = heard.body, decode_message(recorded(change)).body
    assert isinstance(body, ResolutionResponse)
    assert isinstance(changed, ValuesRequest)
    return replace(heard, body=replace(body, value_list=encode_value_list((*body.values, *changed.values))))


ANSWERED_OTHERWISE: Final[Mapping[str, Callable[[Message], Message]]] = {
    # Whoever listens must not learn a password: off unless legacy_authentication.
    "caict: password login response": lambda heard: refused(heard, ResponseCode.AUTHENTICATION_ERROR),
    # A trusted query of a record that nobody signed: half a proof is none.
    "caict: resolve response #4": lambda heard: refused(heard, ResponseCode.CREDENTIAL_NOT_VERIFIED),
    # That server showed every value to whoever asked for one type.
    "caict: resolve response #5": lambda heard: with_types(heard, "HS_PUBKEY"),
    # That server always showed what was created, whatever had been changed.
    "rsa, plain: resolve response": lambda heard: with_change(heard, "rsa, plain: modify request"),
    "sm2, plain: resolve response": lambda heard: with_change(heard, "sm2, plain: modify request"),
}
"""Answers of the recording that ours knowingly are not, and what stands there instead."""


def expected(turn: Turn) -> bytes:
    """Return what a turn is answered with, but for MUST_DIFFER."""
    otherwise = ANSWERED_OTHERWISE.get(turn.name)
    return turn.heard if otherwise is None else encode_message(otherwise(decode_message(turn.heard)))
