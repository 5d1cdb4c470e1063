"""One subscriber's conversation, without any I/O: frames in, frames out, time as an argument.

    opening --hello--> open --bye, error or fault--> closed

`receive` takes a client's frame and gives the answers; `pull` gives the frames that are due now, newest state only;
`due_at` says when to pull again. Whoever owns the session calls `pull` only when the link has taken all earlier bytes,
and simply calls it later when it has not: there is no queue, a skipped turn merges into the next (P6.8).

What is held and due is the session's `reading`. While that is shared with equal readers, a frame that changes it
makes the session take a copy: `reading` is then another object. What a view's frames are is the `Publisher`'s
business, so equal readers share the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from stockwire.core.cadence import Pace, parse_interval, parse_pace
from stockwire.core.cursor import Cursor, parse_cursor
from stockwire.core.errors import Invalid, Refused, StockwireError, TooLarge, VersionUnsupported
from stockwire.core.greeting import SPOKEN, VIEWS_MOST, hello
from stockwire.core.reading import Held, Publisher, Reading, ResetReason, next_turn
from stockwire.core.rights import EVERYTHING, Rights
from stockwire.core.views import View, parse_view
from stockwire.core.wire import FRAME_BYTES, Frame, error_frame, frame, parse_frame


class Ending(NamedTuple):
    """How a session ended: a close code (P8.3) and why."""

    code: int
    reason: str


class Session:
    """One conversation. `name` tells it apart in logs; `heartbeat` is its seconds of silence before a heartbeat,
    jitter included.

    `brief`: it lasts for one answer (long-poll): no checksums, no tick to say that nothing changed, and what changes
    with an interval waits for the interval's next turn.
    """

    __slots__ = ("_ids", "_publisher", "ending", "name", "reading", "rights", "state")

    def __init__(self, name: str, publisher: Publisher, *, heartbeat: float, now: float, rights: Rights = EVERYTHING,
                 brief: bool = False) -> None:  # fmt: skip
        self.name = name
        self.rights = rights
        self.state: Literal["opening", "open", "closed"] = "opening"
        self.ending: Ending | None = None
        self.reading = Reading(publisher, heartbeat=heartbeat, now=now, brief=brief)
        self._publisher = publisher
        self._ids: dict[str, tuple[str, int]] = {}

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
            return self.fault(error)

    def take(self, bodies: Iterable[bytes | str], now: float) -> list[Frame]:
        """Take several inbound frames, one after the other."""
        return [each for body in bodies for each in self.receive(body, now)]

    def _answer(self, asked: Mapping[str, Any], now: float) -> list[Frame]:
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

    def _about_view(self, kind: str, asked: Mapping[str, Any], now: float) -> list[Frame]:
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
        if asked.get("protocol") not in SPOKEN:
            raise VersionUnsupported()
        return self.open()

    def open(self) -> Frame:
        """Open without a client's hello (SSE, long-poll); gives the server's."""
        self.state = "open"
        self._own().opened()
        return hello(self.name, self._publisher.greeting())

    @property
    def ids(self) -> dict[str, tuple[str, int]]:
        """The names of the views that the client's ids hold, and the intervals they ask for; a copy."""
        return dict(self._ids)

    def lend(self) -> Reading:
        """The reading as it is now, for sessions that are to hold the same."""
        reading = self.reading.copy()
        reading.shared = True
        return reading

    def adopt(self, ids: Mapping[str, tuple[str, int]], reading: Reading) -> Frame:
        """Open with what another holds, as if the client had said the same; gives the hello. `reading` is a lent one of
        the same rights, over views that are held.
        """
        self.state = "open"
        for held in reading.held.values():
            self._publisher.open(held.view)
        self._ids.update(ids)
        self.reading = reading
        return hello(self.name, self._publisher.greeting())

    def _own(self) -> Reading:
        """The reading, to change it: a copy when it is shared."""
        if self.reading.shared:
            self.reading = self.reading.copy()
        return self.reading

    def set_pace(self, wish: Pace) -> Frame:
        """Take the client's wish; gives the effective pace as `paced`."""
        reading = self._own()
        reading.wish = wish
        pace = reading.pace
        for held in reading.held.values():
            held.due_at = -math.inf
        return frame("paced", interval=pace.interval, paused=pace.paused, reason=pace.reason)

    @property
    def pace(self) -> Pace:
        """The effective pace."""
        return self.reading.pace

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
        if id_ in self._ids and self._ids[id_][0] != view.name:
            self.unsubscribe(id_)
        reading = self._own()
        held = reading.held.get(view.name)
        if held is None:
            held = reading.held[view.name] = Held(view, self._publisher.open(view))
            if cursor is not None:
                held.cursor, held.reset = self._resume(view, cursor, exact=cursor is not last)
        self._ids[id_] = (view.name, interval)
        held.interval = self._interval(view.name)
        pace = reading.pace
        held.due_at = -math.inf
        if reading.brief and held.cursor is not None:
            held.greeted = True
            held.due_at = next_turn(now, pace.seconds(held.interval))
        effective = max(pace.interval, held.interval)
        return frame(
            "subscribed", id=id_, view=view.name, feed=view.feed, key=view.key_fields, filter=view.filter or None,
            order=view.order_names or None, limit=view.limit, interval=effective,
            reason=pace.reason if effective == pace.interval else "chosen",
        )  # fmt: skip

    def _interval(self, name: str) -> int:
        """How often the view is wished for: the fastest of those who hold it."""
        return min(interval for view, interval in self._ids.values() if view == name)

    def _resume(self, view: View, cursor: Cursor, *, exact: bool) -> tuple[int | None, ResetReason | None]:
        """The version to go on from, or why that cannot be (P3.5)."""
        publisher = self._publisher
        if cursor.epoch != publisher.epoch:
            return None, "epoch"
        if exact and cursor.view != view.name:
            return None, "view"
        if not publisher.reached(cursor.version):
            return None, "ahead"
        if cursor.version < publisher.horizon:
            return None, "horizon"
        return cursor.version, None

    def unsubscribe(self, id_: str) -> None:
        """Let go of what the id holds. Raises Invalid when it holds nothing."""
        if id_ not in self._ids:
            raise Invalid(f"no subscription has the id `{id_[:64]}`")
        name, _ = self._ids.pop(id_)
        reading = self._own()
        if any(view == name for view, _ in self._ids.values()):
            reading.held[name].interval = self._interval(name)
        else:
            self._publisher.close(reading.held.pop(name).view)

    def _resync(self, id_: str, asked: Mapping[str, Any]) -> list[Frame]:
        if id_ not in self._ids:
            raise Invalid(f"no subscription has the id `{id_[:64]}`")
        held = self._own().held[self._ids[id_][0]]
        held.cursor = None
        held.reset = "checksum" if asked.get("reason") == "checksum" else "requested"
        held.due_at = -math.inf
        return []

    # --- what the client gets -------------------------------------------------------------------------------------

    def due_at(self) -> float:
        """When `pull` will have something, if nothing else happens; in the past: now."""
        return self.reading.due_at()

    def pull(self, now: float) -> Iterator[Frame]:
        """The frames that are due at `now`, newest state. Send each before taking the next; they must all be taken,
        or the session closed.
        """
        if self.state == "open":
            yield from self._own().turn(now).frames()

    def heartbeat(self, now: float) -> Frame:
        """A heartbeat now, due or not."""
        return self._own().beat(now)

    @property
    def current(self) -> Cursor | None:
        """The cursor of the whole set when every view is current at one version (P1.6), else None."""
        return self.reading.current

    # --- the end --------------------------------------------------------------------------------------------------

    def bye(self, reason: str, reconnect_in: int) -> list[Frame]:
        """End as planned (P8.1); `reconnect_in` in milliseconds."""
        if self.state == "closed":
            return []
        return [frame("bye", code=4001, reason=reason, reconnect_in=reconnect_in), *self._end(4001, reason)]

    def fault(self, error: StockwireError) -> list[Frame]:
        """End because of what the client sent; gives the `error` that says so (P8.2)."""
        if self.state == "closed":
            return []
        return [error_frame(error), *self._end(error.close_code, error.code)]

    def _end(self, code: int, reason: str) -> list[Frame]:
        self.ending = Ending(code, reason)
        self.close()
        return []

    def close(self) -> None:
        """Let go of everything. May be called again."""
        self.state = "closed"
        ids, self._ids = self._ids, {}
        for name in {name for name, _ in ids.values()}:
            self._publisher.close(self.reading.held[name].view)
