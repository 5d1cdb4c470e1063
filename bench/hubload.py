"""The fan-out alone, without log and ingest: a hub over memory feeds behind the real transports.

    .venv/bin/python bench/hubload.py PORT [--plain] [--feed metrics]

`POST /publish` makes the posted text the name of one inventory row, or the value of one metric, and publishes that as
one batch. `--plain` serves the streams by the plain ASGI classes under uvicorn instead of taking the connections over.
Everybody may read.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.core.shop import Shop, changes, stock

from stockwire.core.rights import EVERYTHING
from stockwire.core.rows import MetricRow
from stockwire.engine.access import Headers, Reader
from stockwire.engine.admission import Admission
from stockwire.engine.chores import settle_memory
from stockwire.engine.exchange import answer
from stockwire.engine.streams import Streams
from stockwire.listening import bound
from stockwire.transport.poll import LongPoll
from stockwire.transport.sse import EventStream
from stockwire.transport.takeover import http_protocol
from stockwire.transport.websocket import WebSocketStream


class Load:
    """The application: streams, and a way to publish."""

    def __init__(self, rows: int, feed: str = "inventory") -> None:
        self.feed = feed
        self.shop = Shop()
        self.shop.write(**{f"SKU{number}": number for number in range(rows)})
        self.shop.hub._now = lambda: time.time_ns() // 1_000
        admission = Admission(100_000, 100_000, rate=100_000)
        self.streams = Streams(self.shop.hub, admission, monotonic=time.monotonic, random=random.random)
        self.applications = {
            "/api/v1/ws": WebSocketStream(self.streams, everybody),
            "/api/v1/stream": EventStream(self.streams, everybody),
            "/api/v1/poll": LongPoll(self.streams, everybody),
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        application = self.applications.get(scope["path"])
        if application is not None:
            await application(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.publish(body.decode())
        await answer(send, 200, b"ok", b"text/plain")

    def publish(self, name: str) -> None:
        """One change of one row."""
        self.shop.version += 1
        if self.feed == "metrics":
            metric = units_sold(self.shop.version, name)
            self.shop.hub.publish(changes(self.shop.version, metrics={metric.key: metric}))
            return
        row = stock(self.shop.version, "SKU0", self.shop.version % 100, name=name)
        self.shop.hub.publish(changes(self.shop.version, inventory={("SKU0", "main"): row}))


def units_sold(version: int, value: str) -> MetricRow:
    """The units sold today."""
    return MetricRow(
        version=version, metric="units_sold", period="today", unit="units", value=value, previous=None, state="ok",
        as_of=time.time_ns() // 1_000,
    )  # fmt: skip


def everybody(headers: Headers) -> Reader:
    """Anyone may read."""
    return Reader("anybody", EVERYTHING)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("port", type=int)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--feed", choices=("inventory", "metrics"), default="inventory")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    load = Load(options.rows, options.feed)
    http: Any = "httptools" if options.plain else http_protocol(load.streams, everybody)
    config = uvicorn.Config(
        load, loop="none", http=http, ws="wsproto", lifespan="off", backlog=4_096,
        access_log=False, log_level="warning", ws_per_message_deflate=False,
    )  # fmt: skip
    settle_memory()
    await asyncio.create_task(uvicorn.Server(config).serve([bound("127.0.0.1", options.port)]))


if __name__ == "__main__":
    uvloop.run(main())
