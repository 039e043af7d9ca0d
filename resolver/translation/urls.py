"""URLs that somebody may be sent to: web addresses in ASCII that cannot leave their header or their host."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from handle_protocol.handle import Handle

URL_CHARACTERS_MAX: Final = 8_192
"""Ours: browsers and proxies refuse longer ones."""

_SCHEMES: Final = frozenset({"http", "https"})
_REFUSED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
"""Line breaks would end the header; browsers read a backslash as a slash and drop tabs."""

_KEPT_IN_URL: Final = "!#$%&'()*+,/:;=?@[]~|^{}`"
_KEPT_IN_PATH: Final = "!$&'()*+,/:;=@~"


def redirect_target(url: str, appended: str = "") -> str | None:
    """Return `url` with `appended` behind it in ASCII, or None when nobody may be sent there.

    What is appended is the visitor's own text, so it is left out when it would change the host.
    """
    target = _web_address(url + appended)
    plain = _web_address(url) if appended else target
    if target is None or plain is None or urlsplit(target).netloc != urlsplit(plain).netloc:
        return plain
    return target


def own_path(handle: Handle, query_string: str = "") -> str:
    """Return the path under which we serve `handle`; never one that a browser reads as another host."""
    path = quote(handle.spelling, safe=_KEPT_IN_PATH)
    if path.startswith("/"):
        path = f"%2F{path[1:]}"
    query = quote(query_string, safe=_KEPT_IN_URL, errors="replace")
    return f"/{path}?{query}" if query else f"/{path}"


def _web_address(url: str) -> str | None:
    if len(url) > URL_CHARACTERS_MAX or _REFUSED.search(url):
        return None
    try:
        parts = urlsplit(url)
        host = _in_ascii(parts.netloc)
    except ValueError:  # Of urlsplit, and UnicodeError of a host that is no domain name.
        return None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        return None
    return quote(parts._replace(netloc=host).geturl(), safe=_KEPT_IN_URL)


def _in_ascii(netloc: str) -> str:
    """Return user, host and port with the host as DNS knows it. Raises UnicodeError if it is no domain name."""
    if netloc.isascii():
        return netloc
    user, at, place = netloc.rpartition("@")
    host, colon, port = place.partition(":")
    return f"{quote(user, safe=_KEPT_IN_URL)}{at}{host.encode('idna').decode()}{colon}{port}"
