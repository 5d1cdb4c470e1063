"""A server at the same work for long: what it grows by in an hour.

Stock moves, orders are placed and closed, and readers of every transport come, stay a while, and come back or are new. No
minute differs from another, so whatever rises is kept. Three things are meant to fill up and are filled before: SQLite's
page cache, by a log that is larger, the closed orders that are shown, each with the text that readers were told of it, and
what is remembered of questions, so that equal ones are understood once. One is meant to rise for 62 days, and is counted:
what is kept of each order that is over, less than a kilobyte (`tests/leaks/test_kept.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import msgspec
import websockets

from stockwire.core.cursor import Cursor
from stockwire.core.values import moment_text
from tests.blackbox.reader import Reader, call_off
from tests.running import Running, memory_kib
from tests.simulation.truth import ASKED

BEFORE = 250_000
"""Events that are in the log before: more than its page cache holds."""
ORDERS_BEFORE = 1_200
"""Orders that are closed before: more than are shown."""
QUESTIONS_BEFORE = 300
"""Different ones that are asked before, by socket and by stream: more than are remembered, and as long as any."""
ORDERS = next(each for each in ASKED if each.id == "orders")
LONGEST: dict[str, Any] = max((each.frame for each in ASKED), key=lambda frame: len(json.dumps(frame)))
PRODUCTS = 200
READERS = 30
BATCH = 10
BATCHES_A_SECOND = 5
ORDER_EVERY = 50
"""Batches between two orders: some 360 orders in an hour."""
LOOK_EVERY = 5.0


class Steady(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. `memory_kib` is the least of each minute after the warm-up; `growth` is in MiB an hour."""

    commit: str
    seed: int
    minutes: float
    events: int
    visits: int
    frames: int
    memory_kib: list[int]
    growth: float
    wrong: list[str]


class Work:
    """The load on one server, and what its memory came to."""

    def __init__(self, server: Running, seed: int) -> None:
        self.server = server
        self.seed = seed
        self.events = self.visits = self.frames = 0
        self.wrong: list[str] = []
        self._dice = random.Random(f"{seed}/steady")
        self._numbers = itertools.count(1)
        self._orders = self._next_orders()

    async def run(self, minutes: float) -> Steady:
        """Work for so long once the log is filled, a fifth of it (ten minutes at most) to warm up."""
        async with httpx.AsyncClient(base_url=self.server.url, headers=self.server.headers, timeout=60.0) as client:
            await self._fill(client)
            await self._ask(client)
            began = time.monotonic()
            tasks = [asyncio.create_task(self._come_and_go(number)) for number in range(READERS)]
            tasks.append(asyncio.create_task(self._produce(client)))
            try:
                await asyncio.sleep(60.0 * min(10.0, minutes / 5))
                least = await self._watch(began + 60.0 * minutes)
            finally:
                self.wrong += map(repr, await call_off(tasks))
        return Steady(
            commit=commit(), seed=self.seed, minutes=minutes, events=self.events, visits=self.visits,
            frames=self.frames, memory_kib=least, growth=slope(least) * 60 / 1024, wrong=self.wrong,
        )  # fmt: skip

    async def _watch(self, until: float) -> list[int]:
        """The least memory of each minute."""
        least: list[int] = []
        while time.monotonic() < until:
            minute = []
            for _ in range(int(60.0 / LOOK_EVERY)):
                await asyncio.sleep(LOOK_EVERY)
                minute.append(memory_kib(self.server.pid))
            least.append(min(minute))
        return least

    # The work

    async def _fill(self, client: httpx.AsyncClient) -> None:
        """Somebody watches the orders: the text that readers are told stays with an order for as long as it is shown."""
        told = asyncio.Event()
        watcher = Reader(0, self.server.url, self.server.key, (ORDERS,), self.seed, told)
        watching = asyncio.create_task(watcher.live())
        for _ in range(ORDERS_BEFORE // 100):
            await told.wait()
            told.clear()
            await self._send(client, list(itertools.chain(*itertools.islice(self._orders, 100))))
        for _ in range(BEFORE // 1_000):
            await self._send(client, [self._stock() for _ in range(1_000)])
        self.wrong += [*map(repr, await call_off([watching])), *watcher.unplanned]

    async def _ask(self, client: httpx.AsyncClient) -> None:
        views = [{**LONGEST, "id": f"view-{number}", "cursor": _cursor(number)} for number in range(QUESTIONS_BEFORE)]
        for view in views:
            asked = {"interval": 500, "views": [view, {**view, "id": f"{view['id']}-again"}]}
            async with client.stream("POST", "/api/v1/stream", json=asked) as answer:
                answer.raise_for_status()
        address = self.server.url.replace("http", "ws", 1) + "/api/v1/ws"
        for first in range(0, QUESTIONS_BEFORE, 10):
            async with websockets.connect(address, additional_headers=self.server.headers) as link:
                await link.send(json.dumps({"type": "hello", "protocol": 1, "client": "test/1"}))
                for view in views[first : first + 10]:
                    await link.send(json.dumps({"type": "subscribe", **view}))
                await link.recv()

    async def _produce(self, client: httpx.AsyncClient) -> None:
        for number in itertools.count():
            batch = [self._stock() for _ in range(BATCH)]
            if number % ORDER_EVERY == 0:
                batch += next(self._orders)
            await self._send(client, batch)
            await asyncio.sleep(1 / BATCHES_A_SECOND)

    async def _send(self, client: httpx.AsyncClient, batch: list[dict[str, Any]]) -> None:
        """Send until it is answered: an idle connection may be closed just as it is used."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await client.post("/api/v1/events", json=batch)
                break
        if answer.status_code != 200:
            self.wrong.append(f"events were answered {answer.status_code}")
        self.events += len(batch)

    def _event(self, type_: str, **data: Any) -> dict[str, Any]:
        now = moment_text(time.time_ns() // 1_000)
        return {"id": str(next(self._numbers)), "source": "till", "type": type_, "time": now, "data": data}

    def _stock(self) -> dict[str, Any]:
        sku = f"SKU-{self._dice.randrange(PRODUCTS):03}"
        return self._event("stock.received", sku=sku, location="main", quantity=self._dice.randrange(1, 9))

    def _next_orders(self) -> Iterator[list[dict[str, Any]]]:
        """Orders from their placing to their end."""
        while True:
            order_id = f"order-{next(self._numbers):09}"
            line = {"sku": "SKU-000", "location": "main", "quantity": 1, "unit_price": 3}
            told = [self._event("order.placed", order_id=order_id, currency="EUR", lines=[line])]
            told += [
                self._event("order.status_changed", order_id=order_id, status=status)
                for status in ("shipped", "delivered", "completed")
            ]
            yield told

    async def _come_and_go(self, number: int) -> None:
        """One seat: somebody new sits down, is there three times for a while, and leaves for good."""
        changed = asyncio.Event()
        while True:
            asked = tuple(self._dice.sample(ASKED, 2))
            reader = Reader(number, self.server.url, self.server.key, asked, self._dice.randrange(10**9), changed)
            for _ in range(3):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._dice.uniform(5.0, 40.0)):
                        await reader.live()
                self.visits += 1
                await asyncio.sleep(self._dice.uniform(0.0, 5.0))
            self.frames += reader.frames
            self.wrong += reader.unplanned


def _cursor(number: int) -> str:
    """A cursor of another history: what was asked with it is answered anew."""
    return str(Cursor("0" * 16, number, "0" * 16))


def commit() -> str:
    """What is measured."""
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


def slope(values: list[int]) -> float:
    """The median of all slopes between two values (Theil and Sen), which no single value can bend."""
    found = [(later - sooner) / (j - i) for (i, sooner), (j, later) in itertools.combinations(enumerate(values), 2)]
    return median(found) if found else 0.0


def work(minutes: float, seed: int, place: Path) -> Steady:
    """A server at work for so many minutes."""
    server = Running(place, "--log-level", "warning").start()
    try:
        return asyncio.run(Work(server, seed).run(minutes))
    finally:
        server.kill()
