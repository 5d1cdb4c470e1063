"""Keeping the simulated shop alive: its history first, then every second what has happened since.

Times, the way in and waiting are arguments; events are sent again with the same ids when the log was out of room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final

from stockwire.core.errors import Unavailable
from stockwire.core.events import Event, parse_event
from stockwire.core.values import SECOND, moment_text
from stockwire.demo.baskets import Baskets
from stockwire.demo.shop import Envelope, Shop

STEP: Final = 1.0
"""Seconds between two looks at what has happened."""
_BATCH: Final = 1_000


def simulated_time(made: int, speed: float) -> Callable[[int], int]:
    """What time it is in a shop that lives `speed` times as fast since the moment `made`."""
    return lambda now: made + int((now - made) * speed)


def history(shop: Shop, to: int, known_until: int = 0) -> Iterator[list[Event]]:
    """The shop's events up to `to` in batches, without those before `known_until`, which are in the log."""
    known = moment_text(known_until - known_until % SECOND)  # whole seconds: such texts sort as their times do
    batch: list[Event] = []
    for event in shop.advance(to):
        if event["time"] >= known:
            batch.append(parse_event(event))
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def live(
    shop: Shop,
    baskets: Baskets,
    submit: Callable[[list[Event]], Awaitable[object]],
    now: Callable[[], int],
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    """Go on for ever; cancel it to stop. `now` is the shop's time."""
    while True:
        at = now() // SECOND * SECOND
        happened = in_order([*shop.advance(at), *baskets.advance(at)])
        for start in range(0, len(happened), _BATCH):
            await _sent(happened[start : start + _BATCH], submit, sleep)
        await sleep(STEP)


def in_order(envelopes: Iterable[Envelope]) -> list[Event]:
    """The events by their time; those of one second as they came."""
    return sorted((parse_event(each) for each in envelopes), key=lambda event: event.time)


async def _sent(
    events: list[Event],
    submit: Callable[[list[Event]], Awaitable[object]],
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    while True:
        try:
            await submit(events)
            return
        except Unavailable:
            await sleep(STEP)
