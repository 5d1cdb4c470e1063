"""The relay: what the writer says reaches the sender unchanged, and a writer that goes away costs only time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stockwire.core.errors import Failed, Invalid, Problem, StockwireError, StorageFailed, Unavailable
from stockwire.core.events import Event
from stockwire.engine import relay as relay_module
from stockwire.engine.recorder import Receipt
from stockwire.engine.relay import Reception, Relay
from tests.log.history import busy_day, receipt

STORED = Receipt(1, 0, 7, (7,))


class Writer:
    """A writer whose answers the test gives. `arrived` has the batches in the order they came."""

    def __init__(self, *outcomes: Receipt | Exception) -> None:
        self.outcomes = list(outcomes)
        self.arrived: list[Sequence[Event]] = []
        self.came = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def submit(self, events: Sequence[Event]) -> Receipt:
        self.arrived.append(events)
        self.came.set()
        outcome = self.outcomes.pop(0) if self.outcomes else STORED
        await self.may_answer.wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@asynccontextmanager
async def connected(directory: Path, patience: float = 30.0) -> AsyncIterator[Relay]:
    relay = Relay(directory, patience=patience)
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def writing(directory: Path, writer: Writer) -> AsyncIterator[Reception]:
    reception = Reception(directory, writer.submit)
    await reception.start()
    try:
        yield reception
    finally:
        await reception.stop()


async def test_events_arrive_as_they_were_sent_and_the_receipt_as_it_was_given(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)
    directory.mkdir()
    writer = Writer(Receipt(2, 1, 9, (7, 3, 9)))
    async with writing(directory, writer), connected(directory) as relay:
        assert await relay.submit(busy_day()) == Receipt(2, 1, 9, (7, 3, 9))
    assert writer.arrived == [busy_day()]


@pytest.mark.parametrize(
    "refusal",
    [
        Unavailable("too many events are waiting"),
        StorageFailed("the disk is full"),
        Invalid("too large a figure", problems=[Problem(index=3, detail="2^63")]),
    ],
    ids=lambda error: error.code,
)
async def test_a_refusal_is_told_as_it_is(tmp_path: Path, refusal: StockwireError) -> None:
    async with writing(tmp_path, Writer(refusal)), connected(tmp_path) as relay:
        with pytest.raises(type(refusal)) as told:
            await relay.submit([receipt(1)])
    assert type(told.value) is type(refusal)
    assert (told.value.detail, told.value.problems) == (refusal.detail, refusal.problems)
    assert told.value.retry_after == refusal.retry_after


async def test_what_breaks_in_the_writer_is_a_failure_without_details(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with writing(tmp_path, Writer(KeyError("secret"))), connected(tmp_path) as relay:
        with pytest.raises(Failed) as told:
            await relay.submit([receipt(1)])
    assert "secret" not in told.value.detail
    assert "secret" in caplog.text


async def test_events_wait_for_a_writer_that_is_being_started(tmp_path: Path) -> None:
    async with connected(tmp_path) as relay:
        sent = asyncio.create_task(relay.submit([receipt(1)]))
        await asyncio.sleep(0)
        async with writing(tmp_path, Writer()):
            assert await sent == STORED


async def test_what_a_dead_writer_left_unanswered_goes_to_the_next_one(tmp_path: Path) -> None:
    async with connected(tmp_path) as relay:
        first = Writer()
        first.may_answer.clear()
        dying = Reception(tmp_path, first.submit)
        await dying.start()
        sent = asyncio.create_task(relay.submit([receipt(1)]))
        await first.came.wait()
        for connection in list(dying._connections):
            connection.transport.abort()
        second = Writer()
        async with writing(tmp_path, second):
            assert await sent == STORED
        assert second.arrived == first.arrived == [[receipt(1)]]
        first.may_answer.set()
        await dying.stop()


async def test_events_that_two_writers_died_over_are_not_given_to_a_third(tmp_path: Path) -> None:
    async with connected(tmp_path) as relay:
        sent = asyncio.create_task(relay.submit([receipt(1)]))
        for _ in range(2):
            writer = Writer()
            writer.may_answer.clear()
            dying = Reception(tmp_path, writer.submit)
            await dying.start()
            await writer.came.wait()
            for connection in list(dying._connections):
                connection.transport.abort()
            writer.may_answer.set()
            await dying.stop()
        third = Writer()
        async with writing(tmp_path, third):
            with pytest.raises(Unavailable, match="twice"):
                await sent
        assert third.arrived == []


async def test_without_a_writer_the_sender_is_told_to_come_back(tmp_path: Path) -> None:
    async with connected(tmp_path, patience=0.0) as relay:
        assert not relay.connected
        with pytest.raises(Unavailable, match="does not answer"):
            await relay.submit([receipt(1)])


async def test_no_more_waits_than_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "WAITING_MOST", 2)
    writer = Writer()
    writer.may_answer.clear()
    async with writing(tmp_path, writer), connected(tmp_path) as relay:
        sent = asyncio.create_task(relay.submit([receipt(1), receipt(2)]))
        await writer.came.wait()
        with pytest.raises(Unavailable, match="too many"):
            await relay.submit([receipt(3)])
        writer.may_answer.set()
        assert await sent == STORED
        assert await relay.submit([receipt(3)]) == STORED


async def test_a_stopping_writer_answers_what_it_took(tmp_path: Path) -> None:
    writer = Writer()
    writer.may_answer.clear()
    reception = Reception(tmp_path, writer.submit)
    await reception.start()
    async with connected(tmp_path) as relay:
        sent = asyncio.create_task(relay.submit([receipt(1)]))
        await writer.came.wait()
        stopping = asyncio.create_task(reception.stop())
        await asyncio.sleep(0)
        writer.may_answer.set()
        assert await sent == STORED
        await stopping
