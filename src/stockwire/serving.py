"""Serving: the application under uvicorn, until it is asked to stop; then the screens are let go in peace.

`serve` is a server of one process. workers/ runs several over one data directory with the same pieces.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import cast

import msgspec
import uvicorn
import uvloop

from stockwire.app import Stockwire
from stockwire.engine.chores import settle_memory
from stockwire.engine.limits import KEEP_ALIVE_SECONDS
from stockwire.listening import Announce, address, bound, sign_in_link
from stockwire.settings import Settings
from stockwire.transport.takeover import http_protocol

Beside = Callable[[Stockwire], Awaitable[None]]

BACKLOG = 4_096


def serve(settings: Settings, announce: Announce, beside: Beside | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then drain and close.

    `beside` runs as long as the server does (the demo's shop). Raises DataDirectoryBusy, SchemaTooNew, StorageFailed, or
    OSError when the address cannot be had.
    """
    uvloop.run(_serve(settings, announce, beside))


async def _serve(settings: Settings, announce: Announce, beside: Beside | None) -> None:
    with contextlib.closing(bound(settings.host, settings.port)) as listener:
        port = listener.getsockname()[1]
        settings = msgspec.structs.replace(settings, port=port)
        application = await Stockwire.open(settings)
        try:
            async with answering(application, listener) as server:
                settle_memory()
                url = address(settings.host, port)
                announce(url, sign_in_link(application.store, url))
                await until_stopped(application, server, (signal.SIGINT, signal.SIGTERM), beside=beside)
        finally:
            await application.close()


class Server(uvicorn.Server):
    """uvicorn, but for signals: stopping is ours, because the screens are asked to leave first."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.answering.set()

    def close_doors(self) -> None:
        """Let nobody connect any more."""
        for server in self.servers:
            server.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def answering(application: Stockwire, listener: socket.socket) -> AsyncIterator[Server]:
    """uvicorn answering on the listener for as long as the block runs."""
    config = uvicorn.Config(
        application,
        loop="none",
        http=cast(type[asyncio.Protocol], http_protocol(application.streams, application.access.reader)),
        ws="wsproto",
        ws_max_size=128 * 1024,
        ws_per_message_deflate=False,
        lifespan="off",
        backlog=BACKLOG,
        access_log=False,
        log_level="debug" if application.settings.log_level == "debug" else "error",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        started = asyncio.create_task(server.answering.wait())
        await asyncio.wait((started, task), return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        yield server
    finally:
        server.should_exit = True
        await task


async def until_stopped(
    application: Stockwire,
    server: Server,
    signs: tuple[signal.Signals, ...],
    *,
    beside: Beside | None = None,
    first: Callable[[], None] = lambda: None,
) -> None:
    """Wait for one of the signals, do what is to be done `first`, and drain; a second one does not wait for the screens."""
    stopping, pressing = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        (pressing if stopping.is_set() else stopping).set()

    for sign in signs:
        loop.add_signal_handler(sign, stop)
    task = asyncio.create_task(_beside(application, beside, stopping))
    try:
        await stopping.wait()
        first()
        await _drained(application, pressing)
        server.force_exit = pressing.is_set()
    finally:
        for sign in signs:
            loop.remove_signal_handler(sign)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _drained(application: Stockwire, pressing: asyncio.Event) -> None:
    """Let the screens go, unless somebody is pressing."""
    draining = asyncio.create_task(application.admission.drain(random.random))
    hurry = asyncio.create_task(pressing.wait())
    await asyncio.wait((draining, hurry), return_when=asyncio.FIRST_COMPLETED)
    draining.cancel()
    hurry.cancel()
    await asyncio.gather(draining, hurry, return_exceptions=True)


async def _beside(application: Stockwire, beside: Beside | None, stopping: asyncio.Event) -> None:
    """Run what runs beside the server; when it fails, everything stops and the failure is told."""
    if beside is not None:
        try:
            await beside(application)
        finally:
            stopping.set()
