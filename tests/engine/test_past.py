"""Looking back: every past moment is what the first events of the log fold to, whatever was looked at before."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockwire.core.errors import Unavailable
from stockwire.core.events import Event
from stockwire.core.rows import MetricRow
from stockwire.core.values import MINUTE
from stockwire.engine.checkpoints import Reached
from stockwire.engine.past import WAITING_MOST, Past, Progress, Target, World
from stockwire.log.copying import KEPT
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import SqliteLog
from tests.core.ledger import at
from tests.log.history import Shop, busy_day, filled, receipt

PATIENCE = 30.0


@pytest.fixture
async def past() -> AsyncIterator[Past]:
    """The past of a busy day, with a checkpoint at every fifth event at first."""
    past = Past(filled(MemoryLog()).log, spacing=5)
    yield past
    await past.close()


def rows(log: Any) -> dict[str, dict[Any, Any]]:
    """Every row of every table that folding builds on, metrics but for their versions."""
    return {table: {key: compared(row) for key, row in log.rows(table)} for table in KEPT if table != "facts"}


def told(rows: dict[str, dict[Any, Any]], of: Any) -> dict[str, Any]:
    """The rows, with the movements and the timeline of each as `of` tells them."""
    return {
        **rows,
        "movements": {key: of.movements(*key, 1_000) for key in rows["inventory"]},
        "timeline": {key: of.timeline(*key) for key in rows["orders"]},
    }


def compared(row: Any) -> Any:
    return msgspec.structs.replace(row, version=0) if isinstance(row, MetricRow) else row


def folded(events: list[Event]) -> dict[str, dict[Any, Any]]:
    """What the events alone fold to."""
    shop = Shop(MemoryLog())
    for each in events:
        shop.write(each)
    return told(rows(shop.log), shop.log)


async def look(past: Past, target: Target) -> dict[str, dict[Any, Any]]:
    seen: list[dict[str, dict[Any, Any]]] = []

    def answer(world: World) -> bytes:
        seen.append(told(rows(world.log), world))
        return b"seen"

    assert await past.ask(target, object(), answer, PATIENCE) == b"seen"
    return seen[0]


async def test_any_version_is_what_its_events_fold_to_in_whatever_order_one_looks(past: Past) -> None:
    events = busy_day()
    versions = [0, 1, len(events), *range(3, len(events), 9)]
    random.Random(7).shuffle(versions)
    for version in versions:
        assert await look(past, Target(version=version)) == folded(events[:version]), version


async def test_a_time_is_the_last_version_at_which_the_shop_had_not_passed_it(past: Past) -> None:
    events = busy_day()
    for time in ("06:00", "08:05", "12:30", "16:10", "23:00"):
        clock, version = 0, 0
        while version < len(events) and max(clock, events[version].time) <= at(time):
            clock = max(clock, events[version].time)
            version += 1
        assert await look(past, Target(moment=at(time))) == folded(events[:version]), time
    assert await look(past, Target(moment=at("07:00") - MINUTE)) == await look(past, Target(version=1))


async def test_who_looks_back_sees_what_was_recorded_late_only_from_then_on() -> None:
    shop = Shop(MemoryLog())
    shop.write(receipt(1, time="10:00"), receipt(2, time="12:00"), receipt(3, time="09:00"))
    past = Past(shop.log)
    seen = await look(past, Target(moment=at("11:00")))
    assert [len(of_row) for of_row in seen["movements"].values()] == [1]
    await past.close()


def held(place: Path) -> list[Path]:
    return sorted(place.glob("*"))


async def test_copies_on_the_way_are_gone_in_the_end(past: Past) -> None:
    await look(past, Target())
    walk = past._walk
    assert walk._checkpoints().newest_first() and walk._place is not None
    place = Path(walk._place.name)
    assert held(place)
    await past.close()
    assert not held(place)
    assert await look(past, Target(version=3)) == folded(busy_day()[:3])  # and it can be looked back again


async def test_a_question_that_takes_longer_says_how_far_it_is_and_is_answered_when_asked_again(past: Past) -> None:
    hold = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(world: World) -> bytes:
        asyncio.run_coroutine_threadsafe(hold.wait(), loop).result()
        return b"%d" % world.version

    asked = Target(version=9)
    given = await past.ask(asked, "slow", slowly, 0.0)
    assert isinstance(given, Progress) and given.done <= given.of
    hold.set()
    assert await past.ask(asked, "slow", slowly, PATIENCE) == b"9"


async def test_only_so_many_may_wait(past: Past) -> None:
    hold = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(world: World) -> bytes:
        asyncio.run_coroutine_threadsafe(hold.wait(), loop).result()
        return b""

    for number in range(WAITING_MOST):
        await past.ask(Target(version=1), number, slowly, 0.0)
    with pytest.raises(Unavailable):
        await past.ask(Target(version=1), "one more", slowly, 0.0)
    hold.set()


async def test_what_nobody_waits_for_is_not_folded_for() -> None:
    clock = 0.0
    past = Past(filled(MemoryLog()).log, monotonic=lambda: clock)
    hold = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(world: World) -> bytes:
        asyncio.run_coroutine_threadsafe(hold.wait(), loop).result()
        return b""

    answered: list[int] = []

    def quickly(world: World) -> bytes:
        answered.append(world.version)
        return b"done"

    await past.ask(Target(version=1), "first", slowly, 0.0)
    await past.ask(Target(version=40), "left", quickly, 0.0)
    clock = 60.0
    hold.set()
    assert isinstance(await past.ask(Target(version=2), "later", quickly, PATIENCE), bytes)
    assert answered == [2]
    await past.close()


async def test_the_past_rests_when_nobody_has_looked_for_a_while() -> None:
    clock = 0.0
    past = Past(filled(MemoryLog()).log, monotonic=lambda: clock, spacing=5)
    await look(past, Target())
    await past.rest()
    assert past._walk._place is not None
    clock = 3_600.0
    await past.rest()
    assert past._walk._place is None
    await past.close()


async def test_a_question_that_comes_while_the_past_is_being_let_go_is_answered() -> None:
    clock = 0.0
    past = Past(filled(MemoryLog()).log, monotonic=lambda: clock, spacing=5)
    await look(past, Target())
    clock = 3_600.0
    resting, asking = asyncio.create_task(past.rest()), asyncio.create_task(look(past, Target(version=3)))
    assert await asking == folded(busy_day()[:3])
    await resting
    await past.close()


class Watched(MemoryLog):
    """A log that remembers after which versions events were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_after: list[int] = []

    def records(self, after: int = 0, limit: int = 5_000) -> list[Any]:
        self.read_after.append(after)
        return super().records(after, limit)


async def test_a_server_that_was_started_anew_looks_back_from_the_checkpoints_of_before(tmp_path: Path) -> None:
    log, events = Watched(), busy_day()
    filled(log)
    first = Past(log, tmp_path, spacing=5)
    await look(first, Target())
    await first.close()
    again = Past(log, tmp_path, spacing=5)
    log.read_after.clear()
    assert await look(again, Target(version=len(events))) == folded(events)
    assert min(log.read_after) > 0
    await again.close()


async def test_a_checkpoint_that_cannot_be_read_is_left_out_and_removed(tmp_path: Path) -> None:
    events = busy_day()
    past = Past(filled(MemoryLog()).log, tmp_path, spacing=5)
    await look(past, Target())
    await past.close()
    for damaged in held(tmp_path):
        damaged.write_bytes(b"no database" * 100)
    assert await look(past, Target()) == folded(events)
    assert b"no database" not in b"".join(each.read_bytes()[:11] for each in held(tmp_path))
    await past.close()


async def test_a_server_leaves_a_checkpoint_as_its_log_grows(tmp_path: Path) -> None:
    """From which the past of before is folded no more, and which shows the same."""
    events, log = busy_day(), SqliteLog(tmp_path / "data")
    past = Past(log, tmp_path / "past", lambda to: Reached(*log.copy_rows(to)), spacing=5)
    shop = Shop(log)
    for count in (3, 30):
        shop.write(*events[log.version : count])
        await past.keep()
    await past.keep()
    assert [each.version for each in past._walk._checkpoints().newest_first()] == [30]
    shop.write(*events[30:])
    assert await look(past, Target(version=33)) == folded(events[:33])
    assert await look(past, Target(version=10)) == folded(events[:10])
    await past.close()
    log.close()
