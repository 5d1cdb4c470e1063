"""What is kept on purpose, in bytes: little of each commit and of what is asked, and less than a kilobyte of each order that
is over.

An order that was closed is kept in memory for 62 days as its journey, which the metrics are made of, and for a week as a
tombstone, so that a screen that was away hears that it left. At steady work this is what a server grows by.
"""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from stockwire.core.errors import Invalid
from stockwire.core.projections.journeys import JourneyBook, journey_of
from stockwire.core.rights import EVERYTHING
from stockwire.core.rows import LineState, OrderRow
from stockwire.core.values import SECOND
from stockwire.core.views import parse_view
from stockwire.engine.access import Headers, Reader
from stockwire.engine.admission import Admission
from stockwire.engine.streams import Streams
from stockwire.transport.takeover.reception import Reception
from tests.core.ledger import at
from tests.core.shop import Shop, changes

MANY = 4_000


@contextmanager
def kept_in(most: int, things: int) -> Iterator[None]:
    """What the block makes of so many things and does not let go of takes at most so many bytes for each."""
    gc.collect()
    tracemalloc.start()
    try:
        yield
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / things <= most


def test_a_commit_is_remembered_in_a_few_bytes() -> None:
    hub = Shop().hub
    with kept_in(16, MANY):
        for version in range(10**6, 10**6 + MANY):
            hub.publish(changes(version))


def test_an_order_that_is_over_is_kept_in_less_than_a_kilobyte() -> None:
    book, hub = JourneyBook({}, at("10:00")), Shop().hub
    with kept_in(900, MANY):
        for number in range(MANY):
            order = _completed(number)
            hub.publish(changes(number, orders={order.key: order}))
            book.commit({order.key: journey_of(order)}, order.updated_at)
            hub.publish(changes(number, evicted={order.key: number}))


def test_a_long_question_is_not_remembered() -> None:
    with kept_in(1_024, 300):
        for number in range(300):
            names = [f"{number} {choice} {'x' * 500}" for choice in range(100)]
            parse_view({"feed": "inventory", "filter": {"name": {"in": names}}})


async def test_a_long_request_for_a_stream_is_not_remembered() -> None:
    streams = Streams(Shop().hub, Admission(1_000, 1_000), monotonic=lambda: 0.0, random=lambda: 0.5)
    reception = Reception(streams, lambda _: Reader("somebody", EVERYTHING))
    with kept_in(1_024, 300):
        for number in range(300):
            view = {"id": "a", "feed": "weather", "filter": {"name": f"{number} {'x' * 3_000}"}}
            body = json.dumps({"views": [view]})
            with pytest.raises(Invalid):
                reception.events(cast(asyncio.Transport, None), Headers([], "10.0.0.1"), b"", body.encode(), [])


def _completed(number: int) -> OrderRow:
    """An order that went from its placing to its end within three seconds; each a while after the one before."""
    placed = at("10:00") + 10 * number * SECOND
    line = LineState(line="1", sku="MUG", location="main", ordered=1_000 + number, shipped=1_000 + number)
    reached = [
        (status, placed + step * SECOND) for step, status in enumerate(("placed", "shipped", "delivered", "completed"))
    ]
    return OrderRow(
        version=10**6 + number, order_id=f"order-{number:09}", number="", status="completed", source="till", currency="EUR",
        placed_at=placed, status_since=reached[-1][1], updated_at=placed, location="main", lines=(line,), reached=tuple(reached),
        closed_at=reached[-1][1],
    )  # fmt: skip
