"""Responses of the HTTP door by the octets of the requests that they answered, so that those need not be read again.

A request that is octet for octet one that was answered before is answered alike, as long as the one record that
decided the answer is remembered, and has not changed; nothing is parsed for it, and only the dates are written anew.
So the HTTP parser of the door remains the only one. What somebody logs in with, what has a body, and what depends on
chance or on other records is never remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Final, NamedTuple

from aiohttp import web

from handle_protocol.record import HandleRecord
from resolver.answer import Found
from resolver.metrics import DoorTally
from resolver.resolve import Resolver

HEADS_MAX: Final = 64
"""Ours: kinds of clients, told apart by everything that they say after the target."""

HEAD_OCTETS_MAX: Final = 2_048
"""Ours: a longer head is not remembered."""

RESPONSE_OCTETS_MAX: Final = 16 * 1024
REMEMBERED_OCTETS_MAX: Final = 32 * 2**20
"""Ours: responses with their targets, in one worker; beyond it all are forgotten, and learned anew."""

_ENTRY_OCTETS: Final = 400
"""What remembering one takes beside its octets (measured)."""

_PLAIN_FIELDS: Final = frozenset({"host", "user-agent", "accept", "accept-encoding", "accept-language", "connection"})
"""All that a request may say to be remembered; each of them is compared octet for octet."""

_HTTP: Final = b" HTTP/1.1\r\n"
_END_OF_HEAD: Final = b"\r\n\r\n"
_GET: Final = b"GET "
_KEEP_ALIVE: Final = "keep-alive"
_DATES: Final = frozenset({"Date", "Expires"})


class _Remembered(NamedTuple):
    """A response, cut where its dates are.

    Attributes:
        parts: what stands before, between and after the dates; the last ends with the body.
        lifetimes: of each date, seconds from now.
        key, revision: of the record that it shows.
    """

    parts: tuple[bytes, ...]
    lifetimes: tuple[int, ...]
    key: bytes
    revision: int


class ResponseMemory:
    """Remembers responses.

    Args:
        resolver: knows the records, the prefixes and the time.
        tally: where those are counted that are answered from here.
    """

    def __init__(self, resolver: Resolver, tally: DoorTally) -> None:
        self._resolver = resolver
        self._tally = tally
        self._by_head: dict[bytes, dict[bytes, _Remembered]] = {}
        self._octets = 0
        self._state = resolver.prefix_state
        self._second = -1
        self._dates: dict[int, bytes] = {}

    @property
    def heads(self) -> int:
        """How many kinds of clients are told apart."""
        return len(self._by_head)

    @property
    def octets(self) -> int:
        """What everything that is remembered takes."""
        return self._octets

    def find(self, request: bytes) -> bytes | None:
        """Return the response to a request, if it may be given again."""
        at = request.find(_HTTP, len(_GET))
        responses = self._by_head.get(request[at:])
        remembered = None if responses is None else responses.get(request[:at])
        if remembered is None or not self._is_good(remembered):
            return None
        self._tally.outcomes[Found.outcome] += 1
        parts, lifetimes = remembered.parts, remembered.lifetimes
        pieces = [parts[0]]
        for lifetime, part in zip(lifetimes, parts[1:], strict=True):
            pieces += (self._date(lifetime), part)
        return b"".join(pieces)

    def note(self, request: bytes, fields: Mapping[str, str], record: HandleRecord, response: web.Response) -> None:
        """Remember how a request was answered, if that can be said again.

        Args:
            request: its head, complete; it had no body.
            fields: of its head.
            record: what the response shows; nothing else decided it.
            response: as it was sent.
        """
        at = request.find(_HTTP, len(_GET))
        body = response.body
        if not isinstance(body, bytes) or len(body) > RESPONSE_OCTETS_MAX or not _is_plain(request, at, fields):
            return
        key = record.handle.spelling.encode(errors="surrogateescape")
        remembered = _Remembered(*_cut(response, body), key, record.revision)
        if not self._is_good(remembered):
            return
        target = request[:at]
        size = _weight(target, remembered)
        if self._octets + size > REMEMBERED_OCTETS_MAX:
            self._forget_all()
        if len(self._by_head) >= HEADS_MAX and request[at:] not in self._by_head:
            forgotten = self._by_head.pop(next(iter(self._by_head)))
            self._octets -= sum(_weight(target, each) for target, each in forgotten.items())
        responses = self._by_head.setdefault(request[at:], {})
        former = responses.get(target)
        self._octets += size - (0 if former is None else _weight(target, former))
        responses[target] = remembered

    def _is_good(self, remembered: _Remembered) -> bool:
        """Tell whether the record is still the same, and everybody may see it."""
        resolver = self._resolver
        if self._state != resolver.prefix_state:
            self._forget_all()
            self._state = resolver.prefix_state
            return False
        if remembered.key.partition(b"/")[0] not in resolver.authority.plain_prefixes:
            return False
        entry = resolver.cache.look_up(remembered.key, resolver.clock())
        return entry is not None and entry[3] == remembered.revision

    def _forget_all(self) -> None:
        self._by_head.clear()
        self._octets = 0

    def _date(self, lifetime: int) -> bytes:
        now = int(self._resolver.unix_clock())
        if now != self._second:
            self._second = now
            self._dates.clear()
        date = self._dates.get(lifetime)
        if date is None:
            date = self._dates[lifetime] = _date_of(now + lifetime)
        return date


def _weight(target: bytes, remembered: _Remembered) -> int:
    return _ENTRY_OCTETS + len(target) + sum(map(len, remembered.parts))


def _is_plain(request: bytes, at: int, fields: Mapping[str, str]) -> bool:
    """Tell whether a request says nothing by which it would be answered otherwise the next time."""
    return (
        at > 0
        and len(request) <= HEAD_OCTETS_MAX
        and request.find(_END_OF_HEAD) == len(request) - len(_END_OF_HEAD)
        and {name.lower() for name in fields} <= _PLAIN_FIELDS
        and fields.get("Connection", _KEEP_ALIVE).lower() == _KEEP_ALIVE
    )


def _cut(response: web.Response, body: bytes) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Return a response as it was sent, without its dates, and the seconds from now until each of them."""
    parts, lifetimes = [], []
    text = f"HTTP/1.1 {response.status} {response.reason}\r\n"
    sent_at = parsedate_to_datetime(response.headers["Date"])
    for name, value in response.headers.items():
        text += f"{name}: "
        if name in _DATES:
            parts.append(text.encode())
            lifetimes.append(int((parsedate_to_datetime(value) - sent_at).total_seconds()))
            text = "\r\n"
        else:
            text += f"{value}\r\n"
    return (*parts, f"{text}\r\n".encode() + body), tuple(lifetimes)


def _date_of(unix_seconds: float) -> bytes:
    return formatdate(unix_seconds, usegmt=True).encode()
