"""A station is manned again whatever becomes of its process, later each time when it keeps ending."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from stockwire.core.errors import Failed
from stockwire.workers.backoff import CALM, LEAST, MOST, Backoff
from stockwire.workers.station import Station


class Process:
    """A process that ends when the test says, or when it is asked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.asked: list[int] = []
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def send_signal(self, sign: int) -> None:
        self.asked.append(sign)
        self.end(0)

    def end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)


class Place:
    """A station with what happened at it, in order. Waiting takes no time; `waited` says how long it would have."""

    def __init__(self, *, overlapping: bool = True) -> None:
        self.happened: list[str] = []
        self.processes: list[Process] = []
        self.waited: list[float] = []
        self.failing = 0
        self.seconds = 0.0
        self.station = Station(
            "it", self._start, bury=lambda: self.happened.append("buried"), overlapping=overlapping,
            monotonic=lambda: self.seconds, sleep=self._sleep,
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await yielded()

    async def _start(self) -> Process:
        if self.failing:
            self.failing -= 1
            self.happened.append("failed")
            raise Failed("not now")
        self.processes.append(Process(len(self.processes) + 1))
        self.happened.append(f"started {len(self.processes)}")
        return self.processes[-1]


async def yielded() -> None:
    """Let the loop go round once."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await yielded()


async def kept(place: Place) -> asyncio.Task[None]:
    await place.station.man()
    return asyncio.create_task(place.station.keep())


async def test_another_follows_a_process_that_ended() -> None:
    place = Place()
    keeping = await kept(place)
    place.processes[0].end(-9)
    await until(lambda: len(place.processes) == 2)
    assert place.happened == ["started 1", "buried", "started 2"]
    assert place.waited == [LEAST]
    keeping.cancel()


async def test_a_place_whose_process_cannot_start_is_tried_again_and_again() -> None:
    place = Place()
    keeping = await kept(place)
    place.failing = 10
    place.processes[0].end(1)
    await until(lambda: len(place.processes) == 2)
    assert place.waited == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, MOST, MOST, MOST, MOST]
    keeping.cancel()


async def test_what_ran_for_a_while_is_started_again_at_once() -> None:
    place = Place()
    keeping = await kept(place)
    place.failing = 3
    place.processes[0].end(1)
    await until(lambda: len(place.processes) == 2)
    place.seconds += CALM
    place.processes[1].end(1)
    await until(lambda: len(place.processes) == 3)
    assert place.waited[-1] == LEAST
    keeping.cancel()


async def test_the_first_process_that_cannot_start_is_told() -> None:
    place = Place()
    place.failing = 1
    with pytest.raises(Failed):
        await place.station.man()


async def test_a_relief_is_there_before_the_other_is_asked_to_go() -> None:
    place = Place()
    keeping = await kept(place)
    await place.station.relieve()
    assert place.processes[0].asked == [signal.SIGTERM]
    assert place.station.process is place.processes[1]
    await until(lambda: True)
    assert place.happened == ["started 1", "started 2"]
    place.processes[1].end(-9)
    await until(lambda: len(place.processes) == 3)
    keeping.cancel()


async def test_where_two_cannot_be_the_other_goes_first() -> None:
    place = Place(overlapping=False)
    keeping = await kept(place)
    await place.station.relieve()
    assert place.processes[0].asked == [signal.SIGTERM]
    assert place.happened == ["started 1", "started 2"]
    keeping.cancel()


async def test_a_relief_that_cannot_start_leaves_the_one_that_is_there() -> None:
    place = Place()
    keeping = await kept(place)
    place.failing = 1
    await place.station.relieve()
    assert place.processes[0].asked == []
    assert place.station.process is place.processes[0]
    keeping.cancel()


async def test_who_is_asked_to_leave_is_waited_for() -> None:
    place = Place()
    keeping = await kept(place)
    keeping.cancel()
    assert await place.station.leave() == 0
    assert place.processes[0].asked == [signal.SIGTERM]


def test_a_backoff_doubles_up_to_its_most() -> None:
    backoff = Backoff()
    assert [backoff.after(0.0) for _ in range(9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, MOST, MOST]
    assert backoff.after(CALM) == LEAST
