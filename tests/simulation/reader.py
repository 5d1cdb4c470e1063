"""A reader of the simulation: the client's side of spec/protocol.md, over any transport, that believes nothing.

It connects, resumes, hops between transports, sleeps, freezes and begins anew from what it saved, and checks every frame it
applies against the truth: each row is the log's row, each view at each cursor is what the log held at that version,
nothing is outside its rights, and no reset comes that nothing explains.

Half of the readers do as the page does: a delta of several parts is taken when its last part is there, so that a link cut
in between leaves the cursor before the first; and a stream is resumed by the views' own cursors alone. What these are
sent can be kept on a tape (tape.py), for the page's own reducer to be played the same.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from stockwire.core.cursor import parse_cursor
from stockwire.core.rights import Rights
from stockwire.testing import Held, ProtocolFault, Receiver
from tests.simulation.network import Cut, Link
from tests.simulation.truth import Asked
from tests.simulation.wire import (
    EventsAnswer,
    WebSocketAnswer,
    Wire,
    events_request,
    masked_text,
    websocket_request,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

LIVENESS = 34.0
"""Seconds without a frame after which a reader gives a link up."""

ANSWERS = (0, 101, 200, 429, 503)
"""What a request may be answered: not at all, with a stream, or that there is no room or server just now."""
TRANSPORTS = ("socket", "socket", "socket", "events", "events", "websocket", "sse", "poll")
"""The streams as they are served from the socket, the same as plain ASGI, and long-poll."""


class Watcher(Receiver):
    """Applies frames and checks them against the truth."""

    def __init__(self, world: World, asked: tuple[Asked, ...], rights: Rights, as_page: bool) -> None:
        super().__init__()
        self.world = world
        self.as_page = as_page
        self.groups: dict[str, list[Mapping[str, Any]]] = {}
        self.asked = {each.id: each for each in asked}
        self.rights = rights
        self.sent: dict[str, str | None] = {}
        self.requested: set[str] = set()
        self.before: dict[str, int | None] = {}

    def resume(self, id_: str) -> dict[str, Any]:
        """The subscribe members for a view, with the cursor when there is one."""
        cursor = self.sent[id_] = self.cursor(id_)
        frame = self.asked[id_].frame
        return frame if cursor is None else {**frame, "cursor": cursor}

    def take(self, body: Any) -> dict[str, Any]:
        self.before = {name: held.version for name, held in self.views.items()}
        frame = super().take(body)
        match frame["type"]:
            case "error":
                raise ProtocolFault(f"an error: {frame}")
            case "reset":
                self._judge(frame)
            case "snapshot" | "delta":
                self._check_rows(frame)
                if not frame.get("more"):
                    held = self.views[frame["view"]]
                    self.check(held, held.version or 0)
            case "tick" | "heartbeat" if "to" in frame:
                for held in (self.views[name] for name in self.live):
                    if held.version is not None:
                        self.check(held, held.version)
        return frame

    def _on_hello(self, frame: Mapping[str, Any]) -> None:
        self.groups.clear()
        super()._on_hello(frame)

    def _on_delta(self, frame: Mapping[str, Any]) -> None:
        group = self.groups.setdefault(frame["view"], [])
        group.append(frame)
        if self.as_page and frame.get("more"):
            return
        del self.groups[frame["view"]]
        for each in group:
            super()._on_delta(each)

    def held(self, id_: str) -> Held:
        """The view that id holds."""
        return self.views[self.ids[id_]]

    def asked_of(self, view: str) -> Asked:
        return next(self.asked[id_] for id_, name in self.ids.items() if name == view)

    def _judge(self, frame: dict[str, Any]) -> None:
        """A reset must have its cause (I9)."""
        asked, reason = self.asked_of(frame["view"]), frame["reason"]
        cursor = self.sent.get(asked.id)
        known = parse_cursor(cursor) if cursor is not None else None
        at = self.before[frame["view"]]
        planned = {
            "window": asked.order is not None,
            "horizon": at is not None and at < self.world.server.hub.horizon,
            "epoch": known is not None and known.epoch != self.epoch,
            "requested": asked.id in self.requested,
        }
        if not planned.get(reason, False):
            raise ProtocolFault(f"an unplanned reset of {asked.id}: {reason}")
        self.world.planned[reason] = self.world.planned.get(reason, 0) + 1

    def _check_rows(self, frame: dict[str, Any]) -> None:
        held = self.views[frame["view"]]
        asked = self.asked_of(frame["view"])
        truth = self.world.truth_of(self.epoch)
        for row in frame.get("rows", frame.get("upsert", ())):
            key = held.key_of(row)
            if not self.rights.allow(asked.feed, key):
                raise ProtocolFault(f"{asked.id} shows {key}, which is outside the reader's rights")
            if truth.row(asked.feed, key, row["version"]) != row:
                raise ProtocolFault(f"{asked.id} shows {key} with version {row['version']}, which the log never had")
        for gone in frame.get("remove", ()):
            if not self.rights.allow(asked.feed, tuple(gone)):
                raise ProtocolFault(f"{asked.id} names {gone}, which is outside the reader's rights")
        self.world.rows_checked += (
            len(frame.get("rows", ())) + len(frame.get("upsert", ())) + len(frame.get("remove", ()))
        )

    def check(self, held: Held, at: int) -> None:
        """The rows shown must be what the log held at that version."""
        asked = self.asked_of(held.view)
        should = self.world.truth_of(held.epoch).holds(asked, self.rights, at)
        self.world.views_checked += 1
        if held.rows != should:
            raise ProtocolFault(f"{asked.id} at {at}: {_differences(held.rows, should)}")


def _differences(have: dict[Any, Any], should: dict[Any, Any]) -> str:
    missing = sorted(should.keys() - have.keys())[:3]
    extra = sorted(have.keys() - should.keys())[:3]
    other = [
        f"{key}: version {have[key]['version']} for {should[key]['version']}"
        for key in sorted(have.keys() & should.keys())
        if have[key] != should[key]
    ][:3]
    return f"missing {missing}, too many {extra}, other {other}"


class Reader:
    """Somebody with a screen. `live` is its life; faults befall it from outside."""

    def __init__(self, world: World, name: str, asked: tuple[Asked, ...], rights: Rights) -> None:
        self.world = world
        self.name = name
        self.rights = rights
        self.dice = random.Random(f"{world.seed}/{name}")
        self.asked = asked
        self.as_page = self.dice.random() < 0.5
        self.watcher = Watcher(world, asked, rights, self.as_page)
        self.saved: Watcher | None = None
        self.link: Link | Wire | None = None
        self.answer: WebSocketAnswer | EventsAnswer | None = None
        self.awake = asyncio.Event()
        self.awake.set()
        self.freeze_for = 0.0
        self.interval = self.dice.choice((0, 0, 0, 1_000, 5_000))
        self.paused = False
        self.last_id: str | None = None
        self._failed = 0
        self._record("asks", [each.frame for each in asked])

    async def live(self) -> None:
        """Be connected for ever, by one transport or another."""
        while True:
            await self.awake.wait()
            transport = self.dice.choice(TRANSPORTS)
            try:
                await getattr(self, f"_by_{transport}")()
            except Cut:
                self._failed += 1
                if self.answer is not None and self.answer.status not in ANSWERS:
                    raise ProtocolFault(f"{self.name} was answered {self.answer.status}") from None
            finally:
                self._leave()
            await asyncio.sleep(self.dice.random() * min(20.0, 0.5 * 2 ** min(self._failed, 6)))

    def _refused(self, status: int) -> None:
        """Raises Cut unless it is 200. That there is no room or no server just now may be (I12)."""
        if status not in ANSWERS:
            raise ProtocolFault(f"{self.name} was answered {status}")
        if status != 200:
            raise Cut

    def _record(self, what: str, value: Any) -> None:
        if self.as_page and self.world.tape is not None:
            self.world.tape.record(self.name, what, value, self.watcher)

    def _leave(self) -> None:
        if self.link is not None:
            self.link.cut()
            self.link = None

    def _connect(self, path: str, kind: str, query: str = "") -> Link:
        address = f"{self.name}".encode()
        self.link = self.world.connect(path, kind, query, [(b"x-reader", address)])
        return self.link

    async def _next(self, link: Link | Wire, patience: float = LIVENESS) -> Any:
        """The next message of the present link; what an older one still brings is dropped (P5.7)."""
        if self.freeze_for:
            seconds, self.freeze_for = self.freeze_for, 0.0
            await asyncio.sleep(seconds)
        message = await link.get(patience)
        if link is not self.link:
            raise Cut
        return message

    def _take(self, body: str | bytes) -> dict[str, Any]:
        """Apply a frame of the present link."""
        frame = self.watcher.take(body)
        self._failed = 0
        self.world.saw(self.name, body, frame)
        self._record("frame", frame)
        if frame["type"] == "bye":
            raise Cut
        if frame["type"] in ("delta", "snapshot") and not frame.get("more") and self.dice.random() < 0.2:
            self.save()
        return frame

    # The transports

    async def _by_websocket(self) -> None:
        link = self._connect("/api/v1/ws", "websocket")
        link.say({"type": "websocket.connect"})
        if (await self._next(link))["type"] != "websocket.accept":
            raise Cut
        link.say(_text({"type": "hello", "protocol": 1, "client": "simulation/1"}))
        asks = [{"type": "subscribe", **self.watcher.resume(each.id)} for each in self.asked]
        while True:
            message = await self._next(link)
            if message["type"] != "websocket.send":
                raise Cut
            frame = self._take(message["text"])
            if frame["type"] == "hello":
                if self.interval or self.paused:
                    self.pace()
                for ask in asks:
                    link.say(_text(ask))

    async def _by_socket(self) -> None:
        wire = self.link = self.world.connect_wire()
        wire.say(websocket_request({"X-Reader": self.name}, deflate=self.dice.random() < 0.5))
        asks = [{"type": "subscribe", **self.watcher.resume(each.id)} for each in self.asked]
        answer = self.answer = WebSocketAnswer()
        greeted = False
        while True:
            texts = answer.take(await self._next(wire))
            if answer.status and not greeted:
                greeted = True
                wire.say(masked_text(_json({"type": "hello", "protocol": 1, "client": "simulation/1"})))
            for text in texts:
                frame = self._take(text)
                if frame["type"] == "hello":
                    if self.interval or self.paused:
                        self.pace()
                    for ask in asks:
                        wire.say(masked_text(_json(ask)))

    async def _by_events(self) -> None:
        last = self._last_id() if not self.as_page and self.dice.random() < 0.5 else None
        fields = {"X-Reader": self.name} if last is None else {"X-Reader": self.name, "Last-Event-ID": last}
        query = self._query(last is not None)
        wire = self.link = self.world.connect_wire()
        wire.say(events_request(query, fields, gzip=self.dice.random() < 0.5))
        answer = self.answer = EventsAnswer()
        while True:
            for event in answer.take(await self._next(wire)):
                self._take_event(event)

    def _say(self, frame: dict[str, Any]) -> None:
        """Say something where it can be said: on a WebSocket of either kind."""
        if isinstance(self.link, Wire):
            self.link.say(masked_text(_json(frame)))
        elif self.link is not None and self.link.kind == "websocket":
            self.link.say(_text(frame))

    def pace(self) -> None:
        """Say how it wants to be served, where that can be said."""
        self._say({"type": "pace", "interval": self.interval, "paused": self.paused})

    def resync(self, id_: str) -> None:
        """Ask for a view anew, where that can be asked."""
        if id_ in self.watcher.ids:
            self.watcher.requested.add(id_)
            self._say({"type": "resync", "id": id_, "reason": "requested"})

    def _query(self, by_last_id: bool) -> str:
        views = [each.frame if by_last_id else self.watcher.resume(each.id) for each in self.asked]
        asked: dict[str, Any] = {"views": json.dumps(views)}
        if self.interval or self.paused:
            asked |= {"interval": self.interval, "paused": "true" if self.paused else "false"}
        return urlencode(asked)

    def _last_id(self) -> str | None:
        """The last event's id, when no view is past it: they all stand there."""
        if self.last_id is None:
            return None
        at = parse_cursor(self.last_id)
        for each in self.asked:
            held = self.watcher.held(each.id)
            if held.version is None or held.epoch != at.epoch or held.version > at.version:
                return None
        for each in self.asked:
            self.watcher.held(each.id).version = at.version
            self.watcher.sent[each.id] = self.watcher.cursor(each.id)
        return self.last_id

    async def _by_sse(self) -> None:
        last = self._last_id() if not self.as_page and self.dice.random() < 0.5 else None
        headers = [] if last is None else [(b"last-event-id", last.encode())]
        link = self.link = self.world.connect(
            "/api/v1/stream", "http", self._query(last is not None), [(b"x-reader", self.name.encode()), *headers]
        )
        link.say({"type": "http.request", "body": b"", "more_body": False})
        self._refused((await self._next(link)).get("status", 0))
        text = b""
        while True:
            text += (await self._next(link)).get("body", b"")
            *events, text = text.split(b"\n\n")
            for event in events:
                self._take_event(event)

    def _take_event(self, event: bytes) -> None:
        fields = [line.partition(b": ")[::2] for line in event.split(b"\n")]
        for name, value in fields:
            if name == b"data":
                self._take(value)
        for name, value in fields:
            if name == b"id":
                self.last_id = value.decode()
                for each in self.asked:
                    self.watcher.check(self.watcher.held(each.id), parse_cursor(self.last_id).version)

    async def _by_poll(self) -> None:
        for _ in range(self.dice.randrange(2, 12)):
            if not self.awake.is_set():
                return
            link = self._connect("/api/v1/poll", "http", self._query(False))
            link.say({"type": "http.request", "body": b"", "more_body": False})
            self._refused((await self._next(link)).get("status", 0))
            body = (await self._next(link))["body"]
            link.cut()
            for frame in json.loads(body)["frames"]:
                self._take(json.dumps(frame))

    # What befalls it

    def save(self) -> None:
        """Keep rows and cursors for another life."""
        self.saved = self._copy(self.watcher)
        self._record("saved", True)

    def reload(self) -> None:
        """Lose everything but what was saved, and come back."""
        if self.saved is not None:
            self.watcher = self._copy(self.saved)
            self.last_id = None
            self._record("began anew", True)
            self._leave()

    def hop(self) -> None:
        """Leave a link that may be all right for another."""
        self._leave()

    def _copy(self, watcher: Watcher) -> Watcher:
        other = Watcher(self.world, self.asked, self.rights, self.as_page)
        other.ids = dict(watcher.ids)
        other.epoch = watcher.epoch
        for name, held in watcher.views.items():
            kept = other.views[name] = copy.copy(held)
            kept.rows = dict(held.rows)
            kept.resets = []
            kept._staged = None
        return other


def _json(frame: dict[str, Any]) -> str:
    return json.dumps(frame)


def _text(frame: dict[str, Any]) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": _json(frame)}
