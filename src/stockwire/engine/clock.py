"""The shop's clock: what makes time pass in the log when nothing else does.

What depends on time (late orders, "today") changes only by events, so that a log always folds to the same rows. On the
wall's clock a `clock.ticked` is written at each minute that no other event has reached. On the events' clock nothing is
written: its time is the newest event's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from stockwire.core.errors import StockwireError
from stockwire.core.events import INTERNAL_SOURCE, ClockTicked, Event, parse_event
from stockwire.core.values import MINUTE, SECOND, moment_text

_AGAIN: Final = 1.0
"""Seconds before a tick that could not be written is tried again."""


def ticked(minute: int) -> Event:
    """The event that says it is `minute` (a moment on the minute). Its id is its time, so it is written once."""
    at = moment_text(minute)
    envelope = {"id": f"clock-{at}", "source": INTERNAL_SOURCE, "type": ClockTicked.type, "time": at, "data": {}}
    return parse_event(envelope, internal=True)


async def run_clock(
    submit: Callable[[list[Event]], Awaitable[object]], shop_clock: Callable[[], int], now: Callable[[], int]
) -> None:
    """Write a tick at every minute that the log has not reached by itself, for ever. Cancel it to stop."""
    while True:
        minute = now() // MINUTE * MINUTE
        wait = (minute + MINUTE - now()) / SECOND
        if shop_clock() < minute:
            try:
                await submit([ticked(minute)])
            except StockwireError:
                wait = _AGAIN
        await asyncio.sleep(wait)
