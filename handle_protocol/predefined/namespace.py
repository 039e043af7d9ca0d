"""HS_NAMESPACE: what holds for all handles below a prefix (XML; RFC 3651 §3.2.7, and the reference)."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.errors import MalformedMessage
from handle_protocol.predefined.markup import Element, read_markup


@dataclass(frozen=True, slots=True)
class Namespace:
    """A description of a prefix.

    Attributes:
        source: the XML itself, with its templates; what is written back.
        contacts: whom to write to.
        is_active: False when the prefix says its handles are out of use.
        status_message: a text for people about the status, or empty.
        location_handles: handles whose 10320/loc values add locations.
    """

    source: bytes
    contacts: tuple[str, ...]
    is_active: bool
    status_message: str
    location_handles: tuple[str, ...]


def encode_namespace(namespace: Namespace) -> bytes:
    """Return the octets of a namespace."""
    return namespace.source


def decode_namespace(data: bytes) -> Namespace:
    """Read a namespace.

    Raises:
        MalformedMessage: it is no such XML, or too large.
    """
    root = read_markup(data)
    if root.name != "namespace":
        raise MalformedMessage("an element called namespace", 0)
    return Namespace(
        data,
        contacts=_texts(root, "contact"),
        is_active="inactive" not in _texts(root, "status"),
        status_message=" ".join(_texts(root, "statusmsg")),
        location_handles=tuple(handle for text in _texts(root, "locs") for handle in text.split()),
    )


def _texts(root: Element, name: str) -> tuple[str, ...]:
    return tuple(element.text.strip() for element in root.named(name))
