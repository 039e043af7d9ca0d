"""Answers for browsers: where to send a visitor of a handle, or what to show (recorded: vectors, file 14)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Final

from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle
from handle_protocol.predefined.alias import decode_alias
from handle_protocol.predefined.location import LocationList
from handle_protocol.predefined.namespace import Namespace
from handle_protocol.predefined.site import InterfaceProtocol, Site, SiteServer
from handle_protocol.value import HandleValue
from resolver.answer import (
    Answer,
    Busy,
    Found,
    NotFound,
    NotResponsible,
    PermissionNeeded,
    Referred,
    Suspended,
    ValuesNotFound,
)
from resolver.query import Query
from resolver.translation.locations import Places, Wishes, places_of, plain_places
from resolver.translation.parameters import Parameters
from resolver.translation.urls import own_path, redirect_target

ALIASES_MAX: Final = 10
"""Ours: how many aliases are followed; real chains have one link."""


LOCATION_HANDLES_MAX: Final = 3
"""Ours: records whose locations a prefix adds to those of its handles; prefixes in the field name one."""


class Notice(Enum):
    """Why a visitor gets neither a redirect nor a record. The texts stand with the pages."""

    NOT_FOUND = "not_found"
    DELETED = "deleted"
    NO_VALUES = "no_values"
    NOT_RESPONSIBLE = "not_responsible"
    SUSPENDED = "suspended"
    INACTIVE = "inactive"
    NOT_PUBLIC = "not_public"
    ELSEWHERE = "elsewhere"
    BUSY = "busy"
    NO_HANDLE = "no_handle"
    WRONG_PARAMETERS = "wrong_parameters"


STATUS_BY_NOTICE: Final = {
    Notice.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Notice.DELETED: HTTPStatus.GONE,
    Notice.NO_VALUES: HTTPStatus.NOT_FOUND,
    Notice.SUSPENDED: HTTPStatus.NOT_FOUND,
    Notice.INACTIVE: HTTPStatus.NOT_FOUND,
    Notice.NOT_RESPONSIBLE: HTTPStatus.BAD_REQUEST,
    Notice.NO_HANDLE: HTTPStatus.BAD_REQUEST,
    Notice.WRONG_PARAMETERS: HTTPStatus.BAD_REQUEST,
    Notice.NOT_PUBLIC: HTTPStatus.FORBIDDEN,
    Notice.ELSEWHERE: HTTPStatus.MULTIPLE_CHOICES,
    Notice.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}

_NOTICE_BY_ANSWER: Final[dict[type[Answer], Notice]] = {
    NotFound: Notice.NOT_FOUND,
    ValuesNotFound: Notice.NO_VALUES,
    NotResponsible: Notice.NOT_RESPONSIBLE,
    Suspended: Notice.SUSPENDED,
    PermissionNeeded: Notice.NOT_PUBLIC,
    Busy: Notice.BUSY,
}


@dataclass(frozen=True, slots=True)
class Visit:
    """What a browser asks for.

    Attributes:
        query_string: what stands after "?" in its address; kept when an alias leads on.
        wants_data: its Accept header asks for something else than a page.
        address: where it comes from.
    """

    handle: Handle
    parameters: Parameters
    query_string: str = ""
    wants_data: bool = False
    address: str = ""

    @property
    def follows_aliases(self) -> bool:
        """Whether an alias leads on."""
        return not self.parameters.says("ignore_aliases")

    @property
    def action(self) -> str:
        """What to do with the record: showvalues, showurls, or any other word for a redirect."""
        return "showvalues" if self.parameters.says("noredirect") else self.parameters.first("action") or "redirect"

    @property
    def wishes(self) -> Wishes:
        """What a choice between locations may depend on."""
        first = self.parameters.first
        return Wishes(first("locatt") or "", first("ip") or self.address, first("country") or "", self.wants_data)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the visitor on.

    Attributes:
        url: in ASCII, without control characters.
        lifetime_seconds: for how long caches may send others there; None = not at all.
        varies: another Accept header may lead elsewhere.
    """

    url: str
    lifetime_seconds: int | None
    status: HTTPStatus = HTTPStatus.FOUND
    varies: bool = False


@dataclass(frozen=True, slots=True)
class ShowRecord:
    """Show the values of a handle."""

    handle: Handle
    values: tuple[HandleValue, ...]


@dataclass(frozen=True, slots=True)
class ShowUrls:
    """Tell, in XML, where the visitor might be sent."""

    xml: str


@dataclass(frozen=True, slots=True)
class ShowNotice:
    """Say why there is nothing to show.

    Attributes:
        site: where the enterprise's own node is.
        message: what whoever holds the prefix says about it, or empty.
    """

    notice: Notice
    handle: str
    site: Site | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class FollowAlias:
    """Find out first where `target` leads.

    Attributes:
        lifetime_seconds, values: of the alias itself.
    """

    target: Handle
    lifetime_seconds: int | None
    values: tuple[HandleValue, ...]


Outcome = Redirect | ShowRecord | ShowUrls | ShowNotice


def query_of(visit: Visit) -> Query:
    """Return what must be known to serve `visit`: only what everybody may read.

    Raises:
        UnreadableParameters: an index is no number.
    """
    indexes, types = visit.parameters.indexes(), visit.parameters.texts("type")
    if (indexes or types) and visit.follows_aliases:
        types += ("HS_ALIAS",)
    return Query(visit.handle, indexes, types, is_authoritative=visit.parameters.says("auth"))


def notice_of_namespace(visit: Visit, namespace: Namespace | None) -> ShowNotice | None:
    """Return what to say when the prefix says that its handles are out of use, existing or not (reference)."""
    if namespace is None or namespace.is_active:
        return None
    return ShowNotice(Notice.INACTIVE, visit.handle.spelling, message=namespace.status_message)


def alias_of(visit: Visit, answer: Answer) -> Handle | None:
    """Return the handle that the visited one is another name of, if that is to be followed."""
    return _alias_among(visit, answer.record.values) if isinstance(answer, Found) else None


def outcome_of_alias(visit: Visit, alias: FollowAlias, end: Handle | None) -> Outcome:
    """Send the visitor to our own address of `end`, with the same parameters; without an end, show the alias itself.

    Args:
        visit: what was asked.
        alias: what the visited handle turned out to be.
        end: the handle that the chain of aliases ends in, or None when it runs in a circle.
    """
    if end is None:
        return ShowRecord(visit.handle, alias.values)
    return Redirect(own_path(end, visit.query_string), alias.lifetime_seconds, HTTPStatus.MOVED_PERMANENTLY)


def location_handles_of(visit: Visit, namespace: Namespace | None) -> tuple[Handle, ...]:
    """Return the handles whose locations the prefix adds to those of `visit`."""
    if namespace is None or visit.action == "showvalues":
        return ()
    handles = []
    for spelling in namespace.location_handles[:LOCATION_HANDLES_MAX]:
        with suppress(InvalidHandle):
            handles.append(Handle.parse(spelling))
    return tuple(handles)


def outcome_of(
    visit: Visit,
    answer: Answer,
    now: float,
    random: Callable[[], float],
    common: Sequence[LocationList] = (),
) -> Outcome | FollowAlias:
    """Return what to do for `visit`.

    Args:
        visit: what was asked.
        answer: what is known.
        now: Unix seconds.
        random: yields numbers from 0 to 1 for the choice between locations.
        common: the locations that the prefix names for all of its handles.
    """
    if isinstance(answer, Referred):
        return _send_to_node(visit, answer.site)
    if not isinstance(answer, Found):
        was_deleted = isinstance(answer, NotFound) and answer.was_deleted
        notice = Notice.DELETED if was_deleted else _NOTICE_BY_ANSWER[type(answer)]
        return ShowNotice(notice, visit.handle.spelling)
    values = answer.record.values
    lifetime_seconds = min((value.ttl.lifetime_seconds(now) for value in values), default=None)
    target = _alias_among(visit, values)
    if target is not None:
        return FollowAlias(target, lifetime_seconds, values)
    if visit.action == "showvalues":
        return ShowRecord(visit.handle, values)
    if visit.action == "showurls":
        return ShowUrls((places_of(visit.handle, values, common) or plain_places(values)).to_xml())
    places = places_of(visit.handle, values, common)
    return _send_on(visit, values, lifetime_seconds, places, random) or ShowRecord(visit.handle, values)


def _alias_among(visit: Visit, values: Sequence[HandleValue]) -> Handle | None:
    if not visit.follows_aliases:
        return None
    for value in values:
        if value.has_type("HS_ALIAS"):
            try:
                return decode_alias(value.data).handle
            except InvalidHandle:
                return None
    return None


def _send_on(
    visit: Visit,
    values: Sequence[HandleValue],
    lifetime: int | None,
    places: Places | None,
    random: Callable[[], float],
) -> Redirect | None:
    """Return the redirect to the chosen location, else to the first URL value, if it is a web address."""
    place = None if places is None else places.choose(visit.wishes, random)
    url, status = _first_url(values), HTTPStatus.FOUND
    if place is not None:
        url, status = place.href, _STATUS_BY_WORD.get(place.attributes.get("http_sc", ""), status)
    target = None if url is None else redirect_target(url, visit.parameters.first("urlappend") or "")
    if target is None:
        return None
    if visit.parameters.says("redirectionHeaders"):
        status = HTTPStatus.OK
    return Redirect(target, lifetime, status, varies=places is not None and places.varies)


def _first_url(values: Sequence[HandleValue]) -> str | None:
    """Return the first value of type URL, else the first of a type below it, such as URL.CN."""
    urls = [value for wanted in ("URL", "URL.") for value in values if value.has_type(wanted)]
    return urls[0].data.decode(errors="replace") if urls else None


def _send_to_node(visit: Visit, site: Site) -> Outcome:
    """Send the visitor to the enterprise's own node if it has a web door, else say where it is."""
    server = site.server_for(visit.handle)
    for protocol, scheme in _SCHEMES.items():
        port = None if server is None else server.port(protocol)
        if server is not None and port is not None:
            return Redirect(f"{scheme}://{_host(server)}:{port}{own_path(visit.handle, visit.query_string)}", None)
    return ShowNotice(Notice.ELSEWHERE, visit.handle.spelling, site)


def _host(server: SiteServer) -> str:
    return f"[{server.address}]" if server.address.version == 6 else str(server.address)  # noqa: PLR2004 - IPv6


_SCHEMES: Final = {InterfaceProtocol.HTTPS: "https", InterfaceProtocol.HTTP: "http"}
_STATUS_BY_WORD: Final = {str(status): HTTPStatus(status) for status in (301, 302, 303, 307, 308)}
