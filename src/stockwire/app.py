"""The wired application: read this file to understand the system.

    source -> transport/http -> engine/ingest -> log (one transaction) -> hub -> sessions -> transports -> screens

`Stockwire` opens the log, loads the rows, starts the one writer and gives one ASGI application: the streams under
`/api/v1/ws`, `/stream` and
`/poll` are plain ASGI, everything else is the HTTP API. `serve` runs it under uvicorn until it is asked to stop,
then lets the
screens go in peace. This is the only place that chooses adapters.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import uvicorn
import uvloop

from stockwire import __version__
from stockwire.core.errors import StockwireError
from stockwire.core.events import ShopConfigured
from stockwire.core.feed import Feed
from stockwire.core.fold import Changes
from stockwire.core.rows import FeedName
from stockwire.core.values import DAY
from stockwire.engine.admission import Admission
from stockwire.engine.clock import run_clock
from stockwire.engine.exchange import Receive, Scope, Send
from stockwire.engine.freshness import Freshness, Thresholds
from stockwire.engine.hub import Hub
from stockwire.engine.ingest import Ingest
from stockwire.engine.streams import Streams
from stockwire.log.access import Access as Store
from stockwire.log.base import Loaded, Writer
from stockwire.log.sqlite import SqliteLog
from stockwire.settings import Settings
from stockwire.transport.http import Access, App, Calendar, Front, Page, http_api
from stockwire.transport.poll import LongPoll
from stockwire.transport.sse import EventStream
from stockwire.transport.takeover import http_protocol
from stockwire.transport.websocket import WebSocketStream

_log = logging.getLogger("stockwire")

DASHBOARD: Final = Path(__file__).parent / "dashboard"
COMPACT_EVERY: Final = 3_600.0
NOTE_USE_EVERY: Final = 60.0


def moment_now() -> int:
    """The wall's clock as a moment."""
    return time.time_ns() // 1_000


class Stockwire:
    """The application over one data directory, open from `open` to `close`. Call it as ASGI 3."""

    def __init__(self, settings: Settings, log: Writer, store: Store, loaded: Loaded) -> None:
        self.settings = settings
        self.log = log
        self.store = store
        self._shop_clock = loaded.clock
        self.hub = Hub(
            feeds(loaded),
            epoch=log.epoch,
            version=loaded.version,
            horizon=loaded.horizon,
            now=moment_now,
            monotonic=time.monotonic,
            freshness=Freshness(
                Thresholds(settings.source_late_seconds, settings.source_silent_seconds),
                {source: Thresholds(age.late, age.silent) for source, age in settings.sources.items()},
            ),
            describe=self._describe,
        )
        self.admission = Admission(settings.max_connections, settings.max_connections)
        self.streams = Streams(self.hub, self.admission, monotonic=time.monotonic, random=random.random)
        self.access = Access(store, origins=settings.own_origins, monotonic=time.monotonic)
        self.ingest = Ingest(log, loaded, configuration(settings), now=moment_now, published=self._published)
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
            now=moment_now,
            not_ready=self._not_ready,
            connections=lambda: self.admission.connections,
            future_seconds=settings.future_tolerance_seconds,
        )
        streams: dict[str, App] = {
            "/api/v1/ws": WebSocketStream(self.streams, self.access.reader),
            "/api/v1/stream": EventStream(self.streams, self.access.reader),
            "/api/v1/poll": LongPoll(self.streams, self.access.reader),
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
        try:
            loaded = await asyncio.to_thread(log.load)
            application = cls(settings, log, Store(settings.data_dir / "access.db"), loaded)
        except BaseException:
            log.close()
            raise
        await application._start()
        return application

    async def _start(self) -> None:
        await self.ingest.start()
        if self.settings.clock == "wall":
            self._tasks.append(asyncio.create_task(run_clock(self.ingest.submit, lambda: self._shop_clock, moment_now)))
        for seconds, chore in ((COMPACT_EVERY, self._compact), (NOTE_USE_EVERY, self._note_use)):
            self._tasks.append(asyncio.create_task(_every(seconds, chore)))

    async def close(self) -> None:
        """Finish what was accepted and let go of the data directory."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ingest.stop()
        self.store.close()
        self.log.close()

    def _published(self, changes: Changes) -> None:
        self._shop_clock = changes.clock
        self.hub.publish(changes)

    async def _compact(self) -> None:
        """Forget what nobody can come back to any more."""
        horizon = await self.ingest.compact(moment_now(), self.settings.retention_days * DAY)
        self.hub.forget(horizon)

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

    def link(self, url: str) -> str:
        """A fresh one-time sign-in link for the page at `url`."""
        token = self.store.create_link(moment_now())
        return f"{url}/sign-in#{token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)


async def _every(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    """Do the chore again and again. One that fails is told, and tried again at its next turn."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except StockwireError as error:
            _log.warning("%s: %s", chore.__name__.strip("_"), error.detail)


def feeds(loaded: Loaded) -> dict[FeedName, Feed]:
    """The feeds as the log has them."""
    tables: dict[FeedName, Any] = {
        "inventory": loaded.inventory, "orders": loaded.orders, "metrics": loaded.metrics, "hours": loaded.hours,
        "sources": loaded.sources,
    }  # fmt: skip
    return {
        name: Feed(name, rows.values(), loaded.tombstones.get(name), loaded.horizon) for name, rows in tables.items()
    }


def configuration(settings: Settings) -> ShopConfigured:
    """The settings that folding depends on, as the event that puts them in force."""
    return ShopConfigured(
        timezone=settings.timezone, currency=settings.currency, allowed_minutes=dict(settings.allowed_minutes)
    )


class _Server(uvicorn.Server):
    """uvicorn, but for signals: stopping is ours, because the screens are asked to leave first."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


Announce = Callable[[Stockwire, str], None]
Beside = Callable[[Stockwire], Awaitable[None]]


def serve(settings: Settings, announce: Announce | None = None, beside: Beside | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then drain and close.

    `announce` is called once, with the application and its address, when it answers; left out, the address and a
    sign-in link
    go to standard output. `beside` runs as long as the server does (the demo's shop). Raises DataDirectoryBusy,
    SchemaTooNew,
    StorageFailed, or OSError when the address cannot be had.
    """
    uvloop.run(_serve(settings, announce or _print, beside))


def _print(application: Stockwire, url: str) -> None:
    sys.stdout.write(f"{application.settings.shop_name} is live at {url}\nSign in, once: {application.link(url)}\n")
    sys.stdout.flush()


async def _serve(settings: Settings, announce: Announce, beside: Beside | None) -> None:
    with contextlib.closing(_listen(settings.host, settings.port)) as listener:
        port = listener.getsockname()[1]
        settings = msgspec.structs.replace(settings, port=port)
        application = await Stockwire.open(settings)
        try:
            async with _answering(application, listener) as server:
                gc.collect()
                gc.freeze()
                announce(application, f"http://{_written(settings.host)}:{port}")
                await _until_stopped(application, server, beside)
        finally:
            await application.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _written(host: str) -> str:
    """A host as it stands in an address."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


@contextlib.asynccontextmanager
async def _answering(application: Stockwire, listener: socket.socket) -> AsyncIterator[_Server]:
    """uvicorn answering on the listener for as long as the block runs."""
    config = uvicorn.Config(
        application,
        loop="none",
        http=http_protocol(application.streams, application.access.reader),
        ws="wsproto",
        ws_max_size=128 * 1024,
        ws_per_message_deflate=False,
        lifespan="off",
        backlog=4_096,
        access_log=False,
        log_level="debug" if application.settings.log_level == "debug" else "warning",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        started = asyncio.create_task(server.answering.wait())
        await asyncio.wait((started, task), return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        yield server
    finally:
        server.should_exit = True
        await task


async def _until_stopped(application: Stockwire, server: _Server, beside: Beside | None) -> None:
    """Wait for a signal; a second one does not wait for the screens."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.force_exit = stopping.is_set()
        stopping.set()

    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop)
    task = asyncio.create_task(_beside(application, beside, stopping))
    try:
        await stopping.wait()
        await application.admission.drain(random.random)
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(sign)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _beside(application: Stockwire, beside: Beside | None, stopping: asyncio.Event) -> None:
    """Run what runs beside the server; when it fails, everything stops and the failure is told."""
    if beside is not None:
        try:
            await beside(application)
        finally:
            stopping.set()
