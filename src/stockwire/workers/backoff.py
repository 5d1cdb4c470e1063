"""Backoff: how long to wait before what ended is started again."""

from __future__ import annotations

from typing import Final

LEAST: Final = 0.1
MOST: Final = 10.0
CALM: Final = 30.0
"""Seconds after which something that runs counts as well again."""


class Backoff:
    """The first time almost at once, then twice as long each time, until it runs for a while."""

    def __init__(self) -> None:
        self._next = LEAST

    def after(self, lived: float) -> float:
        """Seconds to wait after a life of `lived` seconds."""
        if lived >= CALM:
            self._next = LEAST
        wait, self._next = self._next, min(MOST, 2 * self._next)
        return wait
