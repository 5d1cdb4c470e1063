"""Admission: how many connections there may be, how fast they may come, and how they are asked to leave.

There is a limit on all connections of the server, counted over all its processes, and one on those from one address; the
rate of coming is limited in each process. Over one the answer is "come back later". `drain` spreads the leaving so that
those who come back do not all come at once (spec/protocol.md P8.1).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from stockwire.core.allowance import Allowance
from stockwire.core.errors import StockwireError, TooMany, Unavailable
from stockwire.engine.census import Alone, Count

ACCEPT_RATE: Final = 5_000.0
"""Connections a second that may come on the whole; for a moment twice as many."""
DRAIN_LEAST: Final = 2.0
DRAIN_MOST: Final = 30.0
DRAIN_RATE: Final = 500.0
"""Connections a second that are asked to come back elsewhere."""
_FAREWELLS: Final = 100
"""Farewells between two breaths of the loop."""


class Guest(Protocol):
    """Somebody who can be asked to leave, and be told that they may no longer stay."""

    def leave(self, reason: str, reconnect_in: int) -> None: ...
    def turn_out(self, error: StockwireError) -> None: ...


class Admission:
    """Lets connections in. `most` in all, those that `count` knows elsewhere included, `most_each` from one address,
    `rate` a second; `monotonic` times the rate.
    """

    def __init__(
        self,
        most: int,
        most_each: int,
        *,
        rate: float = ACCEPT_RATE,
        monotonic: Callable[[], float] = time.monotonic,
        count: Count | None = None,
    ) -> None:
        self._most = most
        self._most_each = most_each
        self._monotonic = monotonic
        self._coming = Allowance(2 * rate, rate, monotonic())
        self._count = 0
        self._census = count or Alone()
        self._addresses: Counter[str] = Counter()
        self._guests: dict[Guest, bytes] = {}
        self._empty = asyncio.Event()
        self.draining = False

    @property
    def connections(self) -> int:
        """How many there are now in all processes."""
        return self._count + self._census.elsewhere

    def enter(self, address: str) -> None:
        """Count a connection, until `leave`. Raises Unavailable while draining or when too many come at once, TooMany
        over a limit.
        """
        if self.draining:
            raise Unavailable()
        if self.connections >= self._most or self._addresses[address] >= self._most_each:
            raise TooMany()
        if not self._coming.take(self._monotonic()):
            raise Unavailable()
        self._count += 1
        self._census.note(self._count)
        self._addresses[address] += 1

    def leave(self, address: str) -> None:
        """A counted connection is over."""
        self._count -= 1
        self._census.note(self._count)
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]

    @contextmanager
    def entering(self, address: str) -> Iterator[None]:
        """Count a connection from this block on; it does not count when the block raises. Raises as `enter`."""
        self.enter(address)
        try:
            yield
        except BaseException:
            self.leave(address)
            raise

    @contextmanager
    def admit(self, address: str) -> Iterator[None]:
        """Count a connection for as long as the block runs. Raises as `enter`."""
        self.enter(address)
        try:
            yield
        finally:
            self.leave(address)

    @property
    def credentials(self) -> set[bytes]:
        """What let the present guests in."""
        return set(self._guests.values())

    def seat(self, guest: Guest, credential: bytes = b"") -> None:
        """Have `guest`, let in by that credential, asked to leave on a drain, until `unseat`."""
        self._guests[guest] = credential
        self._empty.clear()

    def unseat(self, guest: Guest) -> None:
        """A guest has gone."""
        self._guests.pop(guest, None)
        if not self._guests:
            self._empty.set()

    @contextmanager
    def present(self, guest: Guest, credential: bytes = b"") -> Iterator[None]:
        """Have `guest`, let in by that credential, asked to leave on a drain, for as long as the block runs."""
        self.seat(guest, credential)
        try:
            yield
        finally:
            self.unseat(guest)

    async def turn_out(self, credentials: Container[bytes], error: StockwireError) -> None:
        """Tell whoever was let in by one of these credentials `error`, which ends their connection."""
        for number, (guest, credential) in enumerate(list(self._guests.items())):
            if credential in credentials and guest in self._guests:
                guest.turn_out(error)
            if number % _FAREWELLS == 0:
                await asyncio.sleep(0)

    async def drain(self, random: Callable[[], float]) -> None:
        """Let nobody in any more, ask everybody to leave and wait until they did, at most 30 s."""
        self.draining = True
        spread = min(DRAIN_MOST, max(DRAIN_LEAST, len(self._guests) / DRAIN_RATE))
        if not self._guests:
            return
        for number, guest in enumerate(list(self._guests)):
            if guest in self._guests:
                guest.leave("drain", int(random() * spread * 1_000))
            if number % _FAREWELLS == 0:
                await asyncio.sleep(0)
        try:
            async with asyncio.timeout(DRAIN_MOST):
                await self._empty.wait()
        except TimeoutError:
            return
