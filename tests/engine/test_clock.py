"""The shop's clock moves on by itself, once a minute, only where nothing else has moved it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stockwire.core.events import Event
from stockwire.core.values import MINUTE, SECOND
from stockwire.engine import clock

NOON = 1_774_440_000 * SECOND


class Minutes:
    """A wall whose sleeper moves it, and a log that keeps what is submitted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
        self.at = NOON + 5 * SECOND
        self.until = NOON + minutes * MINUTE
        self.shop = 0
        self.written: list[Event] = []
        monkeypatch.setattr(clock.asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.at += round(seconds * SECOND)
        if self.at > self.until:
            raise asyncio.CancelledError

    async def submit(self, events: list[Event]) -> Any:
        self.written += events
        self.shop = events[-1].time

    async def run(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            await clock.run_clock(self.submit, lambda: self.shop, lambda: self.at)


async def test_a_tick_is_written_at_each_minute_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = Minutes(monkeypatch, 3)
    await minutes.run()
    assert [event.time - NOON for event in minutes.written] == [0, MINUTE, 2 * MINUTE, 3 * MINUTE]


async def test_no_tick_is_written_where_an_event_has_been(monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = Minutes(monkeypatch, 3)
    minutes.shop = NOON + 2 * MINUTE
    await minutes.run()
    assert [event.time - NOON for event in minutes.written] == [3 * MINUTE]


def test_a_ticks_id_is_its_time_so_that_it_is_written_once() -> None:
    assert clock.ticked(NOON).key == clock.ticked(NOON).key != clock.ticked(NOON + MINUTE).key
