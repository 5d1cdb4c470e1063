"""The pulse: how many events came in the last minute, whichever process took them.

It is read from the feeds: each source's row counts its events, so what was committed elsewhere counts as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from stockwire.core.values import MINUTE, SECOND
from stockwire.engine.hub import Hub


class Pulse:
    """Counts from its making on. `now` is the server's clock, a moment."""

    def __init__(self, hub: Hub, now: Callable[[], int]) -> None:
        self._hub = hub
        self._now = now
        self._counted = self._events()
        self._seconds: deque[tuple[int, int]] = deque(maxlen=60)
        hub.listen(self._note)

    def _events(self) -> int:
        """How many events all sources ever sent."""
        return sum(entry.row.events for entry in self._hub.feeds["sources"])

    def _note(self) -> None:
        events = self._events()
        come, self._counted = events - self._counted, events
        second = self._now() // SECOND
        if self._seconds and self._seconds[-1][0] == second:
            come += self._seconds.pop()[1]
        self._seconds.append((second, come))

    @property
    def per_minute(self) -> int:
        """How many came in the last minute."""
        since = (self._now() - MINUTE) // SECOND
        return sum(count for second, count in self._seconds if second > since)
