"""Choosing one of the places that a record names (10320/loc, as the reference's proxy chooses; recorded: file 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from handle_protocol.errors import MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.predefined.location import CHOOSE_BY_DEFAULT, Location, LocationList, decode_locations
from handle_protocol.value import HandleValue
from resolver.translation.urls import URL_CHARACTERS_MAX

LOCATIONS_TYPE: Final = "10320/loc"

NETWORKS_MAX: Final = 256
"""Ours: networks that a visitor's address is looked for in; each costs some 10 µs."""

_WEIGHT_BESIDE_OWN, _WEIGHT_ALONE = "0.0", "1.0"
"""Reference: of URL values beside a location list of the same record, and without one."""

_MEANS_YES: Final = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a visitor brings along that a choice may depend on.

    Attributes:
        attribute: "name:value" that a location must have, or empty.
        address: where the visitor comes from, or empty.
        country: two letters, or empty.
        wants_data: something else than a page is wanted.
    """

    attribute: str = ""
    address: str = ""
    country: str = ""
    wants_data: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Where a handle may lead.

    Attributes:
        choose_by: the names of the filters to go through, in order.
        places: each with its final address under "href".
    """

    choose_by: tuple[str, ...]
    places: tuple[Location, ...]

    @property
    def varies(self) -> bool:
        """Whether what a visitor accepts may decide."""
        return any(place.attributes.get("http_role") == "conneg" for place in self.places)

    def choose(self, wishes: Wishes, random: Callable[[], float]) -> Location | None:
        """Return one place, or None when there is none.

        A filter that leaves nothing is skipped; none is asked when one place is left.
        """
        left: Sequence[Location] = self.places
        if not wishes.attribute:
            left = _by_role(left, wishes) or left
        for name in self.choose_by:
            if len(left) > 1 and name in _FILTERS:
                left = _FILTERS[name](left, wishes) or left
        return _by_weight(left, random)

    def to_xml(self) -> str:
        """Write the places as XML, one a line."""
        lines = (
            "".join(f" {name}={quoteattr(text)}" for name, text in each.attributes.items()) for each in self.places
        )
        return "<locations>\n" + "".join(f"<location{line}/>\n" for line in lines) + "</locations>\n"


def places_of(handle: Handle, values: Sequence[HandleValue], common: Sequence[LocationList] = ()) -> Places | None:
    """Return the places that a record names; None when it has no readable 10320/loc value and nothing is common.

    Args:
        handle: whose record it is; templates are filled with it.
        values: of the record.
        common: what its prefix names for all of its handles (HS_NAMESPACE, locs), unless the record says no_nslocs.
    """
    own = locations_among(values)
    if own is not None and _says_yes(own.attributes, "no_nslocs"):
        common = ()
    lists = (*common,) if own is None else (own, *common)
    if not lists or (own is None and any(value.has_type(LOCATIONS_TYPE) for value in values)):
        return None
    attributes = {name: text for each in reversed(lists) for name, text in each.attributes.items()}
    weight = _WEIGHT_ALONE if own is None else _WEIGHT_BESIDE_OWN
    plain = () if _says_yes(attributes, "no_legacy") else plain_places(values, weight).places
    ours = () if own is None else _expanded(own.locations, handle)
    shared = (place for each in common for place in _expanded(each.locations, handle))
    return Places(LocationList(b"", attributes, ()).choose_by, (*ours, *plain, *shared))


def locations_among(values: Sequence[HandleValue]) -> LocationList | None:
    """Return the first location list of a record, if it can be read."""
    first = next((value for value in values if value.has_type(LOCATIONS_TYPE)), None)
    try:
        return None if first is None else decode_locations(first.data)
    except MalformedMessage:
        return None


def plain_places(values: Sequence[HandleValue], weight: str = _WEIGHT_BESIDE_OWN) -> Places:
    """Return the URL values of a record as places."""
    hrefs = (value.data.decode(errors="replace") for value in values if value.has_type("URL."))
    places = (Location({"mode": "legacy", "weight": weight, "href": href}) for href in hrefs)
    return Places(CHOOSE_BY_DEFAULT, tuple(places))


def _says_yes(attributes: Mapping[str, str], name: str) -> bool:
    return attributes.get(name, "").lower() in _MEANS_YES


def _expanded(locations: Sequence[Location], handle: Handle) -> Iterator[Location]:
    """Give each place its address: as written, or from a template with {hdl} and {hdl:path}; too long ones are none."""
    names = {"{hdl:path}": quote(handle.spelling), "{hdl}": quote(handle.spelling, safe="")}
    for location in locations:
        href = location.attributes.get("href_template")
        if location.href is not None or href is None:
            yield location
            continue
        if len(href) + sum(href.count(name) * len(text) for name, text in names.items()) > URL_CHARACTERS_MAX:
            continue
        for name, text in names.items():
            href = href.replace(name, text)
        yield Location({**location.attributes, "href": href})


def _by_role(places: Sequence[Location], wishes: Wishes) -> list[Location]:
    return [each for each in places if (each.attributes.get("http_role") == "conneg") == wishes.wants_data]


def _by_attribute(places: Sequence[Location], wishes: Wishes) -> list[Location]:
    name, colon, text = wishes.attribute.partition(":")
    return [each for each in places if colon and each.attributes.get(name) == text]


def _by_address(places: Sequence[Location], wishes: Wishes) -> list[Location]:
    found, left = [], NETWORKS_MAX
    for place in places:
        networks = place.attributes.get("addresses", "").replace(",", " ").split()
        if _is_among(wishes.address, networks[:left]):
            found.append(place)
        left = max(left - len(networks), 0)
    return found


def _by_country(places: Sequence[Location], wishes: Wishes) -> list[Location]:
    wanted = wishes.country.lower()
    return [each for each in places if wanted and each.attributes.get("country", "").lower() == wanted]


def _by_score(places: Sequence[Location], _wishes: Wishes) -> list[Location]:
    best = max(_number(each, "score", 0.0) for each in places)
    return [each for each in places if _number(each, "score", 0.0) == best]


_FILTERS: Final = {"locatt": _by_attribute, "address": _by_address, "country": _by_country, "score": _by_score}


def _by_weight(places: Sequence[Location], random: Callable[[], float]) -> Location | None:
    if not places:
        return None
    weights = [max(_number(each, "weight", 1.0), 0.0) for each in places]
    if not any(weights):
        weights = [1.0] * len(places)
    point = random() * sum(weights)
    for place, weight in zip(places, weights, strict=True):
        point -= weight
        if point < 0:
            return place
    return next(place for place, weight in zip(reversed(places), reversed(weights), strict=True) if weight)


def _number(place: Location, name: str, default: float) -> float:
    try:
        number = float(place.attributes.get(name, default))
    except ValueError:
        return default
    return number if abs(number) < float("inf") else default


def _is_among(address: str, networks: Sequence[str]) -> bool:
    try:
        return any(ip_address(address) in ip_network(each, strict=False) for each in networks)
    except ValueError:
        return False
