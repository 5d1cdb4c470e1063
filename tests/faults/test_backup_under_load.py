"""Backups of the installed program while it takes events and screens watch on every transport: whole, and nobody notices."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from stockwire.engine.backup import Copied, restore
from stockwire.engine.verify import verify_directory
from tests.blackbox.reader import TRANSPORTS, Reader, call_off
from tests.running import Running, running, snapshot, stockwire
from tests.simulation.truth import Asked

BACKUPS = 3
WITHIN = 240.0
STOCK = (Asked("stock", "inventory", {}),)


class Till:
    """Sends until it is told to stop; knows the newest version that was acknowledged."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.acknowledged = 0
        self.closed = False

    async def open(self) -> None:
        async with httpx.AsyncClient(base_url=self.server.url, headers=self.server.headers, timeout=60) as client:
            while not self.closed:
                events = [snapshot(f"SKU-{number}", self.acknowledged % 500) for number in range(100)]
                answer = await client.post("/api/v1/events", json=events)
                assert answer.status_code == 200, answer.text
                self.acknowledged = answer.json()["version"]


async def backed_up(server: Running, to: Path) -> None:
    await asyncio.to_thread(stockwire, "backup", str(to), "--data-dir", str(server.data_dir))


async def test_backups_under_load_are_whole_and_no_screen_notices(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        changed, till = asyncio.Event(), Till(server)
        readers = [Reader(number, server.url, server.key, STOCK, 1, changed) for number in range(len(TRANSPORTS))]
        bounds = []
        async with asyncio.timeout(WITHIN):
            screens = [asyncio.create_task(reader.live()) for reader in readers]
            selling = asyncio.create_task(till.open())
            for number in range(BACKUPS):
                before = till.acknowledged
                await backed_up(server, tmp_path / f"copy-{number}")
                bounds.append((before, till.acknowledged))
            till.closed = True
            await selling
            while not all(reader.current(till.acknowledged) for reader in readers):
                changed.clear()
                await changed.wait()
            assert await call_off(screens) == []
        epoch = server.get("/api/v1/status")["epoch"]
    assert [reader.unplanned for reader in readers] == [[]] * len(TRANSPORTS)
    for number, (before, after) in enumerate(bounds):
        copied = restored(tmp_path / f"copy-{number}", tmp_path / f"other-{number}")
        assert before <= copied.version <= after + 1_000, "what was acknowledged before it began is in it"
        assert copied.epoch != epoch


def restored(backup: Path, to: Path) -> Copied:
    """The data directory made from a backup; it must be sound."""
    copied = restore(backup, to)
    assert verify_directory(to).sound
    return copied
