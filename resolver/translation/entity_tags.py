"""Entity tags: which state of a record somebody saw, or wants to change (RFC 9110 §8.8.3, §13.1).

A tag is the revision and a checksum of the values that were shown, as what one may see depends on who one is. A change
is conditional on the revision alone. Proxies that compress make a tag weak; the revision is no less exact for it.
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

from handle_protocol.record import HandleRecord

ANY: Final = "*"

_TAG: Final = re.compile(r'(?:W/)?"(\d{1,19})(?:-[0-9a-f]{1,8})?"', re.ASCII)
_HEADER_CHARACTERS_MAX: Final = 1_024


def tag_of(record: HandleRecord) -> str | None:
    """Return the tag of a record as it is shown; None when no register counts its changes (computed ones)."""
    return f'"{record.revision}-{crc32(record.value_list):x}"' if record.revision else None


def tag_of_revision(revision: int) -> str:
    """Return the tag of a record that was changed, for the next change of the same client."""
    return f'"{revision}"'


def names(header: str, tag: str) -> bool:
    """Tell whether If-None-Match names `tag`; comparison is weak (RFC 9110 §13.1.2)."""
    if header.strip() == ANY:
        return True
    return tag in {each.strip().removeprefix("W/") for each in header[:_HEADER_CHARACTERS_MAX].split(",")}


def revision_in(header: str) -> int | None:
    """Return the revision that If-Match names; None when it names none of ours, or several."""
    found = _TAG.fullmatch(header.strip())
    return None if found is None else int(found[1])
