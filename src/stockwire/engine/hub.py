"""The hub: the feeds as they are now, the views somebody holds, and the frames that equal readers share.

It implements the sessions' `Publisher`. Everything happens on one event loop: `publish` takes a committed batch in,
then wakes the
subscribers of the views it changed; each pulls when its link is free. Frames are cached per (view, since) for as
long as the version
stands, so a cohort (subscribers with equal view and cursor) shares one encoded frame. A view that nobody holds any
more is kept for
a while, so that whoever comes back resumes exactly.

No queue per subscriber: what the hub knows of one is a callback to wake it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from stockwire.core.changes import Changes
from stockwire.core.feed import Feed
from stockwire.core.greeting import greeting
from stockwire.core.live import Change, FilteredView, LiveView, live_view
from stockwire.core.rows import FeedName, Key
from stockwire.core.values import SECOND, moment_text
from stockwire.core.views import View
from stockwire.core.wire import Frame, delta_frame, encode_key
from stockwire.engine.freshness import Freshness
from stockwire.engine.shelves import Shelves
from stockwire.engine.snapshot import FRAME_BYTES, FRAME_ROWS, Snapshot

_BATCHES_REMEMBERED: Final = 4_096
_FRAMES_REMEMBERED: Final = 4_096

Wake = Callable[[], None]


class Hub:
    """The feeds and their readers. `now` gives the server's time as a moment, `monotonic` seconds for timing.

    `describe` gives the members of a hello that are not the hub's own (server, heartbeat, limits, shop, build).
    `catch_up` publishes what another process has committed by now.
    """

    def __init__(
        self,
        feeds: Mapping[FeedName, Feed],
        *,
        epoch: str,
        version: int,
        horizon: int,
        now: Callable[[], int],
        monotonic: Callable[[], float],
        freshness: Freshness,
        describe: Callable[[], dict[str, Any]],
        least_interval: int = 0,
        catch_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.feeds = dict(feeds)
        self._epoch = epoch
        self._version = version
        self._horizon = horizon
        self.now = now
        self.freshness = freshness
        self._describe = describe
        self._least_interval = least_interval
        self._catch_up = catch_up
        self._shelves = Shelves(monotonic)
        self._waiters: dict[Wake, None] = {}
        self._batches = array("q", (version,))
        self._frames: OrderedDict[tuple[str, int], tuple[Frame, ...] | None] = OrderedDict()
        self._snapshots: dict[str, Snapshot] = {}
        self.touched: list[str] = []
        self._sources: tuple[int, list[dict[str, Any]]] = (-1, [])
        self._greeting: tuple[tuple[int, int], bytes] = ((-1, -1), b"")

    # --- what sessions read ---------------------------------------------------------------------------------------

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def version(self) -> int:
        """The newest version taken in."""
        return self._version

    def reached(self, version: int) -> bool:
        """Whether that version is taken in; what is committed already is taken in first."""
        if version > self._version:
            self._catch_up()
        return version <= self._version

    @property
    def horizon(self) -> int:
        return self._horizon

    @property
    def least_interval(self) -> int:
        return self._least_interval

    def clock(self) -> int:
        return self.now() // 1_000

    def shop_clock(self) -> int | None:
        """The shop's time in milliseconds when it is the newest event's; None when it is the world's."""
        shop = self._describe().get("shop", {})
        return int(shop["now"]) if shop.get("clock") == "events" else None

    def hello(self) -> dict[str, Any]:
        """What there is to say of the server and shop now."""
        return {"epoch": self._epoch, "version": self._version, "time": self.clock(), **self._describe()}

    def greeting(self) -> bytes:
        moment = (self.clock(), self._version)
        if moment != self._greeting[0]:
            self._greeting = (moment, greeting(self.hello(), self.sources()))
        return self._greeting[1]

    def sources(self) -> list[dict[str, Any]]:
        """Freshness of every source, made at most four times a second."""
        now = self.now()
        stamp = now * 4 // SECOND
        if self._sources[0] != stamp:
            rows = [entry.row for entry in self.feeds["sources"]]
            self._sources = (
                stamp,
                [
                    {
                        "source": row.source,
                        "age": max(0, now - row.recorded_at) // 1_000,
                        "state": self.freshness.of(row.source, (now - row.recorded_at) / SECOND),
                    }
                    for row in sorted(rows, key=lambda row: row.source)
                ],
            )
        return self._sources[1]

    def open(self, view: View) -> LiveView:
        return self._shelves.hold(view, lambda: live_view(view, self.feeds[view.feed], self._version))

    def close(self, view: View) -> None:
        self._shelves.let_go(view)

    def snapshot(self, live: LiveView) -> Snapshot:
        """The view's whole content as it is at this call, the same for all who ask while the version stands."""
        name = live.view.name
        if name not in self._snapshots:
            self._snapshots[name] = Snapshot(name, self._version, live.content())
        return self._snapshots[name]

    def delta(self, live: LiveView, since: int) -> tuple[Frame, ...] | None:
        key = (live.view.name, since)
        if key in self._frames:
            return self._frames[key]
        changes = live.since(since)
        frames = None if changes is None else tuple(self._delta_frames(live.view.name, since, changes))
        self._frames[key] = frames
        if len(self._frames) > _FRAMES_REMEMBERED:
            self._frames.popitem(last=False)
        return frames

    def _delta_frames(self, view: str, since: int, changes: list[Change]) -> Iterator[Frame]:
        """The changes as delta frames, cut only between versions so that each part's `to` can be resumed from."""
        time = self.clock()
        upsert: list[bytes] = []
        remove: list[bytes] = []
        size = 0
        from_ = since
        for index, change in enumerate(changes):
            full = len(upsert) + len(remove) >= FRAME_ROWS or size >= FRAME_BYTES
            if full and change.version > changes[index - 1].version:
                to = changes[index - 1].version
                yield delta_frame(view, from_, to, upsert, remove, more=True, merged=self._merged(from_, to), time=time)
                from_, upsert, remove, size = to, [], [], 0
            if change.entry is None:
                remove.append(encode_key(change.key))
                size += len(remove[-1])
            else:
                upsert.append(change.entry.json)
                size += len(upsert[-1])
        merged = self._merged(from_, self._version)
        yield delta_frame(view, from_, self._version, upsert, remove, more=False, merged=merged, time=time)

    def _merged(self, from_: int, to: int) -> int:
        """How many published batches a delta covers."""
        return bisect_right(self._batches, to) - bisect_right(self._batches, from_)

    # --- what the engine tells ------------------------------------------------------------------------------------

    def publish(self, changes: Changes) -> None:
        """Take a committed batch in and wake everyone it may concern. Batches must come in order of version."""
        self._version = changes.version
        self._batches.append(changes.version)
        if len(self._batches) > 2 * _BATCHES_REMEMBERED:
            del self._batches[:_BATCHES_REMEMBERED]
        self._frames.clear()
        self._snapshots.clear()
        self.touched = []
        rows: dict[FeedName, Mapping[Any, Any]] = {
            "inventory": changes.inventory,
            "orders": changes.orders,
            "metrics": changes.metrics,
            "hours": {(moment_text(start),): row for start, row in changes.hours.items()},
            "sources": changes.sources,
            "rules": changes.rules,
            "notifications": changes.notifications,
            "people": changes.people,
        }
        for name, changed in rows.items():
            gone = changes.evicted if name == "orders" else {}
            if changed or gone:
                self._apply(name, changed, gone)
        self.wake()

    def _apply(self, name: FeedName, changed: Mapping[Key, Any], gone: Mapping[Key, int]) -> None:
        applied = self.feeds[name].apply(self._version, changed, gone)
        for live, concerning in self._shelves.concerned(name, applied):
            if live.apply(self._version, concerning):
                self.touched.append(live.view.name)

    def forget(self, horizon: int) -> None:
        """The log's horizon moved: older cursors are reset from now on."""
        self._horizon = max(self._horizon, horizon)
        for feed in self.feeds.values():
            feed.forget(horizon)
        for shelf in self._shelves:
            if isinstance(shelf.live, FilteredView):
                shelf.live.forget(horizon)

    # --- who listens ----------------------------------------------------------------------------------------------

    def listen(self, wake: Wake) -> Callable[[], None]:
        """Have `wake` called after every batch; call what this gives to stop."""
        self._waiters[wake] = None

        def stop() -> None:
            self._waiters.pop(wake, None)

        return stop

    def wake(self) -> None:
        """Wake every listener."""
        for waiter in list(self._waiters):
            waiter()

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._waiters)

    @property
    def views(self) -> int:
        """How many views are held live now."""
        return len(self._shelves)

    @property
    def holders(self) -> int:
        """How many holds there are on views, by all readers together."""
        return self._shelves.holders
