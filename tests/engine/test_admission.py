"""Admission: who may come, who is told to come back later, and how a drain spreads those it sends away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from stockwire.app import Stockwire
from stockwire.core.errors import StockwireError, TooMany, Unavailable
from stockwire.engine.admission import ACCEPT_RATE, Admission
from stockwire.engine.census import Census
from stockwire.settings import Settings
from tests.transport.place import until


class Guest:
    """Somebody who goes when asked, and notes what was said."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.told: tuple[str, int] | None = None
        admission.seat(self)

    def leave(self, reason: str, reconnect_in: int) -> None:
        self.told = (reason, reconnect_in)
        self.admission.unseat(self)

    def turn_out(self, error: StockwireError) -> None:
        raise AssertionError("nobody is turned out here")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def come(admission: Admission, count: int, address: str = "a") -> None:
    for _ in range(count):
        admission.enter(address)


def test_more_connections_than_may_be_are_told_to_try_later() -> None:
    admission = Admission(3, 3)
    come(admission, 3)
    with pytest.raises(TooMany) as refusal:
        admission.enter("b")
    assert (refusal.value.status, refusal.value.retry_after) == (429, 5)
    admission.leave("a")
    admission.enter("b")


def test_one_address_may_not_take_every_place() -> None:
    admission = Admission(10, 2)
    come(admission, 2)
    with pytest.raises(TooMany):
        admission.enter("a")
    admission.enter("b")
    admission.leave("a")
    admission.enter("a")


def test_the_connections_of_all_processes_count_together() -> None:
    census, descriptor = Census.taken(3)
    here = Admission(3, 3, count=census.at(0))
    there = Admission(3, 3, count=Census(descriptor, 3).at(1))
    come(here, 2)
    there.enter("b")
    assert here.connections == there.connections == census.all == 3
    for admission in (here, there):
        with pytest.raises(TooMany):
            admission.enter("c")
    census.clear(0)
    come(there, 2)


def test_those_who_come_faster_than_may_be_are_unavailable_for_a_moment() -> None:
    clock = Clock()
    admission = Admission(10_000_000, 10_000_000, monotonic=clock)
    come(admission, 2 * int(ACCEPT_RATE))
    with pytest.raises(Unavailable) as refusal:
        admission.enter("a")
    assert (refusal.value.status, refusal.value.retry_after) == (503, 2)
    clock.seconds += 1
    come(admission, int(ACCEPT_RATE))
    with pytest.raises(Unavailable):
        admission.enter("a")
    clock.seconds += 1_000
    come(admission, 2 * int(ACCEPT_RATE))
    with pytest.raises(Unavailable):
        admission.enter("a")


async def test_the_settings_say_how_many_may_be_and_how_many_from_one_address(tmp_path: Path) -> None:
    shop = await Stockwire.open(Settings(data_dir=tmp_path, max_connections=3, max_connections_each=2))
    try:
        come(shop.admission, 2)
        with pytest.raises(TooMany):
            shop.admission.enter("a")
        shop.admission.enter("b")
        with pytest.raises(TooMany):
            shop.admission.enter("c")
    finally:
        await shop.close()


def test_a_refused_connection_takes_no_place() -> None:
    admission = Admission(1, 1)
    with pytest.raises(ValueError), admission.entering("a"):
        raise ValueError
    admission.enter("a")


async def test_nobody_comes_in_during_a_drain() -> None:
    admission = Admission(9, 9)
    await admission.drain(Random(1).random)
    with pytest.raises(Unavailable):
        admission.enter("a")


@pytest.mark.parametrize(
    ("connections", "seconds"), [(1, 2.0), (1_000, 2.0), (2_500, 5.0), (10_000, 20.0), (20_000, 30.0)]
)
async def test_a_drain_spreads_the_return_by_the_number_of_guests(connections: int, seconds: float) -> None:
    admission = Admission(connections, connections)
    guests = [Guest(admission) for _ in range(connections)]
    chance = Random(7)
    await admission.drain(chance.random)
    returns = [guest.told[1] for guest in guests if guest.told is not None]
    assert len(returns) == connections
    assert all(0 <= each < seconds * 1_000 for each in returns)
    if connections >= 1_000:
        tenths = [sum(1 for each in returns if each * 10 // (seconds * 1_000) == tenth) for tenth in range(10)]
        assert min(tenths) > connections / 10 * 0.6
    assert {guest.told[0] for guest in guests if guest.told is not None} == {"drain"}


async def test_a_drain_waits_until_the_last_has_gone() -> None:
    admission = Admission(9, 9)
    guest = Guest(admission)
    slow = Guest(admission)
    slow.leave = lambda reason, reconnect_in: None  # type: ignore[method-assign]
    draining = asyncio.create_task(admission.drain(Random(1).random))
    await until(lambda: guest.told is not None)
    assert not draining.done()
    admission.unseat(slow)
    await draining
