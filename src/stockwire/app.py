"""The wired application: read this file to understand the system.

    source -> transport/http -> engine/scribe -> log (one transaction) -> hub -> sessions -> transports -> screens

`Stockwire` opens the log, loads the rows and gives one ASGI application: the streams under `/api/v1/ws`, `/stream` and
`/poll` are plain ASGI, everything else is the HTTP API. `Stockwire.open` owns the data directory and writes itself;
`Stockwire.follow` serves beside a process that does (workers/ has those). serving.py runs it under uvicorn. Adapters are
chosen here, and by the writing process (workers/writer.py).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

from stockwire import __version__
from stockwire.core.changes import Changes
from stockwire.core.events import Event
from stockwire.engine.admission import Admission
from stockwire.engine.census import Count
from stockwire.engine.checkpoints import PLACE, Reached
from stockwire.engine.chores import ended, every
from stockwire.engine.exchange import Receive, Scope, Send
from stockwire.engine.hub import Hub
from stockwire.engine.ingest import Receipt
from stockwire.engine.outbox import Outbox
from stockwire.engine.past import Past, World
from stockwire.engine.scribe import DistantScribe, Forget, Publish
from stockwire.engine.standing import REVIEW_EVERY, Standing
from stockwire.engine.state import feeds, ready
from stockwire.engine.streams import Streams
from stockwire.log.access import Access as Store
from stockwire.log.base import Loaded, Log
from stockwire.log.deliveries import Deliveries
from stockwire.log.journal import Tail
from stockwire.log.sqlite import SqliteLog
from stockwire.settings import Settings
from stockwire.transport.http import Access, App, Calendar, Front, Page, http_api
from stockwire.transport.past import LookingBack
from stockwire.transport.poll import LongPoll
from stockwire.transport.sse import EventStream
from stockwire.transport.websocket import WebSocketStream
from stockwire.writing import freshness, moment_now, opened_deliveries, outbox, receivers, scribe

DASHBOARD: Final = Path(__file__).parent / "dashboard"
NOTE_USE_EVERY: Final = 60.0
REST_EVERY: Final = 60.0


class Writing(Protocol):
    """A scribe, here or in another process."""

    @property
    def running(self) -> bool: ...

    async def submit(self, events: Sequence[Event]) -> Receipt: ...
    async def start(self, publish: Publish, forget: Forget) -> None: ...
    async def stop(self) -> None: ...


class Stockwire:
    """The application over one data directory, open until `close`. Call it as ASGI 3.

    `count` knows the connections of the server's other processes. `catch_up` publishes what another process committed.
    `outbox` sends messages; None where another process does.
    """

    def __init__(
        self,
        settings: Settings,
        log: SqliteLog,
        store: Store,
        deliveries: Deliveries,
        loaded: Loaded,
        ingest: Writing,
        *,
        outbox: Outbox | None = None,
        count: Count | None = None,
        catch_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.log = log
        self.store = store
        self.deliveries = deliveries
        self.ingest = ingest
        self.outbox = outbox
        self._shop_clock = loaded.clock
        self.hub = Hub(
            feeds(loaded),
            epoch=log.epoch,
            version=loaded.version,
            horizon=loaded.horizon,
            now=moment_now,
            monotonic=time.monotonic,
            freshness=freshness(settings),
            describe=self._describe,
            catch_up=catch_up,
        )
        self.admission = Admission(settings.max_connections, settings.max_connections_each, count=count)
        self.streams = Streams(self.hub, self.admission, monotonic=time.monotonic, random=random.random)
        self.standing = Standing(store, self.admission)
        self.access = Access(store, origins=settings.own_origins, monotonic=time.monotonic)
        self.past = Past(log, settings.data_dir / PLACE, lambda to: Reached(*log.copy_rows(to)))
        self._tasks: list[asyncio.Task[None]] = []
        self._page = Page(DASHBOARD)
        self._front = self._make_front()

    def _make_front(self) -> Front:
        settings = self.settings
        api = http_api(
            ingest=self.ingest,
            log=self.log,
            hub=self.hub,
            access=self.access,
            calendar=Calendar(settings.timezone, settings.currency, self.shop_now),
            allowed_minutes=settings.allowed_minutes,
            receivers=receivers(settings, self.deliveries),
            now=moment_now,
            not_ready=self._not_ready,
            connections=lambda: self.admission.connections,
            future_seconds=settings.future_tolerance_seconds,
        )
        streams: dict[str, App] = {
            "/api/v1/ws": WebSocketStream(self.streams, self.access.reader),
            "/api/v1/stream": EventStream(self.streams, self.access.reader),
            "/api/v1/poll": LongPoll(self.streams, self.access.reader),
            "/api/v1/past": LookingBack(self.past, self.admission, self.access.reader, self._describe_past),
        }
        return Front(cast(App, api), self._page, streams)

    def _not_ready(self) -> list[str]:
        """Why requests should go elsewhere for now."""
        reasons = ["draining"] if self.admission.draining else []
        return reasons if self.ingest.running else [*reasons, "the writer does not run"]

    @classmethod
    async def open(cls, settings: Settings) -> Stockwire:
        """Open the data directory (made when it is not there) and start writing.

        Raises DataDirectoryBusy, SchemaTooNew or StorageFailed.
        """
        log = SqliteLog(settings.data_dir, now=moment_now())

        async def wired() -> Stockwire:
            loaded = await asyncio.to_thread(ready, log)
            store, deliveries = opened_store(settings), opened_deliveries(settings)
            writing, telling = scribe(settings, log, loaded), outbox(settings, log, deliveries)
            return cls(settings, log, store, deliveries, loaded, writing, outbox=telling)

        return await _started(wired(), log)

    @classmethod
    async def follow(cls, settings: Settings, count: Count, lost: Callable[[], None]) -> Stockwire:
        """Serve a data directory that another process owns and writes. `lost`: it can be followed no more.

        Raises SchemaTooNew or StorageFailed.
        """
        log = SqliteLog(settings.data_dir, reading=True)

        async def wired() -> Stockwire:
            loaded = await asyncio.to_thread(log.load)
            tail = Tail(settings.data_dir, loaded.version, log.epoch)
            distant = DistantScribe(settings.data_dir, tail, lost=lost)
            store, deliveries = opened_store(settings), opened_deliveries(settings)
            return cls(settings, log, store, deliveries, loaded, distant, count=count, catch_up=distant.catch_up)

        return await _started(wired(), log)

    async def _start(self) -> None:
        await self.ingest.start(self._publish, self.hub.forget)
        if self.outbox is not None:
            await self.outbox.start()
        chores = (
            (NOTE_USE_EVERY, self._note_use), (REST_EVERY, self.past.rest), (REST_EVERY, self.past.keep),
            (REVIEW_EVERY, self.standing.review),
        )  # fmt: skip
        for seconds, chore in chores:
            self._tasks.append(asyncio.create_task(every(seconds, chore)))

    async def close(self) -> None:
        """Finish what was accepted and let go of the data directory."""
        await ended(*self._tasks)
        if self.outbox is not None:
            await self.outbox.stop()
        await self.ingest.stop()
        await self.past.close()
        self.deliveries.close()
        self.store.close()
        self.log.close()

    def _publish(self, changes: Changes) -> None:
        self._shop_clock = changes.clock
        self.hub.publish(changes)

    async def _note_use(self) -> None:
        """Write down when each key was last used."""
        await asyncio.to_thread(self.store.flush)

    def shop_now(self) -> int:
        """The shop's clock: the wall's, or the newest event's time."""
        return moment_now() if self.settings.clock == "wall" else self._shop_clock

    def _describe(self) -> dict[str, Any]:
        """What a hello says of this server and shop (P2.2)."""
        settings = self.settings
        return {
            "server": f"stockwire/{__version__}",
            "build": self._page.build,
            "shop": {
                "name": settings.shop_name, "currency": settings.currency, "timezone": settings.timezone,
                "clock": settings.clock, "now": self.shop_now() // 1_000, "simulated": settings.simulated,
            },
        }  # fmt: skip

    def _describe_past(self, world: World) -> dict[str, Any]:
        """What a hello says when somebody looks back: the shop, at the world's moment."""
        described = self._describe()
        return {**described, "shop": {**described["shop"], "now": world.clock // 1_000}, "past": world.version}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)


async def _started(wired: Awaitable[Stockwire], log: Log) -> Stockwire:
    """The application, started; the log is let go when that fails."""
    try:
        application = await wired
        await application._start()
    except BaseException:
        log.close()
        raise
    return application


def opened_store(settings: Settings) -> Store:
    """Who may come in. Raises StorageFailed or SchemaTooNew."""
    return Store(settings.data_dir / "access.db")
