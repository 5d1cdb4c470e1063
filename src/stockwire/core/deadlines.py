"""Deadlines: what comes due next, of the moments that a state keeps and those that a batch adds over them.

A moment that no longer holds is not taken out: whoever takes one looks whether it still does.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from stockwire.core.rows import Key

Due = tuple[int, Key]
"""A moment, and what is due then."""


class Deadlines:
    """Moments in order: `kept` sorted already, and those that `add` brings."""

    def __init__(self, kept: Iterable[Due]) -> None:
        self._kept = iter(kept)
        self._next = next(self._kept, None)
        self._added: list[Due] = []

    def add(self, at: int, key: Key) -> None:
        """Something more is due, at that moment."""
        heapq.heappush(self._added, (at, key))

    def due(self, to: int) -> bool:
        """Whether anything is due by `to`."""
        first = self._next
        return (first is not None and first[0] <= to) or (bool(self._added) and self._added[0][0] <= to)

    def take(self, to: int) -> Due | None:
        """The first that is due by `to`, which is then taken; None when nothing is."""
        first, kept = self._next, True
        if self._added and (first is None or self._added[0] <= first):
            first, kept = self._added[0], False
        if first is None or first[0] > to:
            return None
        if kept:
            self._next = next(self._kept, None)
        else:
            heapq.heappop(self._added)
        return first
