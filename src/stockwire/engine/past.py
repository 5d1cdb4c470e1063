"""The past: the shop as it was when its clock showed a moment, or at a version, folded again from the log.

A world is the rows of one moment: a fold of the first events of the log, kept in a database of its own on disk, so that memory
holds what a server's would. Movements and timelines are not written again: they stand in the log with their versions. There is
one world at a time, in one thread of its own. Going forward folds on from where it stands; any other moment begins from the
newest checkpoint before it (engine/checkpoints.py), which the server leaves as the log grows, so a look back costs a second or
two where the whole log costs minutes. Nothing of it touches the event loop: questions are answered in the thread, as bytes.

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
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from stockwire.core.errors import SchemaTooNew, StorageFailed, Unavailable
from stockwire.core.events import Record
from stockwire.core.fold import Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.rows import Movement, OrderRow, TimelineEntry
from stockwire.engine.backup import copy_database
from stockwire.engine.checkpoints import SPACING, Checkpoint, Checkpoints, Copy, Reached
from stockwire.engine.freshness import Freshness, Thresholds
from stockwire.engine.hub import Hub
from stockwire.engine.state import feeds, fold_state
from stockwire.log.base import Log
from stockwire.log.sqlite import FILE, SqliteLog

STEP: Final = 1_000
"""Events between two looks at whether anybody still waits."""
NEAR: Final = 2_000
"""Events that are folded on sooner than a checkpoint is opened."""
WAITING_MOST: Final = 16
"""Questions that may wait for their world."""
FORGET_QUESTION: Final = 15.0
"""Seconds after which a question that nobody asked again is dropped."""
FORGET_WORLD: Final = 600.0
"""Seconds without a question after which all of the past is let go of."""
_FOREVER: Final = 10.0**9
_END: Final = (2**62, 0)


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


class _Recorded:
    """What was recorded of stock up to a version: the history that a fold from there on builds on."""

    def __init__(self, now: Log, version: Callable[[], int]) -> None:
        self._now = now
        self._version = version

    def deltas_after(self, sku: str, location: str, moment: int) -> Mapping[str, int]:
        return self._now.deltas_after(sku, location, moment, self._version())


class World:
    """The rows at one version, with movements and timelines up to there."""

    def __init__(self, directory: Path, now: Log) -> None:
        self.directory = directory
        self.log = SqliteLog(directory, durable=False, readers=1)
        self._now = now
        loaded = self.log.load()
        self.state: FoldState = fold_state(self.log, loaded, _Recorded(now, lambda: self.state.version))
        self._describe: Callable[[World], dict[str, Any]] = lambda _: {}
        self._hub = Hub(
            feeds(loaded), epoch=now.epoch, version=loaded.version, horizon=0, now=lambda: self.clock,
            monotonic=time.monotonic, freshness=Freshness(Thresholds(_FOREVER, _FOREVER), {}),
            describe=lambda: self._describe(self),
        )  # fmt: skip

    @property
    def version(self) -> int:
        return self.state.version

    @property
    def clock(self) -> int:
        return self.state.clock

    def take(self, records: Sequence[Record]) -> None:
        """Fold records in."""
        changes = Fold(self.state).apply(records)
        self.log.commit((), msgspec.structs.replace(changes, movements=[], timeline=[], occasions=()))
        self.state.commit(changes)
        self._hub.publish(changes)

    def hub(self, describe: Callable[[World], dict[str, Any]]) -> Hub:
        """The world as sessions read it."""
        self._describe = describe
        return self._hub

    def order(self, order_id: str) -> OrderRow | None:
        """One order as it was."""
        return self.log.order(order_id)

    def timeline(self, order_id: str) -> list[TimelineEntry]:
        """What had happened to an order."""
        return [entry for entry in self._now.timeline(order_id) if entry.version <= self.version]

    def movements(self, sku: str, location: str, limit: int, before: tuple[int, int] | None = None) -> list[Movement]:
        """A row's newest movements, or those before one of them."""
        return self._now.movements(sku, location, limit, min(before or _END, (self.version + 1, 0)))

    def copied(self, to: Path) -> Reached:
        """Copies the rows into a new file."""
        copy_database(self.directory / FILE, to)
        return Reached(self.version, self.clock)

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
    """Looks back into `log`. Use it in the event loop; `close` it when the log is closed.

    Checkpoints are kept in `place`; without one they go with the rest. `copy` copies the log's rows as they are now.
    """

    def __init__(
        self,
        log: Log,
        place: Path | None = None,
        copy: Copy | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        spacing: int = SPACING,
    ) -> None:
        self._log = log
        self._copy = copy
        self._monotonic = monotonic
        self._thread: ThreadPoolExecutor | None = None
        self._questions: dict[tuple[Target, Hashable], _Question] = {}
        self._asked_at = monotonic()
        self._walk = _Walk(log, place, spacing)

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

    async def keep(self) -> None:
        """Leave a checkpoint of the rows as they are now, when one is due. Call it now and then."""
        if self._copy is not None:
            await asyncio.to_thread(self._walk.keep, self._copy)

    async def close(self) -> None:
        """Let go of everything but the checkpoints that are kept; a later question begins anew."""
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
    """The way through the log, in the past's thread: one world, and the checkpoints that it begins from."""

    def __init__(self, log: Log, kept: Path | None, spacing: int) -> None:
        self._log = log
        self._kept = kept
        self._spacing = spacing
        self._keeping = None if kept is None else Checkpoints(kept, log.epoch, spacing=spacing)
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._world: World | None = None
        self._made = 0
        self.progress = Progress(0, 0)

    def to(self, target: Target, wanted: Callable[[], None]) -> World:
        """The target's world. `wanted` raises when nobody wants it any more."""
        newest = self._log.version
        goal = newest if target.version is None else min(newest, target.version)
        world = self._nearest(target)
        checkpoints = self._checkpoints()
        while True:
            self.progress = Progress(world.version, goal)
            wanted()
            records = self._log.records(world.version, STEP)
            mine = target.of(records)
            if mine:
                world.take(mine)
                checkpoints.leave(world.version, newest, world.copied)
            if not mine or len(mine) < len(records):
                return world

    def keep(self, copy: Copy) -> None:
        """Leave a checkpoint of the log as it is, when one is due."""
        if self._keeping is not None:
            version = self._log.version
            self._keeping.leave(version, version, copy)

    def leave(self) -> None:
        """Remove everything from memory, and from disk all but the checkpoints that are kept."""
        if self._world is not None:
            self._world.close()
            self._world = None
        if self._place is not None:
            self._place.cleanup()
            self._place = None

    def _room(self) -> Path:
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="stockwire-past-")
        return Path(self._place.name)

    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(self._kept or self._room() / "checkpoints", self._log.epoch, spacing=self._spacing)

    def _nearest(self, target: Target) -> World:
        """The newest world that is at hand and not beyond the target; the empty one if there is no other."""
        checkpoints = self._checkpoints()
        near = [each for each in checkpoints.newest_first() if target.reached_by(each.version, each.clock)]
        if self._world is not None:
            here = self._world
            if target.reached_by(here.version, here.clock) and all(
                each.version - here.version <= NEAR for each in near
            ):
                return here
            here.close()
            shutil.rmtree(here.directory, ignore_errors=True)
            self._world = None
        self._world = self._begun_from_one_of(near, checkpoints)
        return self._world

    def _begun_from_one_of(self, near: Sequence[Checkpoint], checkpoints: Checkpoints) -> World:
        """The world at the first of the checkpoints that can be read."""
        for checkpoint in near:
            try:
                world = self._begun_from(checkpoint.file)
            except (StorageFailed, SchemaTooNew, OSError):
                checkpoints.drop(checkpoint)
                continue
            if world.version == checkpoint.version:
                return world
            world.close()
            checkpoints.drop(checkpoint)
        return self._begun_from(None)

    def _begun_from(self, checkpoint: Path | None) -> World:
        self._made += 1
        directory = self._room() / f"world-{self._made}"
        directory.mkdir()
        if checkpoint is not None:
            shutil.copyfile(checkpoint, directory / FILE)
        return World(directory, self._log)
