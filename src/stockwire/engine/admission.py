"""Admission: how many connections there may be, and how they are asked to leave.

Limits are per process and per address; over one the answer is "come back later". `drain` spreads the leaving so that
those who come back do
not all come at once (spec/protocol.md P8.1).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from stockwire.core.errors import TooMany, Unavailable

DRAIN_LEAST: Final = 2.0
DRAIN_MOST: Final = 30.0
DRAIN_RATE: Final = 500.0
"""Connections a second that are asked to come back elsewhere."""


class Guest(Protocol):
    """Somebody who can be asked to leave."""

    def leave(self, reason: str, reconnect_in: int) -> None: ...


class Admission:
    """Lets connections in. `most` in all, `most_each` from one address."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._addresses: Counter[str] = Counter()
        self._guests: set[Guest] = set()
        self._empty = asyncio.Event()
        self.draining = False

    @property
    def connections(self) -> int:
        """How many there are now."""
        return self._addresses.total()

    @contextmanager
    def admit(self, address: str) -> Iterator[None]:
        """Count a connection for as long as the block runs. Raises Unavailable while draining, TooMany over a limit."""
        if self.draining:
            raise Unavailable()
        if self.connections >= self._most or self._addresses[address] >= self._most_each:
            raise TooMany()
        self._addresses[address] += 1
        try:
            yield
        finally:
            self._addresses[address] -= 1
            if self._addresses[address] <= 0:
                del self._addresses[address]

    @contextmanager
    def present(self, guest: Guest) -> Iterator[None]:
        """Have `guest` asked to leave on a drain, for as long as the block runs."""
        self._guests.add(guest)
        self._empty.clear()
        try:
            yield
        finally:
            self._guests.discard(guest)
            if not self._guests:
                self._empty.set()

    async def drain(self, random: Callable[[], float]) -> None:
        """Let nobody in any more, ask everybody to leave and wait until they did, at most 30 s."""
        self.draining = True
        spread = min(DRAIN_MOST, max(DRAIN_LEAST, len(self._guests) / DRAIN_RATE))
        if not self._guests:
            return
        for guest in list(self._guests):
            guest.leave("drain", int(random() * spread * 1_000))
        try:
            async with asyncio.timeout(DRAIN_MOST):
                await self._empty.wait()
        except TimeoutError:
            return
