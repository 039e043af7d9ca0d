"""URLs that are not imported: nobody could be sent there, or not where a reader believes to be sent.

The same is refused over the wire, see resolver.administration.value_rules.
"""

from __future__ import annotations

import re
from typing import Final

_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\]")
"""Line ends would forge headers of a redirect; browsers read a backslash as a slash and drop tabs."""


def is_url_type(value_type: str) -> bool:
    """Tell whether values of a type are URLs: URL in any case, and its dotted children."""
    return value_type[:4].upper() in {"URL", "URL."}


def is_unsafe(url: str) -> bool:
    """Tell whether a URL holds what no URL may hold and what would mislead (RFC 3986 §2)."""
    return _UNSAFE.search(url) is not None
