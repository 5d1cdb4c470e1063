"""Replaying a file: its events in their own rhythm, as if the shop were open now.

Times between events are kept, divided by the speed. What is due goes out together; when sending was held up, the
events that became due meanwhile go out at once, so the replay keeps its own time. Times are arguments: `now` is any
monotonic clock, `wait` waits that many of its seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from stockwire.core.events import Event
from stockwire.core.values import SECOND, moment, moment_text
from stockwire.importing.bringing import BATCH, Sink, Tally
from stockwire.importing.rows import BadRow, Item, Parsed

HURRY: Final = 0.02
"""Seconds: what is due within this is due."""


class Rhythm:
    """When an event is due: seconds after the start for its distance from the first event, at `speed` times real time.

    `speed` None is as fast as possible. Times that run backwards in the file are due at once.
    """

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._first: int | None = None

    def due(self, time: int) -> float:
        """Seconds after the start at which an event of that time (a moment) goes out."""
        if self._first is None:
            self._first = time
        if self._speed is None:
            return 0.0
        return max(0.0, (time - self._first) / SECOND / self._speed)


def replay(
    results: Iterable[Event | BadRow],
    sink: Sink,
    tally: Tally,
    speed: float | None,
    *,
    now: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """Send the events as they become due; bad rows are passed over (the tally has them)."""
    rhythm = Rhythm(speed)
    start = now()
    ready: list[Event] = []
    for result in results:
        if isinstance(result, BadRow):
            continue
        left = start + rhythm.due(result.time) - now()
        if ready and (left > HURRY or len(ready) >= BATCH):
            tally.sent(sink.send(ready))
            ready = []
            left = start + rhythm.due(result.time) - now()
        if left > HURRY:
            wait(left)
        ready.append(result)
    if ready:
        tally.sent(sink.send(ready))


def shifted(items: Iterator[Item], start: int, speed: float) -> Iterator[Item]:
    """The items with every time moved: the first event is at `start` (a moment), the others follow `speed` times as fast."""
    first: int | None = None

    def move(text: Any) -> Any:
        nonlocal first
        try:
            time = moment(text)
        except (TypeError, ValueError):
            return text
        first = time if first is None else first
        return moment_text(start + int((time - first) / speed))

    for item in items:
        if isinstance(item, Parsed):
            event = {**item.envelope, "time": move(item.envelope.get("time"))}
            data = event.get("data")
            if isinstance(data, dict) and "promised_at" in data:
                event["data"] = {**data, "promised_at": move(data["promised_at"])}
            item = item._replace(envelope=event)
        yield item
