"""10320/loc: several locations of a thing and how one is chosen (XML; handle 10320/loc, and the reference's proxy).

<locations choose_by="locatt,country,weighted">
  <location id="1" href="https://cn.example.com/" country="cn" weight="1"/>
</locations>
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handle_protocol.errors import MalformedMessage
from handle_protocol.predefined.markup import read_markup

CHOOSE_BY_DEFAULT: Final = ("locatt", "address", "country", "score", "weighted")
"""Reference: how its proxy chooses when the value does not say."""


@dataclass(frozen=True, slots=True)
class Location:
    """One place.

    Attributes:
        attributes: by name; `href` or `href_template` says where, the others when it is chosen.
    """

    attributes: Mapping[str, str]

    @property
    def href(self) -> str | None:
        """The address as it is written, or None when there is just a template."""
        return self.attributes.get("href")


@dataclass(frozen=True, slots=True)
class LocationList:
    """Places to choose from.

    Attributes:
        source: the XML itself; what is written back.
        attributes: of the list as a whole.
    """

    source: bytes
    attributes: Mapping[str, str]
    locations: tuple[Location, ...]

    @property
    def choose_by(self) -> tuple[str, ...]:
        """The filters to go through, in order."""
        written = self.attributes.get("choose_by") or self.attributes.get("chooseby")
        if written is None:
            return CHOOSE_BY_DEFAULT
        return tuple(name.strip() for name in written.split(",") if name.strip())


def encode_locations(locations: LocationList) -> bytes:
    """Return the octets of a location list."""
    return locations.source


def decode_locations(data: bytes) -> LocationList:
    """Read a location list.

    Raises:
        MalformedMessage: it is no such XML, or too large.
    """
    root = read_markup(data)
    if root.name != "locations":
        raise MalformedMessage("an element called locations", 0)
    return LocationList(data, root.attributes, tuple(Location(each.attributes) for each in root.named("location")))
