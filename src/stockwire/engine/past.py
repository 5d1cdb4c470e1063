"""The past: the shop as it was when its clock showed a moment, or at a version, folded again from the log.

A world is the rows of one moment: a fold of the first events of the log, kept in a database of its own on disk, so that memory
holds what a server's would. There is one world at a time, in one thread of its own. Going forward folds on from where it
stands; going back begins from the newest of a few copies that were made on the way (checkpoints), so a step back costs
seconds even where the whole log costs minutes. Nothing of it touches the event loop: questions are answered in the thread, as
bytes.

Who asks waits a little; where that is not enough the answer is how far the folding is, and asking the same again goes on
with it. What nobody asked for again is dropped, and so is everything when nobody has looked back for a while.

Rejected: a feed of its own for each moment in memory (a year of worlds), and answering from rows kept with the version up to
which they were valid (every write would pay for a question that is rarely asked).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NamedTuple

from stockwire.core.errors import Unavailable
from stockwire.core.events import Record
from stockwire.core.feed import Feed
from stockwire.core.fold import Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.rows import FeedName
from stockwire.engine.backup import copy_database
from stockwire.engine.freshness import Freshness, Thresholds
from stockwire.engine.hub import Hub
from stockwire.engine.state import feeds, fold_state
from stockwire.log.base import Log
from stockwire.log.sqlite import FILE, SqliteLog

STEP: Final = 1_000
"""Events between two looks at whether anybody still waits."""
SPACING: Final = 5_000
"""Events between two checkpoints, as long as they are few."""
CHECKPOINTS_MOST: Final = 12
CHECKPOINT_BYTES_MOST: Final = 512 * 1024 * 1024
WAITING_MOST: Final = 16
"""Questions that may wait for their world."""
FORGET_QUESTION: Final = 15.0
"""Seconds after which a question that nobody asked again is dropped."""
FORGET_WORLD: Final = 600.0
"""Seconds without a question after which all of the past is let go of."""
_FOREVER: Final = 10.0**9


class Target(NamedTuple):
    """Which world: the last in which the version and the shop's clock are at most these."""

    version: int | None = None
    moment: int | None = None

    def reached_by(self, version: int, clock: int) -> bool:
        """Whether a world with that version and clock is not beyond the target."""
        return (self.version is None or version <= self.version) and (self.moment is None or clock <= self.moment)

    def of(self, records: Sequence[Record]) -> list[Record]:
        """Those of the next records that still belong to the world."""
        return list(takewhile(lambda record: self.reached_by(record.version, record.event.time), records))


class Progress(NamedTuple):
    """How many events are folded, of how many."""

    done: int
    of: int


class World:
    """The rows at one version. `log` has them with movements and timelines; the events stay in the log of now."""

    def __init__(self, directory: Path, now: Log) -> None:
        self.directory = directory
        self.log = SqliteLog(directory, durable=False, readers=1)
        self._now = now
        self.state: FoldState = fold_state(self.log)
        self._hub: Hub | None = None

    @property
    def version(self) -> int:
        return self.state.version

    @property
    def clock(self) -> int:
        return self.state.clock

    def take(self, records: Sequence[Record]) -> None:
        """Fold records in."""
        changes = Fold(self.state).apply(records)
        self.log.commit((), changes)
        self.state.commit(changes)
        self._hub = None

    def hub(self, describe: Callable[[World], dict[str, Any]]) -> Hub:
        """The world as sessions read it: nothing in it changes any more."""
        if self._hub is None:
            loaded = self.log.load()
            tables: dict[FeedName, Feed] = feeds(loaded)
            self._hub = Hub(
                tables, epoch=self._now.epoch, version=loaded.version, horizon=0, now=lambda: loaded.clock,
                monotonic=time.monotonic, freshness=Freshness(Thresholds(_FOREVER, _FOREVER), {}),
                describe=lambda: describe(self),
            )  # fmt: skip
        return self._hub

    def close(self) -> None:
        self.log.close()


Answer = Callable[[World], bytes]


class _Question:
    """A world that is wanted and what is asked of it. `wanted_at` is when somebody asked last."""

    def __init__(self, target: Target, answer: Answer, now: float) -> None:
        self.target = target
        self.answer = answer
        self.wanted_at = now
        self.given: asyncio.Future[bytes] | None = None


class _Dropped(Exception):
    """Nobody waits for it any more."""


class Past:
    """Looks back into `log`. Use it in the event loop; `close` it when the log is closed."""

    def __init__(self, log: Log, *, monotonic: Callable[[], float] = time.monotonic, spacing: int = SPACING) -> None:
        self._log = log
        self._monotonic = monotonic
        self._thread: ThreadPoolExecutor | None = None
        self._questions: dict[tuple[Target, Hashable], _Question] = {}
        self._asked_at = monotonic()
        self._walk = _Walk(log, spacing)

    async def ask(self, target: Target, name: Hashable, answer: Answer, patience: float) -> bytes | Progress:
        """What `answer` makes of the target's world, in the past's own thread; how far it is when that takes longer than
        `patience` seconds. `name` tells equal questions. Raises Unavailable when too many wait."""
        self._asked_at = now = self._monotonic()
        question = self._questions.get((target, name))
        if question is None:
            question = self._begin((target, name), _Question(target, answer, now))
        question.wanted_at = now
        assert question.given is not None
        done, _ = await asyncio.wait((question.given,), timeout=patience)
        if not done:
            return self._walk.progress
        self._questions.pop((target, name), None)
        try:
            return question.given.result()
        except _Dropped:
            return self._walk.progress

    def _begin(self, key: tuple[Target, Hashable], question: _Question) -> _Question:
        self._sweep()
        if len(self._questions) >= WAITING_MOST:
            raise Unavailable("too many are looking into the past; try again shortly")
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="past")
        self._questions[key] = question
        loop = asyncio.get_running_loop()
        question.given = loop.run_in_executor(self._thread, self._answer, question)
        return question

    def _sweep(self) -> None:
        """Forget answers that nobody fetched."""
        before = self._monotonic() - FORGET_QUESTION
        for key, question in list(self._questions.items()):
            if question.wanted_at < before and question.given is not None and question.given.done():
                question.given.exception()
                del self._questions[key]

    def _answer(self, question: _Question) -> bytes:
        def wanted() -> None:
            if self._monotonic() - question.wanted_at > FORGET_QUESTION:
                raise _Dropped

        wanted()
        return question.answer(self._walk.to(question.target, wanted))

    async def rest(self) -> None:
        """Let go of the past when nobody has looked back for a while. Call it now and then."""
        self._sweep()
        if self._thread is not None and not self._questions and self._monotonic() - self._asked_at > FORGET_WORLD:
            # In the thread, so that a question that comes meanwhile waits its turn.
            await asyncio.get_running_loop().run_in_executor(self._thread, self._walk.leave)

    async def close(self) -> None:
        """Let go of everything; a later question begins anew."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        for question in self._questions.values():
            question.wanted_at = float("-inf")
        await asyncio.get_running_loop().run_in_executor(thread, self._walk.leave)
        thread.shutdown()
        for question in self._questions.values():
            if question.given is not None and question.given.done() and not question.given.cancelled():
                question.given.exception()
        self._questions.clear()


class _Walk:
    """The way through the log, in the past's thread: one world, and the checkpoints that it left."""

    def __init__(self, log: Log, spacing: int) -> None:
        self._log = log
        self._first_spacing = self._spacing = spacing
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._world: World | None = None
        self._checkpoints: dict[int, Path] = {}
        self._made = 0
        self.progress = Progress(0, 0)

    def to(self, target: Target, wanted: Callable[[], None]) -> World:
        """The target's world. `wanted` raises when nobody wants it any more."""
        world = self._nearest(target)
        newest = self._log.version
        goal = newest if target.version is None else min(newest, target.version)
        while True:
            self.progress = Progress(world.version, goal)
            wanted()
            records = self._log.records(world.version, STEP)
            mine = target.of(records)
            if mine:
                world.take(mine)
                self._leave_checkpoint(world)
            if not mine or len(mine) < len(records):
                return world

    def leave(self) -> None:
        """Remove everything from memory and disk."""
        if self._world is not None:
            self._world.close()
            self._world = None
        self._checkpoints.clear()
        self._spacing = self._first_spacing
        if self._place is not None:
            self._place.cleanup()
            self._place = None

    def _nearest(self, target: Target) -> World:
        """The newest world that is at hand and not beyond the target; the empty one if there is no other."""
        if self._world is not None and target.reached_by(self._world.version, self._world.clock):
            return self._world
        if self._world is not None:
            self._world.close()
            shutil.rmtree(self._world.directory, ignore_errors=True)
            self._world = None
        for version in sorted(self._checkpoints, reverse=True):
            if target.version is None or version <= target.version:
                world = self._begun_from(self._checkpoints[version])
                if target.reached_by(world.version, world.clock):
                    self._world = world
                    return world
                world.close()
                shutil.rmtree(world.directory, ignore_errors=True)
        self._world = self._begun_from(None)
        return self._world

    def _begun_from(self, checkpoint: Path | None) -> World:
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="stockwire-past-")
        self._made += 1
        directory = Path(self._place.name) / f"world-{self._made}"
        directory.mkdir()
        if checkpoint is not None:
            shutil.copyfile(checkpoint, directory / FILE)
        return World(directory, self._log)

    def _leave_checkpoint(self, world: World) -> None:
        """Copy the world when it has come far enough beyond all checkpoints; thin them when they are too many."""
        if world.version < max(self._checkpoints, default=0) + self._spacing:
            return
        assert self._place is not None
        path = Path(self._place.name) / f"{world.version}.db"
        copy_database(world.directory / FILE, path)
        self._checkpoints[world.version] = path
        size = sum(each.stat().st_size for each in self._checkpoints.values())
        if len(self._checkpoints) > CHECKPOINTS_MOST or size > CHECKPOINT_BYTES_MOST:
            self._spacing *= 2
            for version in sorted(self._checkpoints)[::2]:
                self._checkpoints.pop(version).unlink()
