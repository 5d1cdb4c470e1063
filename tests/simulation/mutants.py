"""Planted bugs: each is the product with one mistake, for as long as a block runs. The harness must catch every one.

They are planted from outside, here alone: nothing that is shipped knows of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from unittest.mock import patch

import apsw
import msgspec

from stockwire.core import feed, views
from stockwire.core.cursor import Cursor
from stockwire.core.errors import Failed
from stockwire.core.projections import notifications, orders
from stockwire.core.reading import Reading
from stockwire.core.rights import Rights
from stockwire.core.session import Session
from stockwire.engine import recorder
from stockwire.engine.admission import Admission
from stockwire.engine.hub import Hub
from stockwire.engine.ingest import Ingest
from stockwire.log import database
from stockwire.log.memory import MemoryLog
from tests.simulation import reader, world
from tests.simulation.network import Cut, Link
from tests.simulation.wire import WebSocketAnswer, Wire
from tests.simulation.world import Plan


class Mutant(NamedTuple):
    """A bug: what it is called, what it does, the plan that brings it to light, and how to plant it."""

    name: str
    does: str
    plant: Callable[[], Any]
    plan: Plan


@contextmanager
def skipped_version() -> Iterator[None]:
    """Some deltas leave their last row out."""
    real = Hub._delta_frames
    dice = random.Random(1)

    def changed(self: Hub, view: str, since: int, changes: list[Any]) -> Any:
        left_out = len(changes) > 1 and dice.random() < 0.1
        return real(self, view, since, changes[:-1] if left_out else changes)

    with patch.object(Hub, "_delta_frames", changed):
        yield


@contextmanager
def applied_twice_on_retry() -> Iterator[None]:
    """A repeat is not known again: its events get new versions."""
    real = MemoryLog.known

    def forgetful(self: MemoryLog, keys: Any) -> dict[Any, int]:
        wanted = list(keys)
        return {} if recording else real(self, wanted)

    recording: list[bool] = []
    together = recorder.Recorder._record_together

    def record(self: Any, requests: Any) -> Any:
        recording.append(True)
        try:
            return together(self, requests)
        finally:
            recording.clear()

    with patch.object(MemoryLog, "known", forgetful), patch.object(recorder.Recorder, "_record_together", record):
        yield


@contextmanager
def acknowledged_before_commit() -> Iterator[None]:
    """Receipts are given for what a refusing disk never stored."""
    real = recorder.Recorder.record

    def record(self: Any, requests: Sequence[Any]) -> Any:
        at = self.state.version
        told = real(self, requests)
        outcomes: list[Any] = []
        for request, outcome in zip(requests, told.outcomes, strict=True):
            if isinstance(outcome, recorder.StorageFailed):
                versions = tuple(range(at + 1, at + 1 + len(request)))
                outcome = recorder.Receipt(len(request), 0, at + len(request), versions)
            outcomes.append(outcome)
        return recorder.Recorded(outcomes, told.changes)

    with patch.object(recorder.Recorder, "record", record):
        yield


@contextmanager
def weaker_sync() -> Iterator[None]:
    """The disk is synced at checkpoints only, not at commits (`synchronous=NORMAL`)."""
    real = database.open_writing

    def weaker(*arguments: Any, **options: Any) -> apsw.Connection:
        connection = real(*arguments, **options)
        connection.pragma("synchronous", "normal")
        return connection

    with patch.object(database, "open_writing", weaker):
        yield


@contextmanager
def cursor_saved_before_rows() -> Iterator[None]:
    """A reader keeps the newest cursor with rows of before, and comes back with both."""
    real = reader.Reader.save
    before: dict[str, Any] = {}

    def save(self: reader.Reader) -> None:
        older = before.get(self.name)
        real(self)
        assert self.saved is not None
        before[self.name] = {name: dict(held.rows) for name, held in self.saved.views.items()}
        for name, held in self.saved.views.items():
            if older is not None and name in older:
                held.rows = older[name]

    with patch.object(reader.Reader, "save", save):
        yield


@contextmanager
def tombstones_dropped() -> Iterator[None]:
    """A feed forgets at once what it lost."""
    real = feed.Feed._take

    def take(self: feed.Feed, entry: feed.Entry) -> None:
        real(self, entry)
        self.tombstones.clear()

    with patch.object(feed.Feed, "_take", take):
        yield


@contextmanager
def frames_shared_across_rights() -> Iterator[None]:
    """A view's name leaves the rights out, so that readers of other rights get its frames."""
    real = views.View.__init__

    def blind(self: views.View, *arguments: Any, **options: Any) -> None:
        real(self, *arguments, **options)
        rights = self.rights
        everything = views.View.__new__(views.View)
        real(everything, self.feed, self.filter, self._tests, self.order, self.limit, views.EVERYTHING)
        self.name = everything.name
        self.rights = rights

    with patch.object(views.View, "__init__", blind):
        views._short_view.cache_clear()
        try:
            yield
        finally:
            views._short_view.cache_clear()


@contextmanager
def epoch_kept_on_restore() -> Iterator[None]:
    """A restored copy goes on under the old epoch."""
    real = world.copied

    def kept(log: MemoryLog, epoch: str) -> MemoryLog:
        return real(log, log.epoch)

    with patch.object(world, "copied", kept):
        yield


@contextmanager
def numbered_outside_the_lock() -> Iterator[None]:
    """Now and then a batch is numbered from a version read before the last commit was known."""
    real = recorder.Recorder._number
    dice = random.Random(2)
    earlier: dict[int, int] = {}

    def number(self: Any, requests: Any, versions: Any) -> Any:
        records = real(self, requests, versions)
        stale = earlier.get(id(self), 0)
        earlier[id(self)] = self.state.version
        if not records or not stale or dice.random() > 0.1:
            return records
        shift = self.state.version - stale
        moved = [recorder.Record(record.version - shift, record.recorded_at, record.event) for record in records]
        versions.update({record.event.key: record.version for record in moved})
        return moved

    def commit(self: MemoryLog, records: Any, changes: Any) -> None:
        if records and records[0].version != self._version + 1:
            self._version = records[0].version - 1
        plain(self, records, changes)

    plain = MemoryLog.commit
    with patch.object(recorder.Recorder, "_number", number), patch.object(MemoryLog, "commit", commit):
        yield


@contextmanager
def old_connection_applied() -> Iterator[None]:
    """A reader applies what a connection that it has left still brings."""

    async def still_listen(self: reader.Reader, link: Link | Wire, answer: Any) -> None:
        with suppress(Cut):
            while True:
                said: Any = await link.get(reader.LIVENESS)
                if isinstance(link, Link):
                    if said["type"] == "websocket.send":
                        self._take(said["text"])
                    continue
                for each in answer.take(said):
                    (self._take if isinstance(answer, WebSocketAnswer) else self._take_event)(each)

    def hop(self: reader.Reader) -> None:
        link, self.link = self.link, None
        if link is not None:
            self.world.run(still_listen(self, link, self.answer))

    with patch.object(reader.Reader, "hop", hop), patch.object(world.World, "_cut_one", world.World._hop_one):
        yield


@contextmanager
def window_forgotten() -> Iterator[None]:
    """A row that leaves a limited view is not told."""
    from stockwire.core.live import LimitedView

    real = LimitedView._place

    def place(self: Any, version: int, key: Any, entry: Any) -> bool:
        if entry is None and key in self._members:
            del self._members[key]
            return True
        return bool(real(self, version, key, entry))

    with patch.object(LimitedView, "_place", place):
        yield


@contextmanager
def cursor_ahead_of_frame() -> Iterator[None]:
    """A turn moves a view's cursor though the view was not due."""
    real = Reading.turn

    def turn(self: Reading, now: float) -> Any:
        told = real(self, now)
        for held in self.held.values():
            if held.cursor is not None and held.behind:
                held.cursor = self.publisher.version
        return told

    with patch.object(Reading, "turn", turn):
        yield


@contextmanager
def row_sent_as_it_was() -> Iterator[None]:
    """Some deltas carry a row as it was before its last change."""
    real = Hub._delta_frames
    dice = random.Random(3)
    before: dict[tuple[str, Any], Any] = {}

    def changed(self: Hub, view: str, since: int, changes: list[Any]) -> Any:
        sent = []
        for change in changes:
            older = before.get((view, change.key))
            before[view, change.key] = change.entry
            stale = older is not None and change.entry is not None and dice.random() < 0.02
            sent.append(change._replace(entry=older) if stale else change)
        return real(self, view, since, sent)

    with patch.object(Hub, "_delta_frames", changed):
        yield


@contextmanager
def other_history_resumed() -> Iterator[None]:
    """A cursor of another history is taken for one of this."""
    real = Session._resume

    def resume(self: Session, view: views.View, cursor: Cursor, *, exact: bool) -> Any:
        here = msgspec.structs.replace(cursor, epoch=self._publisher.epoch)
        return real(self, view, here, exact=exact)

    with patch.object(Session, "_resume", resume):
        yield


@contextmanager
def reset_without_cause() -> Iterator[None]:
    """Now and then a reader that could go on is sent everything anew."""
    real = Session._resume
    dice = random.Random(4)

    def resume(self: Session, view: views.View, cursor: Cursor, *, exact: bool) -> Any:
        at, reason = real(self, view, cursor, exact=exact)
        return (None, "horizon") if reason is None and dice.random() < 0.1 else (at, reason)

    with patch.object(Session, "_resume", resume):
        yield


@contextmanager
def row_not_stored() -> Iterator[None]:
    """Some changed stock rows are told to readers and not stored."""
    real = MemoryLog._put_rows
    dice = random.Random(5)

    def put(self: MemoryLog, changes: Any) -> None:
        kept = {key: row for key, row in changes.inventory.items() if dice.random() > 0.005}
        real(self, msgspec.structs.replace(changes, inventory=kept))

    with patch.object(MemoryLog, "_put_rows", put):
        yield


@contextmanager
def stock_kept_back() -> Iterator[None]:
    """What some orders had committed is not given back; folding again makes the same mistake."""
    real = orders.line_effects

    def effects(before: Any, after: Any, order_id: str) -> list[Any]:
        found = real(before, after, order_id)
        return [] if order_id.endswith("7") and before else found

    with patch.object(orders, "line_effects", effects):
        yield


@contextmanager
def connection_kept() -> Iterator[None]:
    """Some connections go on being counted when they are over."""
    real = Admission.leave
    dice = random.Random(6)

    def leave(self: Admission, address: str) -> None:
        if dice.random() > 0.5:
            real(self, address)

    with patch.object(Admission, "leave", leave):
        yield


@contextmanager
def failed_without_cause() -> Iterator[None]:
    """Now and then events are answered that the server failed, and it had no cause to."""
    real = Ingest.submit
    dice = random.Random(7)

    async def submit(self: Ingest, events: Sequence[Any]) -> Any:
        if dice.random() < 0.01:
            raise Failed()
        return await real(self, events)

    with patch.object(Ingest, "submit", submit):
        yield


def _first_line(plant: Callable[[], Any]) -> str:
    return (plant.__doc__ or "").strip()


@contextmanager
def own_rows_under_one_name() -> Iterator[None]:
    """The view of one's own rows is named alike for all people, so that they get each other's frames."""
    with patch.object(Rights, "over", lambda self, feed: self):
        views._short_view.cache_clear()
        try:
            yield
        finally:
            views._short_view.cache_clear()


@contextmanager
def told_without_rest() -> Iterator[None]:
    """That a rule fires is told however lately it was told before."""
    real = notifications._told

    def told(row: Any, rule: Any, now: Any) -> Any:
        return real(msgspec.structs.replace(row, told_at=None), rule, now)

    with patch.object(notifications, "_told", told):
        yield


def _mutant(plant: Callable[[], Any], **plan: Any) -> Mutant:
    return Mutant(
        plant.__name__.replace("_", " "), _first_line(plant), plant, Plan(**{"seed": 1, "events": 2_000, **plan})
    )


MUTANTS = (
    _mutant(skipped_version),
    _mutant(applied_twice_on_retry),
    _mutant(acknowledged_before_commit, storage="sqlite"),
    _mutant(weaker_sync, storage="sqlite"),
    _mutant(cursor_saved_before_rows),
    _mutant(tombstones_dropped),
    _mutant(frames_shared_across_rights),
    _mutant(epoch_kept_on_restore, seed=5),
    _mutant(numbered_outside_the_lock),
    _mutant(old_connection_applied),
    _mutant(window_forgotten),
    _mutant(cursor_ahead_of_frame),
    _mutant(row_sent_as_it_was),
    _mutant(other_history_resumed, seed=5),
    _mutant(reset_without_cause),
    _mutant(row_not_stored),
    _mutant(stock_kept_back),
    _mutant(connection_kept),
    _mutant(failed_without_cause),
    _mutant(own_rows_under_one_name, seed=89),
    _mutant(told_without_rest),
)
"""The ten that every release must catch, two of cursors and windows, and one for each check that none of them meets."""

SEEDS_MOST = 40
"""Seeds within which a mutant must be found."""


def caught(mutant: Mutant) -> tuple[int, str] | None:
    """How many seeds it took to catch the mutant, and what was found; None when it was not."""
    with mutant.plant():
        for number in range(SEEDS_MOST):
            seed = mutant.plan.seed + 8 * number
            outcome = world.simulate(msgspec.structs.replace(mutant.plan, seed=seed))
            if outcome.found is not None:
                assert "TypeError" not in outcome.found and "AttributeError" not in outcome.found, outcome.found
                return number + 1, outcome.found
    return None
