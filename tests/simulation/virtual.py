"""Virtual time: an event loop whose clock moves to the next thing that is due, at once.

Everything that waits on this loop waits in virtual seconds, so hours pass in no time and in the same order whenever
they are played again. A round of the loop takes a microsecond. Nothing may wait for another thread: with nothing left
to do the loop refuses to wait for ever, and it refuses to go round and round without ever waiting.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stalled(AssertionError):
    """Everybody waits and nothing will ever happen."""


ROUND = 1e-6
ROUNDS_MOST = 50_000
"""Rounds in a row without waiting, beyond which somebody spins."""


class _Idle(selectors.SelectSelector):
    """Instead of waiting, lets the time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1_000.0
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            if super().select(0):
                return []
            raise Stalled("nothing is due, and somebody waits")
        self._rounds = 0 if timeout > 0 else self._rounds + 1
        if self._rounds > ROUNDS_MOST:
            raise Stalled("somebody goes round and round without waiting")
        self.seconds += max(timeout, ROUND)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time."""

    def __init__(self) -> None:
        self._idle = _Idle()
        super().__init__(self._idle)

    def time(self) -> float:
        return self._idle.seconds

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)


def play(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end on a virtual loop."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(story)
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()
