"""Who guesses: wrong proofs of a minute, by key and network, in a table that never grows.

Counts are a sketch: a guess adds to one cell in each of two rows, and what is known of it is the lesser of both. Cells
are chosen with a secret of this process, so that nobody can aim at somebody else's. A network's wrong proofs are
counted as a whole as well: otherwise one that guesses at a hundred thousand names would fill the cells of others.
"""

from __future__ import annotations

import hashlib
import secrets
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from handle_protocol.handle import Handle
from handle_protocol.value import ValueReference
from resolver.authentication.networks import network_of

FAILURES_MAX_DEFAULT: Final = 10
"""Wrong proofs a minute for one key from one network (OWASP ASVS 5, 6.3.1 asks for a bound; people mistype thrice)."""

NETWORK_FACTOR: Final = 10
"""A network may fail so many times as often as one key: an enterprise has several administrators behind one address."""

WINDOW_SECONDS: Final = 60.0
"""Failures are counted from the first one for so long."""

REFUSED_SECONDS: Final = 60.0
"""And who failed too often is refused for so long after the last failure that counted."""

LOGGED_EVERY: Final = 10
"""One line for so many failures."""

CELLS: Final = 2**15
"""Of one row: while a thousand networks fail as often as they may, three in each cell, an innocent guess meets ten in
both of its cells once in a million times."""

_ROWS: Final = 2

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Guess:
    """What is guessed at, and from where.

    Attributes:
        key: the value that holds the key, its handle folded, so that spellings make no difference.
        network: see network_of.
    """

    key: str
    network: str

    @classmethod
    def at(cls, identity: ValueReference, address: str) -> Guess:
        """Return the guess at the key of `identity` that comes from `address`."""
        # Suffixes fold as well: where they do not for the register, two keys share a count, which harms nobody.
        key = Handle(identity.handle).key(folds_suffix=True).decode(errors="replace")
        return cls(f"{identity.index}:{key}", network_of(address))


class _Sketch:
    """Counts by name, in constant space: never too low, rarely too high."""

    def __init__(self, failures_max: int, secret: bytes) -> None:
        self._failures_max = failures_max
        self._secret = secret
        self._counts = array("L", bytes(array("L").itemsize * CELLS * _ROWS))
        self._ends = array("d", bytes(array("d").itemsize * CELLS * _ROWS))

    def has_too_many(self, name: str, now: float) -> bool:
        return self._known(self._cells(name), now) >= self._failures_max

    def add(self, name: str, now: float) -> int:
        """Count a failure, and return how many there are now."""
        cells = self._cells(name)
        for cell in cells:
            if self._ends[cell] <= now:
                self._counts[cell] = 0
                self._ends[cell] = now + WINDOW_SECONDS
            self._counts[cell] += 1
            if self._counts[cell] == self._failures_max:
                self._ends[cell] = now + REFUSED_SECONDS
        return self._known(cells, now)

    def _known(self, cells: tuple[int, ...], now: float) -> int:
        return min(self._counts[cell] if now < self._ends[cell] else 0 for cell in cells)

    def _cells(self, name: str) -> tuple[int, ...]:
        digest = hashlib.blake2b(name.encode(errors="replace"), key=self._secret, digest_size=8).digest()
        return tuple(int.from_bytes(digest[4 * row : 4 * row + 4]) % CELLS + CELLS * row for row in range(_ROWS))


class Guessing:
    """The wrong proofs that one worker knows of. Times are seconds of one monotonic clock, given by the caller.

    Args:
        failures_max: how many wrong proofs for one key a network may send in a minute.
        tell: told of every failure here, so that the other workers can hear of it.
        secret: chooses the cells.
    """

    def __init__(
        self,
        failures_max: int = FAILURES_MAX_DEFAULT,
        tell: Callable[[Guess], None] = lambda _: None,
        secret: bytes = b"",
    ) -> None:
        secret = secret or secrets.token_bytes(16)
        self._of_network_max = failures_max * NETWORK_FACTOR
        self._by_key = _Sketch(failures_max, secret)
        self._by_network = _Sketch(self._of_network_max, secret)
        self._logged_every = min(LOGGED_EVERY, failures_max)
        self.tell = tell

    def is_refused(self, guess: Guess, now: float) -> bool:
        """Tell whether so many proofs were wrong that no further one is looked at."""
        return self._by_key.has_too_many(_name(guess), now) or self._by_network.has_too_many(guess.network, now)

    def fail(self, guess: Guess, now: float) -> None:
        """Count a wrong proof, and tell the other workers."""
        self.hear(guess, now)
        self.tell(guess)

    def hear(self, guess: Guess, now: float) -> None:
        """Count a wrong proof, whichever worker met it.

        Every worker leaves its line: if only the one did that met the tenth, and two met it at once, none would.
        """
        of_network = self._by_network.add(guess.network, now)
        of_key = self._by_key.add(_name(guess), now)
        if of_key % self._logged_every == 0:
            _log.warning("authentication_failed", key=guess.key, network=guess.network, failures=of_key)
        if of_network == self._of_network_max:
            _log.warning("network_refused", network=guess.network, failures=of_network)


def _name(guess: Guess) -> str:
    return f"{guess.network} {guess.key}"
