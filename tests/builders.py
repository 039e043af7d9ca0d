"""Short ways to make what many tests are about."""

from __future__ import annotations

from handle_protocol.predefined.site import Site
from handle_protocol.value import HandleValue

OWN_SITE = Site((), serial=1)


def text_value(index: int, value_type: str, text: str, **fields: object) -> HandleValue:
    """Return a value that holds text."""
    return HandleValue(index, value_type, text.encode(), **fields)
