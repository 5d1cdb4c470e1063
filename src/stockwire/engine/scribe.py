"""The scribe: how events get into the log, and how what is committed gets into this process's feeds.

There are two. `Scribe` writes itself: it alone owns the log, passes the shop's time and forgets what nobody can come
back to. `DistantScribe` stands for one in another process: events go there by the relay, and what is committed is read
from the log. Whoever has one need not know which.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from stockwire.core.changes import Changes
from stockwire.core.events import Event, ShopConfigured
from stockwire.engine.chores import ended, every
from stockwire.engine.clock import run_clock
from stockwire.engine.follower import Follower, Tail
from stockwire.engine.ingest import Ingest, Receipt
from stockwire.engine.relay import Relay
from stockwire.engine.verifying import Verifier
from stockwire.engine.watch import WATCH_EVERY, Watch
from stockwire.log.base import Loaded, Writer

COMPACT_EVERY: Final = 3_600.0
LOOK_WHETHER_TO_VERIFY_EVERY: Final = 600.0

_log = logging.getLogger(__name__)

Publish = Callable[[Changes], None]
Forget = Callable[[int], None]


class Scribe:
    """Writes into `log`, from `start` to `stop`. `ticking`: the shop's clock is the wall's. `retention` is how long
    tombstones are kept. `verifier` has the log verified from time to time, `watch` sees what folding cannot.
    """

    def __init__(
        self,
        log: Writer,
        loaded: Loaded,
        config: ShopConfigured,
        *,
        now: Callable[[], int],
        ticking: bool,
        retention: int,
        verifier: Verifier | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._ingest = Ingest(log, loaded, config, now=now, published=self._published)
        self._now = now
        self._ticking = ticking
        self._retention = retention
        self._verifier = verifier
        self._watch = watch
        self._clock = loaded.clock
        self._publish: Publish = _nowhere
        self._forget: Forget = _nowhere
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def running(self) -> bool:
        """Whether events can be stored."""
        return self._ingest.running

    async def submit(self, events: Sequence[Event]) -> Receipt:
        """Store events; gives the receipt once they are durable and published. Raises as `Ingest.submit`."""
        return await self._ingest.submit(events)

    async def start(self, publish: Publish, forget: Forget) -> None:
        """Begin writing. `publish` hears of every commit, `forget` of every new horizon. Raises StorageFailed."""
        self._publish, self._forget = publish, forget
        await self._ingest.start()
        if self._ticking:
            self._tasks.append(asyncio.create_task(run_clock(self.submit, lambda: self._clock, self._now)))
        self._tasks.append(asyncio.create_task(every(COMPACT_EVERY, self.compact)))
        self._tasks.append(asyncio.create_task(every(LOOK_WHETHER_TO_VERIFY_EVERY, self.verify_if_due)))
        self._tasks.append(asyncio.create_task(every(WATCH_EVERY, self.watch)))

    async def stop(self) -> None:
        """Finish what was accepted."""
        await ended(*self._tasks)
        await self._ingest.stop()

    async def compact(self) -> None:
        """Forget what nobody can come back to any more. Raises StorageFailed or Unavailable."""
        self._forget(await self._ingest.compact(self._now(), self._retention))

    async def verify_if_due(self) -> None:
        """Have the log verified when that was last done too long ago, and record what was found."""
        if self._verifier is not None and (found := await self._verifier.look()) is not None:
            await self.submit([self._verifier.event(found, self._clock)])

    async def watch(self) -> None:
        """Record what rules are met by, or no more, that folding cannot see."""
        if self._watch is None:
            return
        await self._watch.look_up()
        if turned := self._watch.look(self._clock):
            await self.submit(turned)

    def _published(self, changes: Changes) -> None:
        self._clock = changes.clock
        if self._verifier is not None:
            self._verifier.hear(changes)
        if self._watch is not None:
            self._watch.hear(changes)
        self._publish(changes)


class DistantScribe:
    """The scribe of another process, which owns the data directory. `tail` reads on where this process's feeds are.

    `lost` is called when it can be followed no more: this process must begin anew.
    """

    def __init__(self, directory: Path, tail: Tail, *, lost: Callable[[], None]) -> None:
        self._relay = Relay(directory)
        self._tail = tail
        self._lost = lost
        self._follower: Follower | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def running(self) -> bool:
        """Whether events can be stored."""
        return self._relay.connected

    async def submit(self, events: Sequence[Event]) -> Receipt:
        """Store events; gives the receipt once they are durable and published here. Raises as `Relay.submit`."""
        receipt = await self._relay.submit(events)
        self.catch_up()
        return receipt

    def catch_up(self) -> None:
        """Publish what is committed by now."""
        if self._follower is not None:
            self._follower.catch_up()

    async def start(self, publish: Publish, forget: Forget) -> None:
        """Begin following. `publish` hears of every commit, `forget` of every new horizon."""
        self._follower = Follower(self._tail, publish, forget)
        self._tasks = [asyncio.create_task(self._follower.run()), asyncio.create_task(self._relay.run())]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Follow no more."""
        await ended(*self._tasks)
        self._tail.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            _log.warning("this process begins anew", exc_info=task.exception())
            self._lost()


def _nowhere(_: object) -> None: ...
