"""Patience: a deadline ends what does not come, and never what came while the process itself stood still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from stockwire.transport.takeover.patience import Deadline


class Loop:
    """A loop whose time is set by hand, and that may look at its timers as late as it likes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
        timer = (self.now + delay, callback, arguments)
        self.timers.append(timer)

        class Handle:
            def cancel(_) -> None:
                self.timers.remove(timer)

        return cast(asyncio.TimerHandle, Handle())

    def look(self, now: float) -> None:
        """Run what is due."""
        self.now = now
        for timer in [each for each in self.timers if each[0] <= now]:
            self.timers.remove(timer)
            timer[1](*timer[2])


def waiting(loop: Loop) -> tuple[Deadline, list[float]]:
    missed: list[float] = []
    deadline = Deadline(cast(asyncio.AbstractEventLoop, loop))
    deadline.set(10, lambda: missed.append(loop.now))
    return deadline, missed


def test_what_does_not_come_in_time_is_missed() -> None:
    loop = Loop()
    deadline, missed = waiting(loop)
    loop.look(9.9)
    assert missed == []
    loop.look(10.1)
    assert missed == [10.1]
    assert not deadline.running


def test_what_came_while_the_process_stood_still_is_read_before_it_is_missed() -> None:
    loop = Loop()
    deadline, missed = waiting(loop)
    loop.look(25.0)
    assert missed == []
    deadline.clear()
    loop.look(60.0)
    assert missed == []


def test_what_did_not_come_while_the_process_stood_still_is_missed_a_little_later() -> None:
    loop = Loop()
    _, missed = waiting(loop)
    loop.look(25.0)
    loop.look(26.1)
    assert missed == [26.1]
