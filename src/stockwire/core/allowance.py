"""An allowance: so many at once, so many a second on average, on whatever clock it is told."""

from __future__ import annotations


class Allowance:
    """Room for `most`, filled up by `rate` a second, full at `now`."""

    __slots__ = ("_at", "_most", "_rate", "_room")

    def __init__(self, most: float, rate: float, now: float) -> None:
        self._most = most
        self._rate = rate
        self._room = most
        self._at = now

    def take(self, now: float) -> bool:
        """Take one at `now`; False when there is none."""
        self._room = min(self._most, self._room + (now - self._at) * self._rate)
        self._at = now
        if self._room < 1:
            return False
        self._room -= 1
        return True
