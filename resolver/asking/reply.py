"""What a server said, whatever was asked and however the answer came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handle_protocol.bodies.administration import HandleResponse
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.bodies.referral import Referral
from handle_protocol.bodies.resolution import ResolutionResponse
from handle_protocol.bodies.site import SiteInfoResponse
from handle_protocol.bodies.table import Body
from handle_protocol.codes import ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import Message
from handle_protocol.predefined.site import Site
from handle_protocol.record import HandleRecord

Address = tuple[str, int]
"""Host and port."""

Protocol = Literal["auto", "udp", "tcp", "http"]
"""How to ask; auto is UDP, then TCP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said.

    Attributes:
        response_code: a ResponseCode, or an unknown number.
        record: the values on SUCCESS, or where to ask on a referral; otherwise without values. Its handle is the one
            that was made, where a suffix was minted.
        text: the server's words for people, often empty.
        protocol: how the answer came: udp, tcp or http.
        is_authoritative: whether the server says the answer is its register's own.
        has_overwritten: whether something that was there before was replaced.
        body: what the answer holds, for what the other attributes do not say.
    """

    response_code: int
    record: HandleRecord
    text: str
    protocol: Protocol
    is_authoritative: bool
    has_overwritten: bool = False
    body: Body | None = None

    @property
    def is_success(self) -> bool:
        """Whether it was done."""
        return self.response_code == ResponseCode.SUCCESS

    @property
    def handles(self) -> tuple[Handle, ...]:
        """The handles of a list, or of a part of it."""
        return self.body.handles if isinstance(self.body, HandleListResponse) else ()

    @property
    def site(self) -> Site | None:
        """Where the service is, if that was asked. Raises MalformedMessage."""
        return self.body.site if isinstance(self.body, SiteInfoResponse) else None


def reply_of(answer: Message, handle: Handle, protocol: Protocol) -> Reply:
    """Return what an answer says about `handle`."""
    record, text = HandleRecord.of(handle, ()), ""
    match answer.body:
        case ResolutionResponse(answered, value_list):
            record = HandleRecord(answered, value_list)
        case HandleResponse(Handle() as made):
            record = HandleRecord.of(made, ())
        case Referral() as referral:
            record = HandleRecord.of(handle, referral.values)
            text = referral.handle
        case ErrorBody(words):
            text = words or ""
    return Reply(
        answer.response_code,
        record,
        text,
        protocol,
        answer.has_flag(OpFlag.AUTHORITATIVE),
        has_overwritten=answer.has_flag(OpFlag.OVERWRITE) and answer.response_code == ResponseCode.SUCCESS,
        body=answer.body,
    )
