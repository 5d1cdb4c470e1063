"""A server on loopback for tests of the transports: uvicorn in this process, over a hub of memory feeds."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from stockwire.core.errors import Unauthenticated
from stockwire.core.rights import EVERYTHING, Rights
from stockwire.engine.access import Headers, Reader
from stockwire.engine.admission import Admission
from stockwire.engine.streams import Streams
from stockwire.transport.poll import LongPoll
from stockwire.transport.sse import EventStream
from stockwire.transport.takeover import http_protocol
from stockwire.transport.websocket import WebSocketStream
from tests.core.shop import Shop

KEY = {"Authorization": "Bearer good"}


def authorise(headers: Headers) -> Reader:
    """Everybody with the key may read; whose own rows, a header says."""
    if headers.get(b"authorization") != KEY["Authorization"]:
        raise Unauthenticated()
    person = headers.get(b"x-person") or ""
    return Reader("somebody", Rights(EVERYTHING.name, person))


class Place:
    """The served shop. `taken_over` tells whether the streams leave uvicorn's tasks."""

    def __init__(self, *, taken_over: bool = True, admission: Admission | None = None) -> None:
        self.shop = Shop()
        self.admission = admission or Admission(1_000, 1_000)
        self.streams = Streams(self.shop.hub, self.admission, monotonic=time.monotonic, random=lambda: 0.5)
        self.taken_over = taken_over
        self.port = 0
        self.server: uvicorn.Server
        self._applications: dict[str, Any] = {
            "/api/v1/ws": WebSocketStream(self.streams, authorise),
            "/api/v1/stream": EventStream(self.streams, authorise),
            "/api/v1/poll": LongPoll(self.streams, authorise),
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        application = self._applications.get(scope["path"])
        if application is not None:
            await application(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/ws"


class _Server(uvicorn.Server):
    """uvicorn without signals."""

    def install_signal_handlers(self) -> None: ...


@asynccontextmanager
async def served(place: Place) -> AsyncIterator[Place]:
    """The place, answering for as long as the block runs."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    place.port = listener.getsockname()[1]
    http: Any = http_protocol(place.streams, authorise) if place.taken_over else "httptools"
    config = uvicorn.Config(
        place, loop="none", http=http, ws="wsproto", lifespan="off", log_level="critical", access_log=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = place.server = _Server(config)
    task = asyncio.create_task(server._serve([listener]))
    try:
        await until(lambda: server.started)
        yield place
    finally:
        server.should_exit = True
        await task
        listener.close()


async def until(true: Any) -> None:
    """Let the loop go on until `true()` holds; the test's own time limit bounds it."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 (whatever it waits for happens on this loop and has no event)
            await asyncio.sleep(0)
