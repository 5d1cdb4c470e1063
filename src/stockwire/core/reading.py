"""What a reader holds, and what it is due: the part of a session that equal readers have in common.

A `Reading` is a set of held views, each with the cursor the receiver has, and the pace. `turn` brings it up to the
present and gives what to send for that; it alone decides what a turn contains. Nothing in it belongs to one
connection, so readers in step share one reading (a cohort): one turn, the same bytes to all. A `shared` reading is
changed by its cohort only; a session that wants another one copies it first. `key` tells which readings are in step:
equal keys get equal frames from now on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple, Protocol

from stockwire.core.cadence import LIVE, TICK, Pace
from stockwire.core.cursor import Cursor, set_name
from stockwire.core.live import LiveView
from stockwire.core.views import View
from stockwire.core.wire import Frame, frame

CHECK_EVERY: Final = 60.0
"""Seconds between two checksums of a view."""

ResetReason = Literal["epoch", "horizon", "view", "ahead", "window", "requested", "checksum"]


class Parts(Protocol):
    """A view's whole content in parts that are made when they are asked for, once for all who ask."""

    def part(self, index: int) -> Frame | None:
        """That part, counted from 0; None after the last."""


class Publisher(Protocol):
    """What a session reads from: the feeds as they are at `version`."""

    @property
    def epoch(self) -> str: ...
    @property
    def version(self) -> int: ...
    def reached(self, version: int) -> bool:
        """Whether `version` is there, once all is taken in that is committed."""

    @property
    def horizon(self) -> int: ...
    @property
    def least_interval(self) -> int:
        """The shortest interval the server allows now, in milliseconds."""

    def greeting(self) -> bytes:
        """The members of a hello that are the same for all who come now (core/greeting.py)."""

    def sources(self) -> list[dict[str, Any]]:
        """Freshness (P6.2)."""

    def clock(self) -> int:
        """The server's time in milliseconds since 1970."""

    def shop_clock(self) -> int | None:
        """The shop's time in milliseconds since 1970 when it is the newest event's; None when it is the world's."""

    def open(self, view: View) -> LiveView:
        """Hold a view live; each call needs one `close`."""

    def close(self, view: View) -> None: ...
    def snapshot(self, live: LiveView) -> Parts:
        """The view's whole content at `version`."""

    def delta(self, live: LiveView, since: int) -> tuple[Frame, ...] | None:
        """What changed from `since` to `version`, at least one frame; None when only the whole content will do."""


class Turn(NamedTuple):
    """What one turn sends, in order, and the cursor of the whole set if every view is then current (P1.6)."""

    items: list[Frame | Parts]
    current: Cursor | None

    def frames(self) -> Iterator[Frame]:
        """Every frame, parts made as they are taken."""
        for item in self.items:
            if isinstance(item, Frame):
                yield item
            else:
                yield from whole(item)


def whole(parts: Parts) -> Iterator[Frame]:
    """All the parts."""
    index = 0
    while (each := parts.part(index)) is not None:
        yield each
        index += 1


class Held:
    """A view that is held: how far, how often, and when it is next due."""

    __slots__ = ("checked_at", "cursor", "due_at", "greeted", "interval", "live", "reset", "view")

    def __init__(self, view: View, live: LiveView) -> None:
        self.view = view
        self.live = live
        self.interval = 0
        self.cursor: int | None = None
        self.reset: ResetReason | None = None
        self.greeted = False
        self.due_at = -math.inf
        self.checked_at: float | None = None

    @property
    def behind(self) -> bool:
        """Whether something happened in the view since the cursor."""
        return self.cursor is None or self.live.changed_at > self.cursor

    def copy(self) -> Held:
        """The same, to go its own way."""
        other = Held(self.view, self.live)
        other.interval = self.interval
        other.cursor = self.cursor
        other.reset = self.reset
        other.greeted = self.greeted
        other.due_at = self.due_at
        other.checked_at = self.checked_at
        return other


class Reading:
    """Held views and pace. `heartbeat` is the seconds of silence before a heartbeat.

    `brief`: for one answer (long-poll): no checksums, no tick to say that nothing changed, and what changes with an
    interval waits for the interval's next turn.
    """

    __slots__ = ("brief", "heartbeat", "held", "publisher", "sent_at", "shared", "source_states", "ticked_at", "wish")

    def __init__(self, publisher: Publisher, *, heartbeat: float, now: float, brief: bool = False) -> None:
        self.publisher = publisher
        self.heartbeat = heartbeat
        self.brief = brief
        self.shared = False
        self.wish = LIVE
        self.held: dict[str, Held] = {}
        self.sent_at = now
        self.ticked_at = now
        self.source_states: tuple[str, ...] = ()

    def copy(self) -> Reading:
        """The same, to go its own way."""
        other = Reading(self.publisher, heartbeat=self.heartbeat, now=self.sent_at, brief=self.brief)
        other.wish = self.wish
        other.held = {name: held.copy() for name, held in self.held.items()}
        other.ticked_at = self.ticked_at
        other.source_states = self.source_states
        return other

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for readings that get equal frames from now on. A view's name includes the rights."""
        held = [
            (name, each.cursor, each.interval, each.due_at, each.greeted, each.reset)
            for name, each in self.held.items()
        ]
        return (self.wish, self.brief, *held)

    @property
    def pace(self) -> Pace:
        """The effective pace."""
        return self.wish.at_least(self.publisher.least_interval)

    @property
    def current(self) -> Cursor | None:
        """The cursor of the whole set when every view is current at one version (P1.6), else None."""
        if not self.held or any(held.behind for held in self.held.values()):
            return None
        return Cursor(self.publisher.epoch, self.publisher.version, set_name(self.held))

    def opened(self) -> None:
        """A hello goes out now, and with it the states of the sources."""
        self.source_states = self._states()

    def due_at(self) -> float:
        """When `turn` will have something, if nothing else happens; in the past: now."""
        at = self.sent_at + self.heartbeat
        paused = self.pace.paused
        for held in self.held.values():
            if held.cursor is None or not held.greeted:
                return -math.inf
            if paused:
                at = min(at, self.ticked_at + TICK) if held.behind else at
            elif held.behind:
                at = min(at, held.due_at)
            elif held.cursor < self.publisher.version:
                at = min(at, self.ticked_at + TICK)
        return at

    def turn(self, now: float) -> Turn:
        """What is due at `now`, newest state; the cursors are then past it."""
        pace = self.pace
        items: list[Frame | Parts] = []
        greeted = False
        for held in self.held.values():
            if held.cursor is not None and not (held.behind and held.due_at <= now and not pace.paused):
                greeted |= not held.greeted
                held.greeted = True
                continue
            self._bring(held, now, pace, items)
        sent = bool(items)
        items.extend(self._close_group(now, sent, greeted, pace))
        if sent:
            self.sent_at = now
        return Turn(items, self.current if items else None)

    def _bring(self, held: Held, now: float, pace: Pace, items: list[Frame | Parts]) -> None:
        """Bring one view up to the present."""
        publisher = self.publisher
        if held.cursor is not None and held.cursor < publisher.horizon:
            held.cursor, held.reset = None, "horizon"
        deltas = publisher.delta(held.live, held.cursor) if held.cursor is not None else None
        if deltas is not None:
            items.extend(deltas)
        else:
            if held.cursor is not None:
                held.reset = "window"
            if held.reset is not None:
                items.append(frame("reset", view=held.view.name, reason=held.reset))
            items.append(publisher.snapshot(held.live))
        held.cursor = publisher.version
        held.reset = None
        held.greeted = True
        held.due_at = next_turn(now, pace.seconds(held.interval))

    def _close_group(self, now: float, sent: bool, greeted: bool, pace: Pace) -> Iterator[Frame]:
        """Ticks, heartbeats and checksums after the deltas of a turn."""
        states = self._states()
        quiet = not sent and now - self.sent_at >= self.heartbeat
        waits = self.ticked_at + TICK <= now and (
            any(held.behind for held in self.held.values())
            if pace.paused
            else any((held.cursor or 0) < self.publisher.version for held in self.held.values())
        )
        if quiet or waits or greeted or states != self.source_states:
            self.source_states = states
            self.ticked_at = now
            self.sent_at = now
            yield self._tick("heartbeat" if quiet else "tick", pace)
        if not self.brief and not pace.paused:
            yield from self._checksums(now)

    def beat(self, now: float) -> Frame:
        """A heartbeat now, due or not."""
        self.sent_at = self.ticked_at = now
        return self._tick("heartbeat", self.pace)

    def _tick(self, kind: str, pace: Pace) -> Frame:
        publisher = self.publisher
        to: int | None = None
        waiting: int | None = None
        if pace.paused:
            waiting = sum(_waiting(held) for held in self.held.values())
        elif not any(held.behind for held in self.held.values()):
            to = publisher.version
            for held in self.held.values():
                held.cursor = to
        return frame(
            kind,
            to=to,
            time=publisher.clock(),
            now=publisher.shop_clock(),
            waiting=waiting,
            sources=publisher.sources(),
        )

    def _checksums(self, now: float) -> Iterator[Frame]:
        for held in self.held.values():
            if held.checked_at is None:
                held.checked_at = now
            elif now - held.checked_at >= CHECK_EVERY and held.cursor is not None and not held.behind:
                held.checked_at = now
                yield frame(
                    "checksum",
                    view=held.view.name,
                    at=held.cursor,
                    rows=len(held.live.entries),
                    sum=held.live.checksum(),
                )

    def _states(self) -> tuple[str, ...]:
        return tuple(f"{each['source']}={each['state']}" for each in self.publisher.sources())


def _waiting(held: Held) -> int:
    if held.cursor is None or not held.behind:
        return 0
    changes = held.live.since(held.cursor)
    return len(held.live.entries) if changes is None else len(changes)


def next_turn(now: float, seconds: float) -> float:
    """The next due moment: on a grid shared by all of one interval, so that they have equal cursors and share
    frames. Without an interval: at once.
    """
    if seconds <= 0:
        return -math.inf
    return (math.floor(now / seconds) + 1) * seconds
