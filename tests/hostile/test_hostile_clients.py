"""The installed program among clients that mean harm: each is ended by the rule that is for it, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.blackbox.reader import TRANSPORTS, Reader, call_off
from tests.hostile.attacks import ATTACKS, CUT, Target
from tests.running import Running, running, snapshot
from tests.simulation.truth import ASKED

IDLE = 500
"""Connections that say nothing, beside the others."""
MEBIBYTE = 1 << 20
GROWTH_MOST = 128 * MEBIBYTE
"""The caches of the database, which fill as the shop sells, are among it."""
PATIENCE = 240.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("hostile") / "data", "--currency", "GBP") as server:
        for first in range(0, 3_000, 1_000):
            server.post(*(snapshot(f"SKU-{number}", number) for number in range(first, first + 1_000)))
        yield server


def resident(pid: int) -> int:
    """The bytes of a process that are in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1_024 * int(status.partition("VmRSS:")[2].split()[0])


class Witnesses:
    """A shop that goes on selling, with a screen on every transport."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.changed = asyncio.Event()
        views = tuple(each for each in ASKED if each.feed == "inventory")[:1]
        self.readers = [
            Reader(number, server.url, server.key, views, 1, self.changed) for number in range(len(TRANSPORTS))
        ]
        self.version = 0
        self.peak = 0

    async def go_on(self, until: asyncio.Event) -> None:
        """Sell until told otherwise; every sale must be acknowledged."""
        async with httpx.AsyncClient(base_url=self.server.url, headers=self.server.headers, timeout=30) as client:
            sold = 0
            while not until.is_set() or sold < 20:
                events = [snapshot(f"SKU-{(sold * 7 + each) % 3_000}", sold) for each in range(300)]
                answer = await client.post("/api/v1/events", json=events)
                assert answer.status_code == 200, answer.text
                self.version = answer.json()["version"]
                self.peak = max(self.peak, resident(self.server.pid))
                sold += 1
                await asyncio.sleep(0.1)

    async def see_everything(self) -> None:
        """Wait until every screen shows the last sale."""
        while not all(reader.current(self.version) for reader in self.readers):
            self.changed.clear()
            await self.changed.wait()


async def test_every_attack_ends_by_its_rule_and_the_shop_goes_on(server: Running) -> None:
    target = Target(server.port, server.key)
    witnesses = Witnesses(server)
    over = asyncio.Event()
    before = resident(server.pid)
    async with asyncio.timeout(PATIENCE):
        screens = [asyncio.create_task(reader.live()) for reader in witnesses.readers]
        selling = asyncio.create_task(witnesses.go_on(over))
        idle = [asyncio.create_task(ATTACKS["says_nothing"][0](target)) for _ in range(IDLE)]
        ends = await asyncio.gather(*(attack(target) for attack, _ in ATTACKS.values()))
        assert await asyncio.gather(*idle) == [CUT] * IDLE
        over.set()
        await selling
        await witnesses.see_everything()
        assert await call_off(screens) == []
    came_to = dict(zip(ATTACKS, ends, strict=True))
    assert {name: end for name, end in came_to.items() if end not in ATTACKS[name][1]} == {}
    assert [reader.unplanned for reader in witnesses.readers] == [[]] * len(TRANSPORTS)
    websocket, _, _ = witnesses.readers
    assert websocket.connections == 1, "the screen's own line was never cut"
    assert witnesses.peak - before <= GROWTH_MOST
    await asyncio.to_thread(server.settle)
    assert "Traceback" not in server.output.read_text()
