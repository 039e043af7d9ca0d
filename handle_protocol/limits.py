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

QUESTION_ITEMS_MAX: Final = VALUES_MAX
"""Ours: the most indexes, and the most types, of one question: no record has more values."""

VALUE_LIST_OCTETS_MAX: Final = MESSAGE_OCTETS_MAX - HEADER_OCTETS - HANDLE_OCTETS_MAX - 128
"""Ours: the longest values that an answer can carry beside the longest handle; 128 octets are for lengths and the
digest of the request. A longer record could be stored, but never be resolved."""

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

VALUE_TYPE_OCTETS_MAX: Final = HANDLE_OCTETS_MAX
"""Ours: a value type is a handle in the type registry, so no longer than one. Binds JSON input alone."""

UNFINISHED_MESSAGES_MAX: Final = 2_000
"""Ours: messages of which some datagrams are still missing, in one worker."""

UNFINISHED_OCTETS_MAX: Final = 8 * 1024 * 1024
"""Ours: octets of unfinished messages, in one worker."""

UNFINISHED_MESSAGES_PER_PEER_MAX: Final = 16
"""Ours: unfinished messages from one address; more than any client asks at once in several datagrams."""

UNFINISHED_SECONDS: Final = 5.0
"""Reference: how long a server waits for the missing datagrams of a message."""

XML_OCTETS_MAX: Final = 65_536
"""Ours: the longest XML in a value that is looked into; a longer one stays octets."""

XML_ELEMENTS_MAX: Final = 500
"""Ours: the most elements in such XML."""

XML_DEPTH_MAX: Final = 16
"""Ours: the deepest nesting in such XML; templates in the field stay below 8."""

JSON_ITEMS_MAX: Final = VALUES_MAX
"""Ours: the most items of any list inside the JSON of a value: references, attributes, servers, interfaces."""

KEY_NUMBER_OCTETS_MAX: Final = 2_048
"""Ours: the longest number of a key in JSON, 16 384 bits; keys in the field have 4 096 at most."""

UDP_WAITS_SECONDS: Final = (0.5, 1.0, 1.5)
"""Reference: how long a client waits for an answer to each datagram it sends, before it turns to TCP."""

PARTIAL_WAIT_SECONDS: Final = 0.05
"""Ours: how long a client waits for the rest of an answer that says it is cut, before it turns to TCP. What is sent
at all is sent in one go; a node may send just the beginning of a long answer."""
