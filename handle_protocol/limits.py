"""Every bound of the Handle protocol, with its origin.

"Reference" is Handle.Net 9.2.0; "ours" is a choice of this project, with its reason.
"""

from typing import Final

ENVELOPE_OCTETS: Final = 20
"""RFC 3652 §2.2.1: every datagram and every TCP message starts with an envelope of this size."""

HEADER_OCTETS: Final = 24
"""RFC 3652 §2.2.2: the size of a message header."""

MESSAGE_OCTETS_MAX: Final = 262_144
"""Reference: a longer message is a format error. Counts header, body and credential, not the envelope."""

DATAGRAM_OCTETS_MAX: Final = 512
"""RFC 3652 §2.3 and reference: no datagram is longer, envelope included."""

DATAGRAM_SHARE_OCTETS: Final = DATAGRAM_OCTETS_MAX - ENVELOPE_OCTETS
"""What one datagram carries of a message."""

HANDLE_OCTETS_MAX: Final = 2_048
"""Reference: the longest handle, in UTF-8 octets."""

VALUES_MAX: Final = 2_048
"""Reference: the most values of one record in one message."""

TTL_SECONDS_MAX: Final = 2 * 86_400
"""Reference: caches treat a longer time to live as two days."""

TTL_SECONDS_DEFAULT: Final = 86_400
"""RFC 3651 §3.1: the time to live of a value that names none."""

RECURSION_COUNT_MAX: Final = 16
"""Ours: the reference stops at 40; no real chain of referrals comes near 16."""

EXPIRATION_SECONDS: Final = 12 * 3_600
"""Reference: a response may be believed for twelve hours after it was written."""

VALUE_OCTETS_MIN: Final = 26
"""The fixed fields of an encoded value: what a value count is checked against before anything is read."""

REFERENCE_OCTETS_MIN: Final = 8
"""The fixed fields of an encoded value reference."""
