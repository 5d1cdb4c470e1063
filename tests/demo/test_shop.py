"""The simulated shop: always the same for a seed, plausible, and sound as the core sees it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stockwire.core.errors import DataDirectoryBusy, Invalid, Unavailable
from stockwire.core.events import Event
from stockwire.core.fold_state import FoldState
from stockwire.core.values import DAY, HOUR, MINUTE, SECOND, moment
from stockwire.demo.baskets import Baskets, left_behind
from stockwire.demo.catalogue import products
from stockwire.demo.keeping import KEPT, prepare
from stockwire.demo.running import history, in_order, live, simulated_time
from stockwire.demo.shop import Shop
from stockwire.engine.recorder import Receipt, Recorder
from stockwire.log.lock import DirectoryLock
from stockwire.log.memory import MemoryLog

START = moment("2026-03-02T00:00:00Z")
DAYS = 4 * DAY


def folded(*batches: list[Event]) -> FoldState:
    """The state after recording the batches; an event that could not be digested fails."""
    log = MemoryLog()
    recorder = Recorder(log, log.load(), lambda: START)
    for batch in batches:
        recorded = recorder.record([batch])
        assert all(isinstance(outcome, Receipt) for outcome in recorded.outcomes)
        assert [parked for changes in recorded.changes for parked in changes.parked] == []
    return recorder.state


def test_a_seed_is_one_shop_and_another_seed_another() -> None:
    first, same, other = (list(Shop(seed, START).advance(START + DAY)) for seed in (7, 7, 8))
    assert first == same
    assert first != other


def test_the_events_are_the_same_however_time_is_cut() -> None:
    at_once = list(Shop(7, START).advance(START + DAY))
    shop = Shop(7, START)
    in_steps = [event for minute in range(24 * 60 + 1) for event in shop.advance(START + minute * MINUTE)]
    assert in_steps == at_once


def test_every_event_is_in_order_and_named_once() -> None:
    events = [event for batch in history(Shop(7, START), START + DAYS) for event in batch]
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert len({event.key for event in events}) == len(events)


def test_the_core_agrees_with_the_shops_own_books() -> None:
    shop = Shop(7, START)
    state = folded(*history(shop, START + DAYS))
    theirs = {key: (stock.on_hand * 1_000, stock.available * 1_000) for key, stock in shop.stock.items()}
    ours = {row.key: (row.on_hand, row.available) for row in state.inventory}
    assert ours == theirs


def test_no_order_moves_irregularly_and_each_kind_of_fate_occurs() -> None:
    state = folded(*history(Shop(7, START), START + DAYS))
    orders = list(state.orders)
    assert [order.order_id for order in orders if order.irregular] == []
    statuses = Counter(order.status for order in orders)
    assert {"allocated", "packed", "shipped"} <= set(statuses)
    assert any(order.hold for order in orders)
    assert any(order.lateness != "on_track" for order in orders)


def test_something_is_always_low_and_nothing_runs_dry_for_good() -> None:
    shop = Shop(7, START)
    for _ in shop.advance(START + 21 * DAY):
        pass
    gone = sum(stock.available <= 0 for stock in shop.stock.values())
    low = sum(0 < stock.available <= stock.reorder_point for stock in shop.stock.values())
    assert 0 < gone < len(shop.stock) // 10
    assert low > 10


def test_a_day_has_a_rhythm() -> None:
    events = Shop(7, START).advance(START + DAYS)
    hours = Counter(event["time"][11:13] for event in events if event["type"] == "order.placed")
    assert hours["19"] > 5 * hours["04"]


def test_the_catalogue_has_four_hundred_products_with_names_of_their_own() -> None:
    found = products(7)
    assert len({product.sku for product in found}) == len({product.name for product in found}) == 400
    assert all(0 < product.cost < product.price for product in found)


def test_what_is_in_baskets_is_reserved_and_let_go_again() -> None:
    shop = Shop(7, START)
    noon = START + 12 * HOUR
    state = folded(*history(shop, noon))
    log_free = {row.key: row.reserved for row in state.inventory}
    assert set(log_free.values()) == {0}
    baskets = Baskets(shop, noon, Random(1))
    moves = in_order(baskets.advance(noon + 50 * SECOND))
    moves += in_order(baskets.advance(noon + 100 * SECOND))
    reserved = Counter[str]()
    for event in moves:
        reserved[event.data.sku] += event.data.quantity * (1 if event.type == "stock.reserved" else -1)
    assert len(moves) > 20 and min(reserved.values()) >= 0 and max(reserved.values()) > 0


def test_after_a_long_sleep_nobody_was_looking() -> None:
    baskets = Baskets(shop := Shop(7, START), START, Random(1))
    for _ in shop.advance(START):
        pass
    assert sum(1 for _ in baskets.advance(START + DAY)) < 10


def test_what_a_killed_demo_left_in_baskets_is_put_back() -> None:
    shop = Shop(7, START)
    noon = START + 12 * HOUR
    batches = list(history(shop, noon))
    stir = in_order(Baskets(shop, noon, Random(1)).advance(noon + 50 * SECOND))
    before = folded(*batches, stir)
    assert any(row.reserved for row in before.inventory)
    after = folded(*batches, stir, in_order(left_behind(before.inventory, noon + MINUTE)))
    assert not any(row.reserved for row in after.inventory)


def test_a_restarted_shop_goes_on_in_the_same_history() -> None:
    whole = [event for batch in history(Shop(7, START), START + 2 * DAY) for event in batch]
    first = [event for batch in history(Shop(7, START), START + DAY) for event in batch]
    rest = [event for batch in history(Shop(7, START), START + 2 * DAY, known_until=first[-1].time) for event in batch]
    known = {event.key for event in first}
    assert first + [event for event in rest if event.key not in known] == whole


class Stop(Exception):
    """The test has seen enough."""


async def test_the_live_shop_sends_what_has_happened_and_again_when_there_was_no_room() -> None:
    shop, sent, seconds = Shop(7, START), list[str](), iter(range(10**6))

    async def submit(events: list[Event]) -> None:
        if not sent:
            sent.append("refused")
            raise Unavailable
        sent.extend(event.id for event in events)

    async def sleep(_: float) -> None:
        if len(sent) > 3_000:
            raise Stop

    with pytest.raises(Stop):
        await live(shop, Baskets(shop, START, Random(1)), submit, lambda: START + next(seconds) * MINUTE, sleep)
    numbered = [id_ for id_ in sent if id_.isdigit()]
    assert numbered == [f"{each:08d}" for each in range(1, len(numbered) + 1)]


def test_a_faster_shop_lives_faster() -> None:
    assert simulated_time(START, 60.0)(START + MINUTE) == START + HOUR


def files(directory: Path) -> dict[str, Any]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name.startswith("log.db")}


def test_a_young_demo_goes_on_and_an_old_one_is_made_anew(tmp_path: Path) -> None:
    made = prepare(tmp_path, seed=7, speed=1, now=START)
    (tmp_path / "log.db").write_bytes(b"a log")
    assert prepare(tmp_path, seed=7, speed=1, now=START + KEPT) == made
    assert files(tmp_path) == {"log.db": b"a log"}
    assert prepare(tmp_path, seed=7, speed=1, now=START + KEPT + 1) != made
    assert files(tmp_path) == {}


@pytest.mark.parametrize("other", [{"seed": 8}, {"speed": 60}, {"fresh": True}])
def test_another_demo_is_made_anew(tmp_path: Path, other: dict[str, Any]) -> None:
    prepare(tmp_path, seed=7, speed=1, now=START)
    (tmp_path / "log.db").write_bytes(b"a log")
    prepare(tmp_path, **({"seed": 7, "speed": 1, "now": START + HOUR} | other))
    assert files(tmp_path) == {}


@pytest.mark.parametrize("mark", [None, "not json", json.dumps({"seed": 7})])
def test_a_directory_of_anything_else_is_never_emptied(tmp_path: Path, mark: str | None) -> None:
    (tmp_path / "log.db").write_bytes(b"the real shop")
    if mark is not None:
        (tmp_path / "demo.json").write_text(mark)
    with pytest.raises(Invalid):
        prepare(tmp_path, seed=7, speed=1, now=START, fresh=True)
    assert files(tmp_path) == {"log.db": b"the real shop"}


def test_a_running_demo_is_never_emptied(tmp_path: Path) -> None:
    prepare(tmp_path, seed=7, speed=1, now=START)
    (tmp_path / "log.db").write_bytes(b"a log")
    lock = DirectoryLock(tmp_path)
    with pytest.raises(DataDirectoryBusy):
        prepare(tmp_path, seed=8, speed=1, now=START, fresh=True)
    lock.release()
    assert files(tmp_path) == {"log.db": b"a log"}
