"""Ingest: group commit, receipts, failures that harm nobody else, and a clean end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stockwire.core.changes import Changes
from stockwire.core.errors import Invalid, StockwireError, StorageFailed, Unavailable
from stockwire.core.events import Event, Record
from stockwire.engine.ingest import Ingest, Receipt
from stockwire.engine.recorder import Recorder
from stockwire.log.memory import MemoryLog
from tests.core.ledger import event
from tests.log.history import RECORDED, SETTINGS, order, receipt


class Disk(MemoryLog):
    """A log whose commits can be held up, refused, or kept though they were refused."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.failure: str | None = None
        self.kept_all_the_same = False
        self.commits: list[int] = []

    def commit(self, records: Sequence[Record], changes: Changes) -> None:
        self.entered.release()
        self.gate.wait()
        if self.failure is not None:
            if self.kept_all_the_same:
                super().commit(records, changes)
            raise StorageFailed(self.failure)
        super().commit(records, changes)
        self.commits.append(len(records))


@pytest.fixture
def disk() -> Disk:
    return Disk()


@asynccontextmanager
async def writing(disk: Disk, **options: Any) -> AsyncIterator[Ingest]:
    ingest = Ingest(disk, disk.load(), SETTINGS, now=lambda: RECORDED, **options)
    await ingest.start()
    assert disk.entered.acquire(blocking=False), "the settings were written"
    try:
        yield ingest
    finally:
        disk.gate.set()
        await ingest.stop()


async def held(disk: Disk) -> None:
    """Wait until the writing thread stands in a commit."""
    await asyncio.to_thread(disk.entered.acquire)


async def test_a_receipt_names_the_version_of_each_event(disk: Disk) -> None:
    async with writing(disk) as ingest:
        told = await ingest.submit([receipt(1), receipt(2)])
        assert told == Receipt(accepted=2, duplicates=0, version=3, versions=(2, 3))
        assert [record.event for record in disk.records(after=1)] == [receipt(1), receipt(2)]


async def test_a_repeat_gets_the_version_it_got_first_and_changes_nothing(disk: Disk) -> None:
    async with writing(disk) as ingest:
        await ingest.submit([receipt(1)])
        other_body = receipt(1, sku="LAMP")
        told = await ingest.submit([receipt(2), other_body, receipt(2)])
        assert told == Receipt(accepted=1, duplicates=2, version=3, versions=(3, 2, 3))
        assert disk.counts().inventory == 1
        commits = list(disk.commits)
        assert await ingest.submit([other_body]) == Receipt(0, 1, 2, (2,))
        assert disk.commits == commits


async def test_an_empty_request_is_answered_with_the_present_version(disk: Disk) -> None:
    async with writing(disk) as ingest:
        assert await ingest.submit([]) == Receipt(0, 0, 1, ())


async def test_requests_that_wait_are_committed_together(disk: Disk) -> None:
    async with writing(disk) as ingest:
        disk.gate.clear()
        first = asyncio.ensure_future(ingest.submit([receipt(0)]))
        await held(disk)
        others = [asyncio.ensure_future(ingest.submit([receipt(n), receipt(1)])) for n in range(1, 41)]
        await asyncio.sleep(0)
        disk.gate.set()
        told = await asyncio.gather(first, *others)
        assert disk.commits == [1, 1, 40]
        assert sum(each.accepted for each in told) == 41
        assert [each.versions[0] for each in told] == list(range(2, 43))


async def test_a_group_takes_no_more_events_than_its_bound(disk: Disk) -> None:
    async with writing(disk, group_most=10) as ingest:
        disk.gate.clear()
        first = asyncio.ensure_future(ingest.submit([receipt(0)]))
        await held(disk)
        others = [asyncio.ensure_future(ingest.submit([receipt(10 * n + m) for m in range(4)])) for n in range(1, 6)]
        whole = asyncio.ensure_future(ingest.submit([receipt(1000 + n) for n in range(25)]))
        await asyncio.sleep(0)
        disk.gate.set()
        await asyncio.gather(first, *others, whole)
        assert disk.commits == [1, 1, 8, 8, 4, 25]


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(disk: Disk) -> None:
    async with writing(disk, waiting_most=3) as ingest:
        disk.gate.clear()
        first = asyncio.ensure_future(ingest.submit([receipt(0)]))
        await held(disk)
        second = asyncio.ensure_future(ingest.submit([receipt(1), receipt(2)]))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await ingest.submit([receipt(3), receipt(4)])
        assert refused.value.retry_after
        disk.gate.set()
        await asyncio.gather(first, second)
        assert (await ingest.submit([receipt(3), receipt(4)])).accepted == 2


async def test_every_request_of_a_group_fails_alike_when_the_disk_refuses(disk: Disk) -> None:
    async with writing(disk) as ingest:
        disk.gate.clear()
        first = asyncio.ensure_future(ingest.submit([receipt(0)]))
        await held(disk)
        others = [asyncio.ensure_future(ingest.submit([receipt(n)])) for n in range(1, 4)]
        await asyncio.sleep(0)
        disk.failure = "disk full"
        disk.gate.set()
        told = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(each) for each in told] == [StorageFailed] * 4
        assert disk.version == 1
        disk.failure = None
        assert (await ingest.submit([receipt(0)])).versions == (2,)


async def test_a_poisoned_request_harms_nobody_else(disk: Disk) -> None:
    huge = order(9, lines=[{"sku": "MUG", "quantity": 10**12, "unit_price": 10**12}])
    async with writing(disk) as ingest:
        disk.gate.clear()
        first = asyncio.ensure_future(ingest.submit([receipt(0)]))
        await held(disk)
        others = [
            asyncio.ensure_future(ingest.submit(each)) for each in ([receipt(1)], [receipt(2), huge], [receipt(3)])
        ]
        await asyncio.sleep(0)
        disk.gate.set()
        _, one, poisoned, three = await asyncio.gather(first, *others, return_exceptions=True)
        assert isinstance(poisoned, Invalid)
        assert (one, three) == (Receipt(1, 0, 3, (3,)), Receipt(1, 0, 4, (4,)))
        assert disk.known([("till", "r2"), ("till", "o9")]) == {}


async def test_what_was_kept_though_refused_is_found_before_anything_else_is_recorded(disk: Disk) -> None:
    published: list[Changes] = []
    async with writing(disk, published=published.append) as ingest:
        await ingest.submit([receipt(1)])
        disk.failure, disk.kept_all_the_same = "sync failed", True
        with pytest.raises(StorageFailed):
            await ingest.submit([receipt(2), order(1)])
        disk.failure = None
        assert await ingest.submit([receipt(2), order(1), receipt(3)]) == Receipt(1, 2, 5, (3, 4, 5))
        assert [changes.version for changes in published] == [1, 2, 4, 5]
        assert set(published[2].orders) == {("0001",)}
        row = disk.load().inventory[("MUG", "main")]
        assert row.on_hand == 3_000 and row.version == 5


async def test_what_a_receipt_stands_for_is_published_before_the_receipt(disk: Disk) -> None:
    seen: list[int] = []
    async with writing(disk, published=lambda changes: seen.append(changes.version)) as ingest:
        for number in range(5):
            told = await ingest.submit([receipt(number)])
            assert seen[-1] == told.version
        assert seen == sorted(seen)


async def test_a_failure_to_publish_does_not_hide_that_events_are_stored(disk: Disk) -> None:
    def published(changes: Changes) -> None:
        if changes.version > 1:
            raise RuntimeError("no screen")

    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context["exception"]))
    async with writing(disk, published=published) as ingest:
        assert (await ingest.submit([receipt(1)])).accepted == 1
    assert [str(each) for each in problems] == ["no screen"]


async def test_a_request_given_up_by_its_sender_is_stored_all_the_same(disk: Disk) -> None:
    async with writing(disk) as ingest:
        disk.gate.clear()
        first = asyncio.ensure_future(ingest.submit([receipt(0)]))
        await held(disk)
        given_up = asyncio.ensure_future(ingest.submit([receipt(1)]))
        await asyncio.sleep(0)
        given_up.cancel()
        disk.gate.set()
        await first
        assert (await ingest.submit([receipt(1)])).duplicates == 1


async def test_stopping_finishes_what_was_accepted(disk: Disk) -> None:
    async with writing(disk) as ingest:
        disk.gate.clear()
        accepted = [asyncio.ensure_future(ingest.submit([receipt(n)])) for n in range(3)]
        await held(disk)
        stopping = asyncio.ensure_future(ingest.stop())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await ingest.submit([receipt(9)])
        disk.gate.set()
        assert sum(each.accepted for each in await asyncio.gather(*accepted)) == 3
        await stopping
        assert not ingest.running


async def test_settings_are_appended_only_when_they_differ(disk: Disk) -> None:
    async with writing(disk) as ingest:
        await ingest.submit([receipt(1)])
    again = Ingest(disk, disk.load(), SETTINGS, now=lambda: RECORDED)
    await again.start()
    await again.stop()
    assert disk.version == 2
    other = Ingest(
        disk, disk.load(), type(SETTINGS)(timezone="UTC", currency="EUR", allowed_minutes={}), now=lambda: RECORDED
    )
    await other.start()
    await other.stop()
    assert disk.version == 3
    assert disk.load().clock == disk.records()[1].event.time, "a setting does not move the shop's clock"


async def test_events_are_recorded_at_the_moment_of_the_clock_which_never_runs_back(disk: Disk) -> None:
    moments = iter([RECORDED, RECORDED + 5, RECORDED + 2])
    ingest = Ingest(disk, disk.load(), SETTINGS, now=lambda: next(moments))
    await ingest.start()
    await ingest.submit([receipt(1)])
    await ingest.submit([receipt(2)])
    await ingest.stop()
    assert [record.recorded_at - RECORDED for record in disk.records()] == [0, 5, 5]


async def test_compaction_happens_in_the_writing_thread(disk: Disk) -> None:
    async with writing(disk) as ingest:
        assert await ingest.compact(RECORDED) == 0


@pytest.fixture
def blocking(disk: Disk) -> Iterator[Ingest]:
    ingest = Ingest(disk, disk.load(), SETTINGS, now=lambda: RECORDED, waiting_most=3)
    ingest.start_blocking()
    yield ingest
    disk.gate.set()
    ingest.stop_blocking()


def test_an_importer_submits_without_an_event_loop(blocking: Ingest) -> None:
    assert blocking.submit_blocking([receipt(1)]).accepted == 1
    later = [blocking.submit_later([receipt(n), receipt(n + 1)]) for n in range(2, 30, 2)]
    assert sum(each.result().accepted for each in later) == 28
    with pytest.raises(Invalid):
        blocking.submit_blocking([order(9, lines=[{"sku": "M", "quantity": 10**12, "unit_price": 10**12}])])


def test_an_importer_waits_for_room(disk: Disk, blocking: Ingest) -> None:
    disk.gate.clear()
    disk.entered.acquire()
    first = blocking.submit_later([receipt(0)])
    disk.entered.acquire()
    second = blocking.submit_later([receipt(1), receipt(2)])
    waits: list[Receipt] = []
    thread = threading.Thread(target=lambda: waits.append(blocking.submit_blocking([receipt(3), receipt(4)])))
    thread.start()
    assert not waits and not first.done() and not second.done()
    disk.gate.set()
    thread.join()
    assert waits[0].accepted == 2


def test_any_split_into_groups_records_the_same_versions() -> None:
    events = [receipt(n % 17) for n in range(40)]
    for size in (1, 3, 40):
        recorder = Recorder(MemoryLog(), MemoryLog().load(), lambda: RECORDED)
        outcomes: list[Receipt | StockwireError] = []
        for start in range(0, 40, size):
            outcomes += recorder.record([[each] for each in events[start : start + size]]).outcomes
        assert [each.versions for each in outcomes if isinstance(each, Receipt)] == [(n % 17 + 1,) for n in range(40)]


def test_an_event_that_cannot_be_folded_is_parked_and_the_others_go_on() -> None:
    log = MemoryLog()
    bad: Event = event("shop.configured", "00:00", "bad", "stockwire", timezone="Nowhere/Land", currency="GBP",
                       allowed_minutes={})  # fmt: skip
    outcomes = Recorder(log, log.load(), lambda: RECORDED).record([[receipt(1)], [bad], [receipt(2)]]).outcomes
    assert [each.accepted for each in outcomes if isinstance(each, Receipt)] == [1, 1, 1]
    assert log.counts().parked == 1 and log.load().inventory[("MUG", "main")].on_hand == 2_000
