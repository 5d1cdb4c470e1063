"""One subscriber's conversation, without any I/O: frames in, frames out, time as an argument.

    opening --hello--> open --bye, error or fault--> closed

A session is a set of held views, each with the cursor the receiver has. `receive` takes a client's frame and gives
the answers; `pull`
gives the frames that are due now, newest state only; `due_at` says when to pull again. Whoever owns the session
calls `pull`
only when the link has taken all earlier bytes, and simply calls it later when it has not: there is no queue, a
skipped turn merges
into the next (P6.8). What a view's frames are is the `Publisher`'s business, so equal readers share the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol

from stockwire.core.cadence import LIVE, TICK, Pace, parse_interval, parse_pace
from stockwire.core.cursor import Cursor, parse_cursor, set_name
from stockwire.core.errors import Invalid, Refused, StockwireError, TooLarge, VersionUnsupported
from stockwire.core.live import LiveView
from stockwire.core.rights import EVERYTHING, Rights
from stockwire.core.views import LIMIT_MOST, View, parse_view
from stockwire.core.wire import FRAME_BYTES, Frame, error_frame, frame, parse_frame

PROTOCOL: Final = 1
VIEWS_MOST: Final = 128
HEARTBEAT: Final = 20
"""Seconds of silence after which a heartbeat comes; each session's own is up to a tenth off, so that not all come
together.
"""
LIMITS: Final = {"views": VIEWS_MOST, "frame_bytes": FRAME_BYTES, "limit": LIMIT_MOST}
CHECK_EVERY: Final = 60.0
"""Seconds between two checksums of a view."""

ResetReason = Literal["epoch", "horizon", "view", "ahead", "window", "requested", "checksum"]


class Publisher(Protocol):
    """What a session reads from: the feeds as they are at `version`."""

    @property
    def epoch(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def horizon(self) -> int: ...
    @property
    def least_interval(self) -> int:
        """The shortest interval the server allows now, in milliseconds."""

    def hello(self) -> dict[str, Any]:
        """The members of a hello but for `session`."""

    def sources(self) -> list[dict[str, Any]]:
        """Freshness (P6.2)."""

    def clock(self) -> int:
        """The server's time in milliseconds since 1970."""

    def open(self, view: View) -> LiveView:
        """Hold a view live; each call needs one `close`."""

    def close(self, view: View) -> None: ...
    def snapshot(self, live: LiveView) -> Iterator[Frame]:
        """The view's whole content at `version`."""

    def delta(self, live: LiveView, since: int) -> tuple[Frame, ...] | None:
        """What changed from `since` to `version`, at least one frame; None when only the whole content will do."""


class Ending(NamedTuple):
    """How a session ended: a close code (P8.3) and why."""

    code: int
    reason: str


class _Held:
    """A view that the subscriber holds: under which ids, how far, and when it is next due."""

    __slots__ = ("checked_at", "cursor", "due_at", "greeted", "intervals", "live", "reset", "view")

    def __init__(self, view: View, live: LiveView) -> None:
        self.view = view
        self.live = live
        self.intervals: dict[str, int] = {}
        self.cursor: int | None = None
        self.reset: ResetReason | None = None
        self.greeted = False
        self.due_at = -math.inf
        self.checked_at: float | None = None

    @property
    def interval(self) -> int:
        return min(self.intervals.values(), default=0)

    @property
    def behind(self) -> bool:
        """Whether something happened in the view since the cursor."""
        return self.cursor is None or self.live.changed_at > self.cursor


class Session:
    """One conversation. `name` tells it apart in logs; `heartbeat` is its seconds of silence before a heartbeat,
    jitter included.

    `brief`: it lasts for one answer (long-poll): no checksums, no tick to say that nothing changed, and what changes
    with an
    interval waits for the interval's next turn.
    """

    def __init__(self, name: str, publisher: Publisher, *, heartbeat: float, now: float, rights: Rights = EVERYTHING,
                 brief: bool = False) -> None:  # fmt: skip
        self.name = name
        self.rights = rights
        self.state: Literal["opening", "open", "closed"] = "opening"
        self.ending: Ending | None = None
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._brief = brief
        self._wish = LIVE
        self._held: dict[str, _Held] = {}
        self._ids: dict[str, str] = {}
        self._sent_at = now
        self._ticked_at = now
        self._source_states: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.state == "closed"

    # --- what the client says -------------------------------------------------------------------------------------

    def receive(self, body: bytes | str, now: float) -> list[Frame]:
        """Take one inbound frame; gives the frames that answer it. After a fault `ending` is set."""
        if self.state == "closed":
            return []
        try:
            if len(body) > FRAME_BYTES:
                raise TooLarge("a frame is larger than 64 KiB")
            asked = parse_frame(body)
            return self._answer(asked, now)
        except StockwireError as error:
            return [error_frame(error), *self._end(error.close_code, error.code)]

    def _answer(self, asked: dict[str, Any], now: float) -> list[Frame]:
        kind = asked["type"]
        if self.state == "opening":
            if kind != "hello":
                return self._end(4502, "no hello")
            return [self._open(asked)]
        match kind:
            case "subscribe" | "resync" | "unsubscribe":
                return self._about_view(kind, asked, now)
            case "pace":
                return [self.set_pace(parse_pace(asked))]
            case "ping":
                return [frame("pong", n=asked.get("n"), time=self._publisher.clock())]
            case "pong":
                return []
            case _:
                raise Invalid(f"unknown frame type `{kind[:40]}`")

    def _about_view(self, kind: str, asked: dict[str, Any], now: float) -> list[Frame]:
        id_ = asked.get("id")
        try:
            if not isinstance(id_, str) or not 1 <= len(id_) <= 64:
                raise Invalid("`id` must be a text of 1 to 64 characters")
            if kind == "subscribe":
                return [self.subscribe(asked, now)]
            if kind == "resync":
                return self._resync(id_, asked)
            self.unsubscribe(id_)
            return [frame("unsubscribed", id=id_)]
        except Refused as error:
            return [error_frame(error, id_ if isinstance(id_, str) else None)]

    def _open(self, asked: Mapping[str, Any]) -> Frame:
        if asked.get("protocol") != PROTOCOL:
            raise VersionUnsupported()
        return self.open()

    def open(self) -> Frame:
        """Open without a client's hello (SSE, long-poll); gives the server's."""
        self.state = "open"
        self._source_states = self._states()
        return frame(
            "hello", protocol=PROTOCOL, session=self.name, heartbeat=HEARTBEAT, limits=LIMITS,
            sources=self._publisher.sources(), **self._publisher.hello(),
        )  # fmt: skip

    def set_pace(self, wish: Pace) -> Frame:
        """Take the client's wish; gives the effective pace as `paced`."""
        self._wish = wish
        pace = self.pace
        for held in self._held.values():
            held.due_at = -math.inf
        return frame("paced", interval=pace.interval, paused=pace.paused, reason=pace.reason)

    @property
    def pace(self) -> Pace:
        """The effective pace."""
        return self._wish.at_least(self._publisher.least_interval)

    def subscribe(self, asked: Mapping[str, Any], now: float, *, last: Cursor | None = None) -> Frame:
        """Hold the view that a subscribe frame asks for; gives `subscribed`. `last` stands in for a missing cursor.

        Raises Invalid or TooLarge; then nothing changed.
        """
        id_ = str(asked["id"])
        view = parse_view(asked, self.rights)
        interval = parse_interval(asked.get("interval", 0))
        cursor = parse_cursor(asked["cursor"]) if asked.get("cursor") is not None else last
        if id_ not in self._ids and len(self._ids) >= VIEWS_MOST:
            raise TooLarge(f"a connection holds at most {VIEWS_MOST} views")
        if id_ in self._ids and self._ids[id_] != view.name:
            self.unsubscribe(id_)
        held = self._held.get(view.name)
        if held is None:
            held = self._held[view.name] = _Held(view, self._publisher.open(view))
            if cursor is not None:
                held.cursor, held.reset = self._resume(view, cursor, exact=cursor is not last)
        self._ids[id_] = view.name
        held.intervals[id_] = interval
        pace = self.pace
        held.due_at = -math.inf
        if self._brief and held.cursor is not None:
            held.greeted = True
            held.due_at = _next_turn(now, pace.seconds(held.interval))
        effective = max(pace.interval, held.interval)
        return frame(
            "subscribed", id=id_, view=view.name, feed=view.feed, key=view.key_fields, filter=view.filter or None,
            order=view.order_names or None, limit=view.limit, interval=effective,
            reason=pace.reason if effective == pace.interval else "chosen",
        )  # fmt: skip

    def _resume(self, view: View, cursor: Cursor, *, exact: bool) -> tuple[int | None, ResetReason | None]:
        """The version to go on from, or why that cannot be (P3.5)."""
        publisher = self._publisher
        if cursor.epoch != publisher.epoch:
            return None, "epoch"
        if exact and cursor.view != view.name:
            return None, "view"
        if cursor.version > publisher.version:
            return None, "ahead"
        if cursor.version < publisher.horizon:
            return None, "horizon"
        return cursor.version, None

    def unsubscribe(self, id_: str) -> None:
        """Let go of what the id holds. Raises Invalid when it holds nothing."""
        name = self._ids.pop(id_, None)
        if name is None:
            raise Invalid(f"no subscription has the id `{id_[:64]}`")
        held = self._held[name]
        del held.intervals[id_]
        if not held.intervals:
            del self._held[name]
            self._publisher.close(held.view)

    def _resync(self, id_: str, asked: Mapping[str, Any]) -> list[Frame]:
        name = self._ids.get(id_)
        if name is None:
            raise Invalid(f"no subscription has the id `{id_[:64]}`")
        held = self._held[name]
        held.cursor = None
        held.reset = "checksum" if asked.get("reason") == "checksum" else "requested"
        held.due_at = -math.inf
        return []

    # --- what the client gets -------------------------------------------------------------------------------------

    def due_at(self) -> float:
        """When `pull` will have something, if nothing else happens; in the past: now."""
        at = self._sent_at + self._heartbeat
        paused = self.pace.paused
        for held in self._held.values():
            if held.cursor is None or not held.greeted:
                return -math.inf
            if paused:
                at = min(at, self._ticked_at + TICK) if held.behind else at
            elif held.behind:
                at = min(at, held.due_at)
            elif held.cursor < self._publisher.version:
                at = min(at, self._ticked_at + TICK)
        return at

    def pull(self, now: float) -> Iterator[Frame]:
        """The frames that are due at `now`, newest state. Send each before taking the next; cursors move as they are
        taken.
        """
        if self.state != "open":
            return
        pace = self.pace
        sent = greeted = False
        for held in list(self._held.values()):
            if held.cursor is not None and not (held.behind and held.due_at <= now and not pace.paused):
                greeted |= not held.greeted
                held.greeted = True
                continue
            for each in self._bring(held, now, pace):
                sent = True
                yield each
        for each in self._close_group(now, sent, greeted, pace):
            yield each
        if sent:
            self._sent_at = now

    def _bring(self, held: _Held, now: float, pace: Pace) -> Iterator[Frame]:
        """Bring one view up to the present."""
        publisher = self._publisher
        at = publisher.version
        deltas = publisher.delta(held.live, held.cursor) if held.cursor is not None else None
        if deltas is not None:
            yield from deltas
        else:
            if held.cursor is not None:
                held.reset = "window"
            if held.reset is not None:
                yield frame("reset", view=held.view.name, reason=held.reset)
            yield from publisher.snapshot(held.live)
        held.cursor = at
        held.reset = None
        held.greeted = True
        held.due_at = _next_turn(now, pace.seconds(held.interval))

    def _close_group(self, now: float, sent: bool, greeted: bool, pace: Pace) -> Iterator[Frame]:
        """Ticks, heartbeats and checksums after the deltas of a turn."""
        states = self._states()
        quiet = not sent and now - self._sent_at >= self._heartbeat
        waits = self._ticked_at + TICK <= now and (
            any(held.behind for held in self._held.values())
            if pace.paused
            else any((held.cursor or 0) < self._publisher.version for held in self._held.values())
        )
        if quiet or waits or greeted or states != self._source_states:
            self._source_states = states
            self._ticked_at = now
            self._sent_at = now
            yield self._tick("heartbeat" if quiet else "tick", pace)
        if not self._brief and not pace.paused:
            yield from self._checksums(now)

    def heartbeat(self, now: float) -> Frame:
        """A heartbeat now, due or not."""
        self._sent_at = self._ticked_at = now
        return self._tick("heartbeat", self.pace)

    def _tick(self, kind: str, pace: Pace) -> Frame:
        publisher = self._publisher
        to: int | None = None
        waiting: int | None = None
        if pace.paused:
            waiting = sum(self._waiting(held) for held in self._held.values())
        elif not any(held.behind for held in self._held.values()):
            to = publisher.version
            for held in self._held.values():
                held.cursor = to
        return frame(kind, to=to, time=publisher.clock(), waiting=waiting, sources=publisher.sources())

    def _waiting(self, held: _Held) -> int:
        if held.cursor is None or not held.behind:
            return 0
        changes = held.live.since(held.cursor)
        return len(held.live.entries) if changes is None else len(changes)

    def _checksums(self, now: float) -> Iterator[Frame]:
        for held in self._held.values():
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
        return tuple(f"{each['source']}={each['state']}" for each in self._publisher.sources())

    @property
    def current(self) -> Cursor | None:
        """The cursor of the whole set when every view is current at one version (P1.6), else None."""
        if not self._held or any(held.behind for held in self._held.values()):
            return None
        return Cursor(self._publisher.epoch, self._publisher.version, set_name(self._held))

    def holds(self, names: Iterable[str]) -> bool:
        """Whether any of the named views is held."""
        return any(name in self._held for name in names)

    # --- the end --------------------------------------------------------------------------------------------------

    def bye(self, reason: str, reconnect_in: int) -> list[Frame]:
        """End as planned (P8.1); `reconnect_in` in milliseconds."""
        if self.state == "closed":
            return []
        return [frame("bye", code=4001, reason=reason, reconnect_in=reconnect_in), *self._end(4001, reason)]

    def _end(self, code: int, reason: str) -> list[Frame]:
        self.ending = Ending(code, reason)
        self.close()
        return []

    def close(self) -> None:
        """Let go of everything. May be called again."""
        self.state = "closed"
        self._ids.clear()
        held, self._held = self._held, {}
        for each in held.values():
            self._publisher.close(each.view)


def _next_turn(now: float, seconds: float) -> float:
    """The next due moment: on a grid shared by all of one interval, so that they have equal cursors and share
    frames.
    """
    if seconds <= 0:
        return now
    return (math.floor(now / seconds) + 1) * seconds
