"""The simulated world: one server of real parts, readers, producers and every fault there is, from one seed.

Real are the fold, the log adapter, the recorder and its group commit, the hub, sessions, conversations and the three
transports. Simulated are time, the network, the disk's power and the people. One thread plays it all; the dice of each
actor come from the seed, so the same seed gives the same frames in the same order, and `trace` is their fingerprint.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch

import msgspec
from uvicorn.config import Config
from uvicorn.server import ServerState

from stockwire.core import fold
from stockwire.core.changes import Changes
from stockwire.core.errors import Invalid, StockwireError, StorageFailed, Unauthenticated
from stockwire.core.events import Event, ShopConfigured, parse_event
from stockwire.core.rows import NotificationRow
from stockwire.core.values import DAY, SECOND, moment, moment_text
from stockwire.engine import hub, snapshot
from stockwire.engine.access import Headers
from stockwire.engine.access import Reader as Admitted
from stockwire.engine.admission import Admission
from stockwire.engine.clock import run_clock
from stockwire.engine.freshness import Freshness
from stockwire.engine.hub import Hub
from stockwire.engine.ingest import Ingest, Receipt
from stockwire.engine.state import feeds
from stockwire.engine.streams import Streams
from stockwire.engine.verify import verify
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import SqliteLog
from stockwire.transport.poll import LongPoll
from stockwire.transport.sse import EventStream
from stockwire.transport.takeover import http_protocol
from stockwire.transport.websocket import WebSocketStream
from tests.simulation.disk import Disk, lossy_disk
from tests.simulation.network import Cut, Link
from tests.simulation.reader import Reader
from tests.simulation.shop import COUNTED, Teller, Told, add_up
from tests.simulation.truth import ASKED, MAIN_ONLY, OWN_AND_ALL, PEOPLE, Truth
from tests.simulation.virtual import play
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.tape import Tape

BEGIN = moment("2026-03-02T09:00:00Z")
SETTINGS = ShopConfigured(timezone="Europe/London", currency="GBP", allowed_minutes={"placed": 1, "packed": 3})
QUIET = 200.0
"""Seconds after the last fault within which everybody must be at rest."""


class Plan(msgspec.Struct, frozen=True):
    """What is played. `faults` is the mean number of seconds between two."""

    seed: int
    events: int = 5_000
    storage: Literal["memory", "sqlite"] = "memory"
    readers: int = 6
    producers: int = 3
    batch: int = 60
    faults: float = 4.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `found` is the first thing that was wrong, if any."""

    seed: int
    trace: str
    seconds: float
    events: int
    requests: int
    duplicates: int
    frames: int
    rows_checked: int
    views_checked: int
    faults: dict[str, int]
    resets: dict[str, int]
    found: str | None


class Crash(BaseException):
    """The process is gone at this very point."""


class _Ingest(Ingest):
    """The real one, its writing thread played by the world."""

    def __init__(self, *arguments: Any, dice: random.Random, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dice = dice
        self._poked = asyncio.Event()

    async def begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._poked.set()
        await self._errand(self._configure)

    async def submit(self, events: Sequence[Event]) -> Receipt:
        self._poked.set()
        return await super().submit(events)

    async def compact(self, now: int, retention: int = 0) -> int:
        self._poked.set()
        return await super().compact(now, retention)

    async def stop(self) -> None:
        self._poked.set()
        await super().stop()

    async def write(self) -> None:
        while True:
            await self._poked.wait()
            self._poked.clear()
            while self._waiting._items or self._waiting._closed:
                await asyncio.sleep(self._dice.choice((0.001, 0.004, 0.03)))
                if not self.step():
                    return


class Server:
    """One life of the server, from its start to its end of whatever kind."""

    def __init__(self, world: World, log: MemoryLog | SqliteLog) -> None:
        self.world = world
        self.log = log
        self.alive = True
        self.links: list[Link | Wire] = []
        self._tasks: dict[asyncio.Task[Any], None] = {}
        loaded = log.load()
        world.booted(log, loaded)
        self._shop_clock = loaded.clock
        self.hub = Hub(
            feeds(loaded), epoch=log.epoch, version=loaded.version, horizon=loaded.horizon, now=world.now,
            monotonic=world.loop.time, freshness=Freshness(), describe=dict,
        )  # fmt: skip
        self.admission = Admission(1_000, 1_000, rate=1_000.0, monotonic=world.loop.time)
        streams = Streams(self.hub, self.admission, monotonic=world.loop.time, random=world.dice.random)
        self.ingest = _Ingest(log, loaded, SETTINGS, now=world.now, published=self._published, dice=world.dice)
        self._applications = {
            "/api/v1/ws": WebSocketStream(streams, self._authorise),
            "/api/v1/stream": EventStream(streams, self._authorise),
            "/api/v1/poll": LongPoll(streams, self._authorise),
        }
        self._protocol = http_protocol(streams, self._authorise)
        self._uvicorn = Config(
            _nothing_else, loop="none", ws="wsproto", lifespan="off", log_config=None, access_log=False
        )
        self._uvicorn_state = ServerState()
        self._watch_commits()

    async def start(self) -> None:
        self.run(self._write())
        await self.ingest.begin()
        self.run(run_clock(self.ingest.submit, lambda: self._shop_clock, self.world.now))

    def _published(self, changes: Changes) -> None:
        self._shop_clock = changes.clock
        self.hub.publish(changes)

    def _authorise(self, headers: Headers) -> Admitted:
        name = headers.get(b"x-reader")
        if name is None:
            raise Unauthenticated()
        return Admitted(name, self.world.rights[name])

    def firing(self) -> list[NotificationRow]:
        """What fires now."""
        rows = [entry.row for entry in self.hub.feeds["notifications"]]
        return [row for row in rows if row.state == "firing"]

    def _watch_commits(self) -> None:
        """Note every commit; sometimes the process is gone just before or just after one."""
        log: Any = self.log
        commit = log.commit

        def watched(records: Any, changes: Changes) -> None:
            world = self.world
            gone = world.crash_at_commit
            if gone == "before":
                raise Crash
            commit(records, changes)
            world.truth.commit(changes)
            for twice in world.truth.told_wrongly:
                world.fail(twice)
            if gone == "after":
                raise Crash

        log.commit = watched

    async def _write(self) -> None:
        try:
            await self.ingest.write()
        except Crash:
            self.world.crash_at_commit = None
            self.world.run(self.world.restart("kill"))

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something that ends with the server."""
        task = self.world.loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, (StockwireError, OSError, Cut)):
                self.world.fail(f"the server raised {type(error).__name__}: {error}", error)

    def connect(self, path: str, kind: str, query: str, headers: list[tuple[bytes, bytes]]) -> Link:
        link = Link(kind, self.world.dice)
        scope = {
            "type": kind, "path": path, "query_string": query.encode(), "headers": headers, "method": "GET",
            "client": ("127.0.0.1", 1), "subprotocols": ["stockwire.v1"],
        }  # fmt: skip
        task = self.run(self._applications[path](scope, link.receive, link.send))
        task.add_done_callback(lambda _: link.end())
        self.links = [each for each in self.links if each.state != "cut"] + [link]
        return link

    def connect_wire(self) -> Wire:
        """A connection as the real server has it: bytes into its own protocol."""
        wire = Wire(self.world.dice)
        protocol = self._protocol(self._uvicorn, self._uvicorn_state, {}, self.world.loop)
        wire.set_protocol(protocol)
        protocol.connection_made(wire)
        self.links = [each for each in self.links if each.state != "cut"] + [wire]
        return wire

    def vanish(self, how: str) -> None:
        """Be gone at once. Readers hear of a kill, but not of a loss of power."""
        self.alive = False
        for task in list(self._tasks):
            task.cancel()
        for link in self.links:
            link.cut() if how == "kill" else link.silence()

    async def leave(self) -> None:
        """Stop as asked: readers are told to come back, what was accepted is finished."""
        await self.admission.drain(self.world.dice.random)
        self.alive = False
        writing = [task for task in self._tasks if task.get_coro().__qualname__.endswith("_write")]  # type: ignore[union-attr]
        await self.ingest.stop()
        await asyncio.gather(*writing, return_exceptions=True)
        for task in list(self._tasks):
            task.cancel()
        for link in self.links:
            link.cut()


class World:
    """Everything, and what was seen."""

    def __init__(self, plan: Plan, disk: Disk | None, directory: Path | None, tape: Tape | None) -> None:
        self.plan = plan
        self.tape = tape
        self.seed = plan.seed
        self.loop = asyncio.get_running_loop()
        self.dice = random.Random(f"{plan.seed}/world")
        self.disk = disk
        self._place = directory
        self._boots = 0
        self.skew = 0
        self._told_at = self.loop.time()
        self.rights: dict[str, Any] = {}
        self.crash_at_commit: str | None = None
        self.truth: Truth
        self._truths: dict[str, Truth] = {}
        self._acknowledged: dict[tuple[str, str], int] = {}
        self._told: dict[tuple[str, str], Told] = {}
        self._refused: list[tuple[str, str]] = []
        self.restored = False
        self._backup: MemoryLog | None = None
        self.server: Server
        self._restarting = asyncio.Lock()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self.failure: asyncio.Future[None] = self.loop.create_future()
        self.loop.set_exception_handler(self._raised)
        self.found: str | None = None
        self._hash = hashlib.sha256()
        self.frames = self.rows_checked = self.views_checked = self.requests = self.duplicates = 0
        self.faults: dict[str, int] = {}
        self.planned: dict[str, int] = {}
        self.readers: list[Reader] = []

    def now(self) -> int:
        """The wall's clock as a moment; it may jump."""
        return BEGIN + int(self.loop.time() * SECOND) + self.skew

    # What is seen

    def saw(self, reader: str, body: str | bytes, frame: dict[str, Any]) -> None:
        """Note a frame in the trace. A session's name is chance and left out."""
        self.frames += 1
        said = body if isinstance(body, bytes) else body.encode()
        if frame["type"] == "hello":
            said = b"hello"
        self._hash.update(f"{self.loop.time():.6f} {reader} ".encode() + said)

    def note(self, what: str) -> None:
        self._hash.update(f"{self.loop.time():.6f} {what}".encode())

    def fail(self, what: str, error: BaseException | None = None) -> None:
        """Something is wrong: the first thing is kept and ends the play."""
        if self.found is None:
            self.found = f"at {self.loop.time() - 1_000:.3f} s: {what}"
        if not self.failure.done():
            self.failure.set_result(None)

    def _raised(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.fail(f"the server raised {context['message']}: {error!r}", error)

    def truth_of(self, epoch: str | None) -> Truth:
        """The history of that epoch."""
        return self._truths[epoch or ""]

    def booted(self, log: MemoryLog | SqliteLog, loaded: Any) -> None:
        """A log was opened: nothing that was committed may be missing."""
        truth = self._truths.get(log.epoch)
        if truth is None:
            self.truth = self._truths[log.epoch] = Truth(log.epoch, loaded)
            return
        if loaded.version < truth.version:
            self.fail(f"the log went back from version {truth.version} to {loaded.version}")
        truth.catch_up(loaded)
        self.truth = truth

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something that ends with the world."""
        task = self.loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(f"{type(error).__name__}: {error}", error)

    # The server's lives

    def _open_log(self) -> MemoryLog | SqliteLog:
        if self._place is None:
            return MemoryLog(f"{self.seed:016x}")
        return SqliteLog(self._directory, now=self.now(), epoch=f"{self.seed:016x}", readers=2)

    @property
    def _directory(self) -> Path:
        assert self._place is not None
        return self._place / f"boot-{self._boots}"

    async def boot(self, log: MemoryLog | SqliteLog | None = None) -> None:
        self.server = Server(self, log or self._open_log())
        await self.server.start()

    def connect(self, path: str, kind: str, query: str, headers: list[tuple[bytes, bytes]]) -> Link:
        """Connect to the server. Raises Cut when there is none."""
        if not self.server.alive:
            raise Cut
        return self.server.connect(path, kind, query, headers)

    def connect_wire(self) -> Wire:
        """Connect to the server's socket. Raises Cut when there is none."""
        if not self.server.alive:
            raise Cut
        return self.server.connect_wire()

    async def restart(self, how: str) -> None:
        """End the server's life in that way and begin another, whatever becomes of who asked."""
        await asyncio.shield(self.run(self._restart(how)))

    async def _restart(self, how: str) -> None:
        async with self._restarting:
            server = self.server
            if how == "graceful":
                await server.leave()
            else:
                server.vanish(how)
            self.note(f"restart {how}")
            log = self._found_after(server.log, how)
            await asyncio.sleep(self.dice.choice((0.2, 2.0, 20.0)))
            await self.boot(log)

    def _found_after(self, log: MemoryLog | SqliteLog, how: str) -> MemoryLog | SqliteLog | None:
        """What a restart finds of the log: in memory the log itself."""
        if isinstance(log, MemoryLog):
            del log.__dict__["commit"]
            return log
        assert self.disk is not None
        if how == "graceful":
            log.close()
            return None
        old = self._directory
        self.disk.stop(old)
        self._boots += 1
        self.disk.image(old, self._directory, self.dice if how == "power" else None)
        with contextlib.suppress(Exception):
            log.close()
        return None

    # Producers

    async def _produce(self, number: int, events: int) -> None:
        dice = random.Random(f"{self.seed}/producer/{number}")
        deeds = random.Random(f"{self.seed}/deeds/{number}")
        teller = Teller(f"source-{number}", dice, self.now)
        while events > 0:
            size = min(events, dice.choice((1, self.plan.batch // 3, self.plan.batch, 2 * self.plan.batch)))
            batch = teller.batch(size)
            events -= size
            await self._until_acknowledged(batch, dice)
            if deeds.random() < 0.3:
                await self._until_acknowledged([self._deed(f"{number}/{events}", deeds)], dice)
            if dice.random() < 0.02:
                await self._refuse(teller.poisoned(), dice)
            await asyncio.sleep(dice.choice((0.0, 0.0, 0.05, 1.0, 4.0)))

    def _deed(self, id_: str, dice: random.Random) -> Told:
        """What a person does for themself, or about what fires."""
        person, firing = dice.choice(PEOPLE), sorted(row.notification_id for row in self.server.firing())
        deeds: list[tuple[str, dict[str, Any]]] = [
            ("person.preferred", {"person": person, "preferences": {"digest": dice.random() < 0.5}}),
            ("order.watched", {"person": person, "order_id": f"source-0-{dice.randrange(1, 99):05}"}),
            ("notification.read", {"person": person, "through": self.server.log.version}),
        ]
        if firing:
            what = dice.choice(("acknowledged", "resolved"))
            deeds.append((f"notification.{what}", {"notification_id": dice.choice(firing), "by": person}))
        type_, data = dice.choice(deeds)
        envelope = {
            "id": f"deed {id_}",
            "source": "stockwire",
            "type": type_,
            "time": moment_text(self.now()),
            "data": data,
        }
        return Told(parse_event(envelope, internal=True), ())

    async def _until_acknowledged(self, batch: list[Told], dice: random.Random) -> None:
        """Send the same events until they are acknowledged."""
        sent = [told.event for told in batch]
        self._told.update((told.event.key, told) for told in batch)
        while True:
            answer = await self._request(sent, dice)
            if isinstance(answer, Receipt):
                break
            if isinstance(answer, StockwireError) and not answer.retry_after and not isinstance(answer, StorageFailed):
                self.fail(f"events were refused: {answer}")
            await asyncio.sleep(dice.choice((0.1, 0.5, 2.0)))
        self._check_receipt(sent, answer)

    async def _refuse(self, batch: list[Told], dice: random.Random) -> None:
        """Send what cannot be recorded; nothing of it may be."""
        answer: Receipt | Exception | None = None
        for _ in range(10_000):
            answer = await self._request([told.event for told in batch], dice)
            if isinstance(answer, Invalid):
                break
            await asyncio.sleep(0.5)
        else:
            self.fail(f"what cannot be recorded was not refused: {answer}")
        self._refused += [told.event.key for told in batch]

    async def _request(self, events: list[Event], dice: random.Random) -> Receipt | Exception | None:
        """One request and its answer; None when either was lost."""
        self.requests += 1
        await asyncio.sleep(dice.choice((0.001, 0.02)))
        server = self.server
        if not server.alive or dice.random() < 0.03:
            return None
        if dice.random() < 0.05:
            server.run(_unheard(server.ingest.submit(events)))
        try:
            answer: Receipt | Exception = await server.run(_answer(server.ingest.submit(events)))
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise
            return None
        await asyncio.sleep(dice.choice((0.001, 0.02)))
        lost = dice.random() < 0.06 or server.log.epoch != self.server.log.epoch
        return None if lost else answer

    def _check_receipt(self, events: list[Event], receipt: Receipt) -> None:
        """What is acknowledged is in the log, under the versions the receipt names."""
        self.duplicates += receipt.duplicates
        for event, version in zip(events, receipt.versions, strict=True):
            self._acknowledged[event.key] = version
        found = self.server.log.known([event.key for event in events])
        if not self.restored and [found.get(event.key) for event in events] != list(receipt.versions):
            self.fail("a receipt names versions that the log does not have")
        self._told_at = self.loop.time()
        self.note(f"receipt {receipt}")

    # Faults

    async def _befall(self) -> None:
        """Let faults happen until cancelled."""
        dice = random.Random(f"{self.seed}/faults")
        faults: list[tuple[int, Callable[[], Any]]] = [
            (10, self._cut_one), (2, self._cut_all), (4, self._silence_one), (4, self._freeze_one),
            (4, self._sleep_one), (4, self._reload_one), (4, self._hop_one), (3, self._pace_one), (1, self._resync_one),
            (3, self._kill), (2, self._kill_at_commit), (2, self._stop), (2, self._jump), (2, self._compact),
            (8 if self.seed % 8 == 5 else 0, self._restore),
        ]  # fmt: skip
        if self.disk is not None:
            faults += [(6, self._power), (3, self._power_at_write), (3, self._io_error)]
        weights = [weight for weight, _ in faults]
        while True:
            await asyncio.sleep(dice.expovariate(1 / self.plan.faults))
            (fault,) = dice.choices([each for _, each in faults], weights)
            happened = fault()
            if asyncio.iscoroutine(happened):
                await happened
            name = fault.__name__.strip("_")
            self.faults[name] = self.faults.get(name, 0) + 1
            self.note(name)

    def _one(self) -> Reader:
        return self.dice.choice(self.readers)

    def _cut_one(self) -> None:
        if (link := self._one().link) is not None:
            link.cut()

    def _cut_all(self) -> None:
        for reader in self.readers:
            if reader.link is not None:
                reader.link.cut()

    def _silence_one(self) -> None:
        if (link := self._one().link) is not None:
            link.silence()

    def _freeze_one(self) -> None:
        self._one().freeze_for = self.dice.choice((3.0, 20.0, 50.0))

    def _sleep_one(self) -> None:
        reader = self._one()
        if reader.awake.is_set():
            reader.awake.clear()
            if reader.link is not None:
                reader.link.cut()
            self.loop.call_later(self.dice.choice((5.0, 60.0, 4 * 3600.0)), reader.awake.set)

    def _reload_one(self) -> None:
        self._one().reload()

    def _hop_one(self) -> None:
        self._one().hop()

    def _pace_one(self) -> None:
        reader = self._one()
        reader.interval, reader.paused = self.dice.choice(((0, False), (0, False), (2_000, False), (0, True)))
        reader.pace()

    def _resync_one(self) -> None:
        reader = self._one()
        reader.resync(self.dice.choice(reader.asked).id)

    async def _kill(self) -> None:
        await self.restart("kill")

    def _kill_at_commit(self) -> None:
        self.crash_at_commit = self.dice.choice(("before", "after"))

    async def _stop(self) -> None:
        await self.restart("graceful")

    def _jump(self) -> None:
        self.skew += self.dice.choice((-DAY, -3_600 * SECOND, -SECOND, 3_600 * SECOND, 5 * 3_600 * SECOND))

    async def _compact(self) -> None:
        server = self.server
        if server.alive:
            horizon = await server.run(_answer(server.ingest.compact(self.now(), 20 * SECOND)))
            if isinstance(horizon, int):
                server.hub.forget(horizon)

    async def _power(self) -> None:
        await self.restart("power")

    async def _power_at_write(self) -> None:
        """The power goes in the middle of writing."""
        assert self.disk is not None
        disk, left, directory = self.disk, self.dice.randrange(1, 40), self._directory
        gone = asyncio.Event()

        def refuse(what: str, path: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                disk.stop(directory)
                gone.set()
                disk.before(what, path)

        disk.refuse = refuse
        await gone.wait()
        disk.refuse = None
        await self.restart("power")

    async def _io_error(self) -> None:
        """For a while the disk refuses some writes and syncs."""
        import apsw

        assert self.disk is not None
        dice = random.Random(self.dice.random())

        def refuse(what: str, path: str) -> None:
            if dice.random() < 0.2:
                raise dice.choice((apsw.IOError("refused"), apsw.FullError("refused")))

        self.disk.refuse = refuse
        await asyncio.sleep(2.0)
        self.disk.refuse = None

    async def _restore(self) -> None:
        """Take a copy of the log; the second time, go back to it under another epoch."""
        log = self.server.log
        if self.restored or not isinstance(log, MemoryLog) or not self.server.alive:
            return
        if self._backup is None:
            self._backup = copied(log, f"{self.seed + 10**6:016x}")
            return
        await asyncio.shield(self.run(self._go_back(self._backup)))

    async def _go_back(self, backup: MemoryLog) -> None:
        async with self._restarting:
            await self.server.leave()
            self.restored = True
            kept = backup.version
            self._acknowledged = {key: version for key, version in self._acknowledged.items() if version <= kept}
            await self.boot(backup)

    # The play

    async def play(self) -> Outcome:
        """Everything, to its end."""
        await self.boot()
        for number in range(self.plan.readers):
            name = f"reader-{number}"
            self.rights[name] = MAIN_ONLY if number % 3 == 2 else OWN_AND_ALL[number % len(OWN_AND_ALL)]
            asked = tuple(self.dice.sample(ASKED, self.dice.choice((1, 2, 3, 5))))
            if self.readers and self.dice.random() < 0.5:
                asked = self.readers[-1].asked
            self.readers.append(Reader(self, name, asked, self.rights[name]))
        for reader in self.readers:
            self.run(reader.live())
        share = self.plan.events // self.plan.producers
        producers = [self.run(self._produce(number, share)) for number in range(self.plan.producers)]
        faults = self.run(self._befall())
        told = self.run(_all(producers))
        await asyncio.wait((told, self.failure), return_when=asyncio.FIRST_COMPLETED)
        faults.cancel()
        if self.found is None:
            await self._come_to_rest()
        if self.found is None:
            self._check_everything()
        return Outcome(
            seed=self.seed, trace=self._hash.hexdigest(), seconds=self.loop.time() - 1_000, events=self.server.log.version,
            requests=self.requests, duplicates=self.duplicates, frames=self.frames, rows_checked=self.rows_checked,
            views_checked=self.views_checked, faults=dict(sorted(self.faults.items())),
            resets=dict(sorted(self.planned.items())), found=self.found,
        )  # fmt: skip

    async def _come_to_rest(self) -> None:
        """No more faults: everybody awake, nothing held back."""
        self.crash_at_commit = None
        if self.disk is not None:
            self.disk.refuse = None
        async with self._restarting:
            if self.disk is not None and str(self._directory) in self.disk.stopped:
                self.server.vanish("power")
                await self.boot(self._found_after(self.server.log, "power"))
        for reader in self.readers:
            reader.interval, reader.paused, reader.freeze_for = 0, False, 0.0
            reader.awake.set()
            if reader.link is not None:
                reader.link.cut()
        for _ in range(int(QUIET)):
            await asyncio.wait((self.failure,), timeout=1.0)
            if self.failure.done() or (self._quiet_for > 30.0 and self._all_current()):
                return

    @property
    def _quiet_for(self) -> float:
        """Seconds since the shop's last commit that was not the clock's."""
        return self.loop.time() - self._told_at

    def _all_current(self) -> bool:
        hub = self.server.hub
        held = [
            reader.watcher.held(each.id)
            for reader in self.readers
            for each in reader.asked
            if each.id in reader.watcher.ids
        ]
        return all(each.version == hub.version for each in held) and len(held) == sum(
            len(each.asked) for each in self.readers
        )

    def _check_everything(self) -> None:
        """At rest: the log, the rows and every screen agree."""
        for check in (
            self._check_log,
            self._check_rows,
            self._check_occasions,
            self._check_screens,
            self._check_bounds,
        ):
            try:
                check()
            except AssertionError as error:
                self.fail(f"at rest: {error}", error)

    def _check_log(self) -> None:
        log = self.server.log
        versions: dict[tuple[str, str], int] = {}
        while records := log.records(len(versions)):
            for record in records:
                assert record.version == len(versions) + 1, f"version {record.version} follows {len(versions)}"
                assert record.event.key not in versions, f"{record.event.key} is in the log twice"
                versions[record.event.key] = record.version
        for key, version in self._acknowledged.items():
            assert versions.get(key) == version, (
                f"{key} was acknowledged as {version}, the log says {versions.get(key)}"
            )
        for key in self._refused:
            assert key not in versions, f"{key} was refused and is in the log"

    def _check_rows(self) -> None:
        log = self.server.log
        verified = verify(log, MemoryLog())
        assert verified.sound, f"{[str(each) for each in verified.differences[:3]]} {verified.damage}"
        if self.restored:
            return
        sums = add_up(told for key, told in self._told.items() if key in self._acknowledged)
        inventory = log.load().inventory
        for (name, key), quantity in sums.quantities.items():
            if key[0] not in COUNTED or name != "on_hand":
                have = getattr(inventory[key], name)
                assert have == quantity, f"{name} of {key} is {have} and should be {quantity}"
        for order_id, status in sums.statuses.items():
            row = log.order(order_id)
            assert row is not None and row.status == status, f"order {order_id} should be {status}"

    def _check_occasions(self) -> None:
        """What is to be told is in the log as it was noted with the commits, each once."""
        stored = [told.order for told, _ in self.server.log.occasions(0, 10**6)]
        assert len(stored) == len(set(stored)), "something is to be told twice"
        assert self.restored or set(self.truth.told) <= set(stored), "something that was to be told is lost"

    def _check_screens(self) -> None:
        hub = self.server.hub
        assert hub.version == self.server.log.version == self.truth.version, "the hub is behind the log"
        for reader in self.readers:
            for asked in reader.asked:
                held = reader.watcher.views[reader.watcher.ids[asked.id]]
                assert held.version == hub.version, f"{reader.name} is at {held.version} of {hub.version}"
                assert held.rows == self.truth.holds(asked, reader.rights, hub.version), (
                    f"{reader.name} shows other rows"
                )

    def _check_bounds(self) -> None:
        hub = self.server.hub
        assert hub.listeners <= 1 + len(self.readers), f"{hub.listeners} listeners for {len(self.readers)} readers"
        assert self.server.admission.connections <= len(self.readers), "connections were not let go of"
        assert hub.views <= 2 * len(ASKED), "views were not let go of"


async def _nothing_else(scope: Any, receive: Any, send: Any) -> None:
    """The application behind the streams, which nobody asks for."""
    raise AssertionError(f"{scope['path']} was not taken over")


async def _all(tasks: Sequence[asyncio.Task[Any]]) -> None:
    await asyncio.wait(tasks)


async def _answer(work: Coroutine[Any, Any, Any]) -> Any:
    """The outcome of a request, an error of ours included."""
    try:
        return await work
    except StockwireError as error:
        return error


async def _unheard(work: Coroutine[Any, Any, Any]) -> None:
    """A request whose answer nobody waits for."""
    with contextlib.suppress(StockwireError):
        await work


def copied(log: MemoryLog, epoch: str) -> MemoryLog:
    """The log as it stands, under another epoch: what restoring a copy makes."""
    other = MemoryLog(epoch)
    for name, value in vars(log).items():
        if name in ("_lock", "_epoch", "commit"):
            continue
        if name in ("_rows", "_movements", "_timeline"):
            value = {key: inner.copy() for key, inner in value.items()}
        elif isinstance(value, (dict, list, set)):
            value = value.copy()
        setattr(other, name, value)
    return other


def simulate(plan: Plan, tape: Tape | None = None) -> Outcome:
    """Play a plan and tell what came of it. Few closed orders are shown and frames are short, so that both matter."""
    with (
        patch.object(fold, "RECENT_CLOSED", 6),
        patch.object(hub, "FRAME_ROWS", 25),
        patch.object(snapshot, "FRAME_ROWS", 25),
    ):
        return _simulate(plan, tape)


def _simulate(plan: Plan, tape: Tape | None) -> Outcome:
    if plan.storage == "memory":
        return play(_story(plan, None, None, tape))
    directory = Path(tempfile.mkdtemp(prefix="stockwire-simulation-"))
    try:
        with lossy_disk() as disk:
            return play(_story(plan, disk, directory, tape))
    finally:
        shutil.rmtree(directory)


async def _story(plan: Plan, disk: Disk | None, directory: Path | None, tape: Tape | None) -> Outcome:
    return await World(plan, disk, directory, tape).play()
