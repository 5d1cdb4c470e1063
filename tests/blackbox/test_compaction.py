"""The installed program forgets what nobody can come back to, while screens watch and others come back."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import httpx

from stockwire.engine.verify import verify_directory
from stockwire.log.sqlite import SqliteLog
from stockwire.testing import Receiver
from tests.blackbox.reader import TRANSPORTS, Reader, call_off
from tests.running import PATIENCE, Running, event
from tests.simulation.truth import Asked

ORDERS = (Asked("orders", "orders", {}),)
CLOSED_SHOWN = 1_000
"""Closed orders beyond these leave their feed, and leave tombstones."""


class Hurried(Running):
    """A server whose days last seconds."""

    def _command(self) -> list[str]:
        python, _, program, *rest = super()._command()
        assert program == "stockwire"
        return [python, "-m", "tests.blackbox.hurried", *rest]


def closed(first: int, count: int) -> list[dict[str, Any]]:
    """Orders that are placed and cancelled at once."""
    lines = [{"sku": "MUG", "location": "main", "quantity": 1, "unit_price": 3}]
    found = []
    for number in range(first, first + count):
        order_id = f"O-{number:05}"
        found.append(event("order.placed", order_id=order_id, currency="EUR", lines=lines))
        found.append(event("order.status_changed", order_id=order_id, status="cancelled"))
    return found


class Shop:
    """Closes order after order."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.orders = 0
        self.version = 0

    async def close(self, client: httpx.AsyncClient, count: int) -> None:
        answer = await client.post("/api/v1/events", json=closed(self.orders, count))
        assert answer.status_code == 200, answer.text
        self.orders += count
        self.version = answer.json()["version"]

    def horizon(self) -> int:
        """Cursors below it are of the past, as the server's own file says."""
        log = SqliteLog(self.server.data_dir, reading=True)
        try:
            return log.horizon
        finally:
            log.close()


class Screen(Reader):
    """A reader that may be sent everything anew when it was where nobody can come back to."""

    def __init__(self, number: int, shop: Shop, changed: asyncio.Event) -> None:
        super().__init__(number, shop.server.url, shop.server.key, ORDERS, 1, changed)
        self.shop = shop

    def _take(self, text: str) -> dict[str, Any]:
        before = version_of(self.receiver)
        frame = super()._take(text)
        if frame["type"] == "reset" and frame["reason"] == "horizon" and before < self.shop.horizon():
            self.unplanned.pop()
        return frame


def version_of(screen: Receiver) -> int:
    """Where a screen is; -1 where it was not yet."""
    held = screen.views.get(screen.ids.get("orders", ""))
    return -1 if held is None or held.version is None else held.version


async def come_back(client: httpx.AsyncClient, screen: Receiver) -> list[str]:
    """Bring a screen up to date by one poll; gives what it was reset for."""
    (asked,), cursor = ORDERS, screen.cursor("orders")
    view = asked.frame if cursor is None else {**asked.frame, "cursor": cursor}
    answer = await client.post("/api/v1/poll", json={"views": [view], "wait": 0})
    assert answer.status_code == 200, answer.text
    frames = [screen.take(frame) for frame in answer.json()["frames"]]
    return [frame["reason"] for frame in frames if frame["type"] == "reset"]


async def test_who_was_away_for_less_than_retention_gets_what_changed_and_who_was_longer_everything(
    tmp_path: Path,
) -> None:
    server = Hurried(tmp_path / "data", "--set", "retention_days=1").start()
    shop, changed = Shop(server), asyncio.Event()
    readers = [Screen(number, shop, changed) for number in range(len(TRANSPORTS))]
    away, often, fresh = Receiver(), Receiver(), Receiver()
    resumed = 0
    try:
        async with asyncio.timeout(2 * PATIENCE), httpx.AsyncClient(
            base_url=server.url, headers=server.headers, timeout=PATIENCE
        ) as client:  # fmt: skip
            screens = [asyncio.create_task(reader.live()) for reader in readers]
            while shop.orders <= CLOSED_SHOWN:
                await shop.close(client, 200)
            await come_back(client, away)
            while shop.horizon() <= version_of(away):
                await shop.close(client, 20)
                before = version_of(often)
                reasons = await come_back(client, often)
                resumed += before >= 0 and not reasons
                assert not reasons or (reasons == ["horizon"] and before < shop.horizon())
            while await come_back(client, copy.deepcopy(away)) != ["horizon"]:
                pass  # it hears of a moment later what its file says already
            assert await come_back(client, away) == ["horizon"]
            await come_back(client, often)
            await come_back(client, fresh)
            while not all(reader.current(shop.version) for reader in readers):
                changed.clear()
                await changed.wait()
            assert await call_off(screens) == []
    finally:
        server.stop()
    assert [reader.unplanned for reader in readers] == [[]] * len(TRANSPORTS)
    assert resumed > 0
    assert len(fresh.rows("orders")) == CLOSED_SHOWN
    for screen in (away, often, *(reader.receiver for reader in readers)):
        assert screen.rows("orders") == fresh.rows("orders")
    assert verify_directory(server.data_dir).sound
