"""A siege of the installed program: a bad network, kills, stops and restarts, while producers send and readers watch.

At its end the network heals, and then everything must agree: each acknowledged event is in the log once, at or below the
version its receipt named, each reader has what the database itself says, and the program's own `verify` finds nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from stockwire.core.rights import EVERYTHING
from stockwire.core.values import moment_text
from stockwire.log.sqlite import SqliteLog
from tests.blackbox.page import looking
from tests.blackbox.proxy import Proxy
from tests.blackbox.reader import Reader, call_off
from tests.running import Running, memory_kib, stockwire
from tests.simulation.shop import Teller
from tests.simulation.truth import ASKED, Truth
from tests.workers.crew import Crew, eventually

STOCK = next(each for each in ASKED if each.id == "stock")
AT_REST_WITHIN = 240.0
"""Seconds after the last fault within which every reader must be at rest."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything. The siege lasts until all of it was."""

    seed: int = 1
    events: int = 50_000
    network_faults: int = 200
    kills: int = 10
    stops: int = 3
    restarts: int = 2
    rolls: int = 0
    """How often each process is renewed in turn; takes more than one worker."""
    workers: int = 1
    readers: int = 100
    """One of them is the page."""
    producers: int = 4
    batch: int = 100
    seconds: float = 55.0
    """How long the faults are spread over."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. Everything in `wrong` is a failure."""

    seed: int
    seconds: float
    acknowledged: int
    repeated: int
    requests: int
    frames: int
    page_rows: int = 0
    """Rows that the page showed at the end, each compared."""
    connections: int
    network_faults: dict[str, int]
    kills: int
    stops: int
    restarts: int
    workers: int = 1
    rolls: int = 0
    divergent: int
    unplanned_resets: int
    memory_kib: tuple[int, int]
    wrong: list[str]


class Siege:
    """One siege over `directory`."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.plan = plan
        self.server = Running(
            directory,
            "--clock",
            "events",
            "--currency",
            "GBP",
            "--log-level",
            "warning",
            "--workers",
            str(plan.workers),
        )
        self._crew = Crew(self.server)
        self.wrong: list[str] = []
        self._dice = random.Random(f"{plan.seed}/siege")
        self._acknowledged: dict[tuple[str, str], int] = {}
        self._answers: Counter[str] = Counter()
        self._repeated = 0
        self._done: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._besieged = True
        self._memory: list[int] = []

    async def run(self) -> Outcome:
        try:
            return await self._run()
        finally:
            await asyncio.to_thread(self.server.kill)

    async def _run(self) -> Outcome:
        began = time.monotonic()
        async with AsyncExitStack() as around:
            proxy = await around.enter_async_context(Proxy(self.server.port, self.plan.seed))
            url = f"http://127.0.0.1:{proxy.port}"
            self._admit(url)
            await asyncio.to_thread(self.server.start)
            page = await around.enter_async_context(looking(self.server))
            readers = [
                Reader(number, url, self.server.key, self._views(), self.plan.seed, self._changed)
                for number in range(self.plan.readers - 1)
            ]
            watching = [asyncio.create_task(reader.live()) for reader in readers]
            producers = [asyncio.create_task(self._produce(number, url)) for number in range(self.plan.producers)]
            try:
                await self._besiege(proxy)
                self._besieged = False
                proxy.heal()
                await asyncio.gather(*producers)
                await self._come_to_rest(readers, watching)
                self._memory.append(memory_kib(self.server.pid))
            finally:
                failures = await call_off([*watching, *producers])
            self.wrong += map(repr, failures)
            truth = await asyncio.to_thread(self._truth)
            divergent = self._compare(readers, truth)
            rows = truth.holds(STOCK, EVERYTHING, truth.version)
            self.wrong += await page.comes_to(rows, AT_REST_WITHIN)
        if (code := await asyncio.to_thread(self.server.stop)) != 0:
            self.wrong.append(f"the server stopped with {code}")
        await asyncio.to_thread(self._check_log)
        unplanned = [each for reader in readers for each in reader.unplanned]
        self.wrong += unplanned
        return Outcome(
            seed=self.plan.seed, seconds=round(time.monotonic() - began, 1), acknowledged=len(self._acknowledged),
            repeated=self._repeated, requests=self._answers.total(), page_rows=len(rows),
            frames=sum(reader.frames for reader in readers),
            connections=sum(reader.connections for reader in readers), network_faults=dict(sorted(proxy.faults.items())),
            kills=self._done["kill"], stops=self._done["pause"], restarts=self._done["restart"],
            workers=self.plan.workers, rolls=self._done["roll"], divergent=divergent,
            unplanned_resets=len(unplanned), memory_kib=(self._memory[0], self._memory[-1]), wrong=self.wrong,
        )  # fmt: skip

    def _admit(self, url: str) -> None:
        """Let the page be opened where the proxy listens."""
        self.server.data_dir.mkdir(parents=True)
        (self.server.data_dir / "stockwire.toml").write_text(f'origins = ["{url}"]\n')

    def _views(self) -> tuple[Any, ...]:
        return tuple(self._dice.sample(ASKED, self._dice.choice((1, 1, 2, 3))))

    # The siege

    async def _besiege(self, proxy: Proxy) -> None:
        plan, dice = self.plan, self._dice
        faults = ["network"] * (plan.network_faults - 4) + ["reset all"] * 4
        faults += ["kill"] * plan.kills + ["pause"] * plan.stops + ["restart"] * plan.restarts + ["roll"] * plan.rolls
        dice.shuffle(faults)
        began = time.monotonic()
        for number, fault in enumerate(faults):
            await asyncio.sleep(max(0.0, began + number * plan.seconds / len(faults) - time.monotonic()))
            match fault:
                case "network":
                    proxy.befall()
                case "reset all":
                    proxy.reset_all()
                case _:
                    await getattr(self, f"_{fault}")()
            self._done[fault] += 1
        while sum(proxy.faults.values()) < plan.network_faults:
            proxy.befall()
            await asyncio.sleep(0.05)

    async def _kill(self) -> None:
        """Take a process away without warning: with several, any of them, and the one that watches heals the rest."""
        self._memory.append(memory_kib(self.server.pid))
        victim = self._dice.choice(self._processes)
        if victim != self.server.pid:
            os.kill(victim, signal.SIGKILL)
            return
        await asyncio.to_thread(self.server.kill)
        await asyncio.to_thread(self.server.start)

    async def _restart(self) -> None:
        if (code := await asyncio.to_thread(self.server.stop)) != 0:
            self.wrong.append(f"the server stopped with {code}")
        await asyncio.to_thread(self.server.start)

    async def _roll(self) -> None:
        """Renew every process in its turn."""
        before = self._crew.everybody
        os.kill(self.server.pid, signal.SIGHUP)
        renewed = partial(eventually, lambda: not before & self._crew.everybody, "a process was not renewed")
        await asyncio.to_thread(renewed)

    async def _pause(self) -> None:
        frozen = self._dice.choice(self._processes)
        os.kill(frozen, signal.SIGSTOP)
        await asyncio.sleep(1.0)
        with contextlib.suppress(ProcessLookupError):
            os.kill(frozen, signal.SIGCONT)

    @property
    def _processes(self) -> list[int]:
        """The process that was started, and those that it started."""
        return [self.server.pid, *sorted(self._crew.everybody)]

    # Producers

    async def _produce(self, number: int, url: str) -> None:
        """Send until the siege is over and enough was acknowledged."""
        dice = random.Random(f"{self.plan.seed}/producer/{number}")
        teller = Teller(f"source-{number}", dice, lambda: time.time_ns() // 1_000)
        share = self.plan.events // self.plan.producers
        sent = 0
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {self.server.key}"}, timeout=10.0) as client:
            while self._besieged or sent < share:
                batch = [told.event for told in teller.batch(self.plan.batch)]
                body = b"[" + b",".join(_envelope(event) for event in batch) + b"]"
                receipt = await self._until_acknowledged(client, url, body)
                sent += len(batch)
                self._repeated += receipt["duplicates"]
                self._acknowledged.update((event.key, receipt["version"]) for event in batch)
                if self._besieged and sent > 1.5 * share:
                    await asyncio.sleep(0.2)

    async def _until_acknowledged(self, client: httpx.AsyncClient, url: str, body: bytes) -> dict[str, Any]:
        while True:
            try:
                answer = await client.post(
                    f"{url}/api/v1/events", content=body, headers={"Content-Type": "application/json"}
                )
            except httpx.HTTPError:
                self._answers["none"] += 1
                await asyncio.sleep(0.05)
                continue
            self._answers[str(answer.status_code)] += 1
            if answer.status_code == 200:
                return dict(answer.json())
            if answer.status_code != 503:
                raise AssertionError(f"events were answered {answer.status_code}: {answer.text[:300]}")
            await asyncio.sleep(0.05)

    # The end

    async def _come_to_rest(self, readers: list[Reader], watching: list[asyncio.Task[None]]) -> None:
        """Wait until every reader is at the log's version."""
        version = (await asyncio.to_thread(self.server.get, "/api/v1/status"))["version"]
        try:
            async with asyncio.timeout(AT_REST_WITHIN):
                while not all(reader.current(version) for reader in readers):
                    if any(task.done() for task in watching):
                        return
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            behind = [reader.name for reader in readers if not reader.current(version)]
            self.wrong.append(f"not at rest: {behind}")

    def _truth(self) -> Truth:
        """What the database says."""
        log = SqliteLog(self.server.data_dir, reading=True)
        try:
            return Truth(log.epoch, log.load())
        finally:
            log.close()

    def _compare(self, readers: list[Reader], truth: Truth) -> int:
        """How many views are not what the database says."""
        divergent = 0
        for reader in readers:
            for asked in reader.asked:
                held = reader.receiver.views.get(reader.receiver.ids.get(asked.id, ""))
                if held is None or held.rows != truth.holds(asked, EVERYTHING, truth.version):
                    divergent += 1
                    self.wrong.append(f"{reader.name} shows other rows in {asked.id}")
        return divergent

    def _check_log(self) -> None:
        told = json.loads(stockwire("verify", "--json", "--data-dir", str(self.server.data_dir), timeout=600.0))
        if told["differences"]:
            self.wrong.append(f"verify finds {told['differences'][:3]}")
        log = SqliteLog(self.server.data_dir, reading=True)
        try:
            versions: dict[tuple[str, str], int] = {}
            while records := log.records(len(versions), 20_000):
                versions.update((record.event.key, record.version) for record in records)
                if records[-1].version != len(versions):
                    self.wrong.append(f"version {records[-1].version} is event number {len(versions)}")
                    return
        finally:
            log.close()
        lost = [key for key, version in self._acknowledged.items() if not 0 < versions.get(key, 0) <= version]
        if lost:
            self.wrong.append(f"{len(lost)} acknowledged events are not in the log as acknowledged: {lost[:3]}")


def _envelope(event: Any) -> bytes:
    data = event.body.decode()
    head = {"id": event.id, "source": event.source, "type": event.type, "time": moment_text(event.time)}
    return (json.dumps(head)[:-1] + f',"data":{data}}}').encode()


def besiege(plan: Plan, directory: Path) -> Outcome:
    """Run a siege to its end."""

    async def story() -> Outcome:
        return await Siege(plan, directory).run()

    return asyncio.run(story())
