"""Bringing a file in: from a format's items to batches of events at a sink, with a tally of what happened.

Rows are taken in order. At the first bad row nothing more is sent (unless bad rows are to be skipped), but reading
goes on, so that one run names every bad row. What was sent before is kept: events have the same ids next time, so a
second run goes on where it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import msgspec

from stockwire.core.errors import Invalid
from stockwire.core.events import Event, parse_event
from stockwire.core.values import moment_text
from stockwire.importing.rows import BadRow, Format, Input, Item, Parsed

BATCH: Final = 1_000
MOST_LISTED: Final = 1_000
"""How many bad rows are kept for the list; all are counted."""


class Sent(msgspec.Struct, frozen=True):
    """A sink's receipt: how many events were new, how many were known, and the log's version after them."""

    accepted: int
    duplicates: int
    version: int


class Sink(Protocol):
    """Where events go: a data directory's writer, or a server."""

    def send(self, events: Sequence[Event]) -> Sent:
        """Have the events stored; returns when they are durable."""
        ...


class Tally(msgspec.Struct):
    """What happened so far. `rows` is the newest row read, `types` counts the events understood."""

    rows: int = 0
    types: Counter[str] = msgspec.field(default_factory=Counter)
    accepted: int = 0
    duplicates: int = 0
    version: int = 0
    bad: list[BadRow] = []
    bad_rows: int = 0
    stopped_at: int | None = None
    """The bad row from which on nothing was sent."""
    oldest: int | None = None
    newest: int | None = None
    """The least and greatest time among the events (moments)."""

    @property
    def events(self) -> int:
        """How many events were understood."""
        return self.types.total()

    def take(self, item: Parsed | BadRow) -> None:
        """Note that a row was read."""
        if isinstance(item, BadRow):
            self.rows = max(self.rows, item.row)
            self.bad_rows += 1
            if len(self.bad) < MOST_LISTED:
                self.bad.append(item)
        else:
            self.rows = max(self.rows, item.read)

    def understood(self, event: Event) -> None:
        """Note an event."""
        self.types[event.type] += 1
        self.oldest = event.time if self.oldest is None else min(self.oldest, event.time)
        self.newest = event.time if self.newest is None else max(self.newest, event.time)

    def sent(self, receipt: Sent) -> None:
        """Note what a sink said."""
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        self.version = max(self.version, receipt.version)


def events_of(items: Iterator[Item], tally: Tally, latest: int | None = None) -> Iterator[Event | BadRow]:
    """The events of a format's items, each checked as any event from outside is; noted in the tally.

    `latest` is the newest moment that one may have occurred at (None: whoever takes them decides): one from the future
    would move the shop's clock there, and nothing moves it back.
    """
    for item in items:
        result: Event | BadRow
        if isinstance(item, BadRow):
            result = item
        else:
            try:
                result = _timely(parse_event(item.envelope), latest)
            except Invalid as error:
                result = BadRow(item.row, error.detail)
            except ValueError as error:
                result = BadRow(item.row, f"a text is not Unicode: {error}")
        tally.take(result if isinstance(result, BadRow) else item)
        if not isinstance(result, BadRow):
            tally.understood(result)
        yield result


def _timely(event: Event, latest: int | None) -> Event:
    if latest is not None and event.time > latest:
        raise Invalid(f"the time {moment_text(event.time)} is ahead of this machine's clock")
    return event


def bring_in(
    format_: Format,
    file: Input,
    sink: Sink | None,
    tally: Tally,
    *,
    latest: int,
    skip_bad_rows: bool = False,
    batch: int = BATCH,
) -> None:
    """Read the whole file and send its events to `sink` (None: a dry run) in batches. The tally grows as it goes.

    `latest` as of `events_of`.
    """
    waiting: list[Event] = []
    for result in events_of(format_.read(file), tally, latest):
        if isinstance(result, BadRow):
            if not skip_bad_rows and tally.stopped_at is None:
                tally.stopped_at = result.row
        elif sink is not None and tally.stopped_at is None:
            waiting.append(result)
            if len(waiting) >= batch:
                tally.sent(sink.send(waiting))
                waiting = []
    if sink is not None and waiting:
        tally.sent(sink.send(waiting))
