"""A timing wheel: who must be looked at when, for all connections together.

There is no timer per connection. Things with the same moment share a slot, so moments should be rounded where
precision does not matter: ten thousand lifetimes in whole seconds make a few thousand slots. One thing stands in one
slot at most; putting it again moves it. What shares a slot comes up in the order it was put there, so that the same
things happening bring the same bytes in the same order.

A slot that is empty is gone at once, because most of what is put for hours ahead is taken out in minutes. Its moment stays
in the heap, until it comes or such moments outnumber the others.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

T = TypeVar("T", bound=Hashable)


_STALE: Final = 64
"""Moments without a slot that are not worth looking for."""


class Wheel(Generic[T]):
    """Things by the moment they are due, on any clock."""

    def __init__(self) -> None:
        self._slots: dict[float, dict[T, None]] = {}
        self._moments: list[float] = []

    def put(self, thing: T, at: float) -> float:
        """Have `thing` come up at `at`; gives the slot, which `take` needs. Take it out of its old slot first."""
        slot = self._slots.get(at)
        if slot is None:
            slot = self._slots[at] = {}
            heapq.heappush(self._moments, at)
        slot[thing] = None
        return at

    def take(self, thing: T, at: float) -> None:
        """Take `thing` out of the slot `at`; nothing happens when it is not there."""
        slot = self._slots.get(at)
        if slot is None:
            return
        slot.pop(thing, None)
        if not slot:
            del self._slots[at]
            if len(self._moments) > 2 * len(self._slots) + _STALE:
                self._moments = sorted(self._slots)

    @property
    def next_at(self) -> float | None:
        """The first moment at which something is due."""
        while self._moments and self._moments[0] not in self._slots:
            heapq.heappop(self._moments)
        return self._moments[0] if self._moments else None

    def due(self, now: float) -> list[T]:
        """Take out everything due at or before `now`."""
        found: list[T] = []
        while self._moments and self._moments[0] <= now:
            found.extend(self._slots.pop(heapq.heappop(self._moments), ()))
        return found
