"""Which counters of a session were used (protocol 2.5): each once, and none that lies far behind."""

from __future__ import annotations

from handle_protocol.security.limits import REPLAY_WINDOW_COUNTERS


class ReplayWindow:
    """The counters that a session has seen, in constant space.

    Ask it after the code over a message was verified: a forged counter would push the window ahead.
    """

    __slots__ = ("_highest", "_seen", "_size")

    def __init__(self, size: int = REPLAY_WINDOW_COUNTERS) -> None:
        self._size = size
        self._highest = -1
        # Bit n stands for the counter n below the highest.
        self._seen = 0

    def accept(self, counter: int) -> bool:
        """Use up `counter`, and tell whether it could be: it is new, and less than the window's size behind."""
        behind = self._highest - counter
        if behind < 0:
            self._advance(-behind)
            return True
        if behind >= self._size or self._seen >> behind & 1:
            return False
        self._seen |= 1 << behind
        return True

    def _advance(self, steps: int) -> None:
        kept = self._seen << steps if steps < self._size else 0
        self._seen = (kept | 1) & ((1 << self._size) - 1)
        self._highest += steps
