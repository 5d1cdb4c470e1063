"""What every log does, whatever it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from stockwire.core.errors import Invalid
from stockwire.core.rows import MetricRow
from stockwire.core.values import DAY, HOUR, MINUTE, SECOND, moment_text
from stockwire.core.views import parse_query, parse_view
from stockwire.engine.state import fold_state
from stockwire.log.base import TABLES, Writer, position
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import SqliteLog
from tests.core.ledger import at, event
from tests.log.history import HOUR_AT_TEN, MONDAY, RECORDED, Shop, busy_day, clock, configured, filled, order, receipt


def _memory(directory: Path) -> Writer:
    return MemoryLog()


def _sqlite(directory: Path) -> Writer:
    return SqliteLog(directory)


@pytest.fixture(params=[_memory, _sqlite], ids=["memory", "sqlite"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Writer]:
    make: Callable[[Path], Writer] = request.param
    made = make(tmp_path)
    yield made
    made.close()


def test_a_new_log_is_empty_and_has_an_epoch(log: Writer) -> None:
    assert (log.version, log.horizon, log.recorded_at()) == (0, 0, 0)
    assert len(log.epoch) == 16 and int(log.epoch, 16) >= 0
    assert log.records() == []


def test_events_are_read_back_in_order_as_they_were_taken(log: Writer) -> None:
    filled(log)
    records = log.records()
    assert [record.event for record in records] == busy_day()
    assert [record.version for record in records] == list(range(1, log.version + 1))
    assert log.recorded_at() == records[-1].recorded_at
    assert [record.version for record in log.records(after=3, limit=2)] == [4, 5]


def test_what_is_loaded_folds_on_as_if_nothing_had_stopped(log: Writer) -> None:
    shop = Shop(log)
    for told in busy_day():
        shop.write(told)
        shop.restart()
    other = filled(MemoryLog(), 1000)
    for table in TABLES:
        mine, theirs = ([_unversioned(row) for _, row in each.rows(table)] for each in (log, other.log))
        assert mine == theirs, table


def _unversioned(row: object) -> object:
    """Metrics are worked out once a batch, so their versions depend on the batches."""
    return msgspec.structs.replace(row, version=0) if isinstance(row, MetricRow) else row


def test_loading_gives_what_was_committed(log: Writer) -> None:
    shop = filled(log)
    loaded, state = log.load(), shop.state
    assert loaded.inventory == state.inventory.rows
    assert loaded.products == state.products.rows
    assert loaded.locations == state.locations.rows
    assert loaded.metrics == state.metrics.rows
    assert loaded.hours == state.hours.rows
    assert loaded.sources == state.sources.rows
    assert {key for key, row in loaded.orders.items() if row.closed_at is None} == set(state.orders.rows)
    assert (loaded.version, loaded.clock) == (state.version, state.clock)
    assert loaded.config == configured().body


def test_a_repeated_event_is_known_by_source_and_id(log: Writer) -> None:
    Shop(log).write(receipt(1), receipt(2))
    assert log.known([("till", "r2"), ("till", "r3"), ("other", "r1")]) == {("till", "r2"): 2}


def test_versions_follow_each_other_without_a_gap(log: Writer) -> None:
    shop = Shop(log)
    shop.write(receipt(1))
    records = log.records()
    with pytest.raises(ValueError, match="cannot follow"):
        log.commit(records, shop.write(receipt(2)))


def test_a_figure_that_cannot_be_kept_exactly_is_refused_and_nothing_is_kept(log: Writer) -> None:
    shop = Shop(log)
    shop.write(configured(), receipt(1))
    huge = {"sku": "MUG", "quantity": 10**12, "unit_price": 10**12}
    with pytest.raises(Invalid, match="2\\^63"):
        shop.write(receipt(2), order(1, lines=[huge]))
    assert (log.version, log.order("0001"), log.known([("till", "r2")])) == (2, None, {})
    shop.write(receipt(2))
    assert log.version == 3


def test_closed_orders_are_found_by_their_id(log: Writer) -> None:
    shop = filled(log)
    row = log.order("0005")
    assert row is not None and row.status == "completed" and row.closed_at is not None
    assert ("0005",) not in shop.state.orders.rows
    assert log.order("none") is None


def test_an_order_comes_back_whole(log: Writer) -> None:
    changes = Shop(log).write(
        order(1, "10:00", "packed", customer={"id": "c", "name": "Ö", "country": "GB"}, note="<b>",
              promised_at="2026-03-04T10:00:00Z", discount="1.5", shipping="3.95", tax="0.01",
              lines=[{"sku": "A", "quantity": "0.25", "unit_price": "1.0001"}, {"sku": "B", "quantity": 2, "stock": False}]),
        event("order.held", "10:05", "h", order_id="0001", reason="fraud check"),
    )  # fmt: skip
    assert log.order("0001") == changes.orders[("0001",)]


def test_orders_evicted_from_the_feed_stay_on_disk_and_leave_a_tombstone(log: Writer) -> None:
    shop = Shop(log)
    changes = shop.write(order(1), order(2))
    changes = msgspec.structs.replace(
        changes, version=3, evicted={("0001",): 3}, movements=[], timeline=[], occasions=[]
    )
    log.commit((), changes)
    loaded = log.load()
    assert set(loaded.orders) == {("0002",)}
    assert loaded.tombstones == {"orders": {("0001",): 3}}
    assert log.order("0001") is not None
    log.commit((), msgspec.structs.replace(changes, version=4, evicted={}))
    assert set(log.load().orders) == {("0001",), ("0002",)}
    assert log.load().tombstones == {}


def test_deleted_rows_leave_tombstones_until_they_are_old(log: Writer) -> None:
    shop = Shop(log)
    changes = shop.write(receipt(1), receipt(2, "LAMP"))
    gone = receipt(3, "CUP")
    shop.write(gone)
    deleted = msgspec.structs.replace(
        changes, version=4, inventory={("MUG", "main"): None}, hours={HOUR_AT_TEN: None}, movements=[], timeline=[]
    )
    records = [msgspec.structs.replace(log.records()[0], version=4, event=receipt(4))]
    log.commit(records, deleted)
    assert log.load().tombstones == {"inventory": {("MUG", "main"): 4}, "hours": {("2026-03-02T10:00:00Z",): 4}}
    when = records[0].recorded_at
    assert log.compact(when + 7 * DAY - 1) == log.horizon == 0
    assert log.compact(when + 7 * DAY) == log.horizon == 4
    assert log.load().tombstones == {} and log.load().horizon == 4
    assert log.compact(when + 30 * DAY) == 4
    assert log.known([("till", "r1")]) == {("till", "r1"): 1}


def test_nothing_lost_means_any_cursor_stays_good(log: Writer) -> None:
    shop = filled(log)
    assert log.compact(shop.now + 400 * DAY) == 0


def test_movements_come_newest_first_and_page_without_gap_or_repeat(log: Writer) -> None:
    filled(log)
    every = log.movements("MUG", "main", 1000)
    assert [(m.version, m.step) for m in every] == sorted(((m.version, m.step) for m in every), reverse=True)
    assert sum(m.on_hand for m in every) == every[0].on_hand_after
    pages, before = [], None
    while page := log.movements("MUG", "main", 4, before):
        pages += page
        before = (page[-1].version, page[-1].step)
    assert pages == every
    assert log.movements("MUG", "nowhere", 5) == []


def test_the_deltas_after_a_moment_are_sums_of_the_movements_after_it(log: Writer) -> None:
    filled(log)
    moment = at("10:00")
    later = [m for m in log.movements("MUG", "main", 1000) if m.occurred_at > moment]
    told = log.deltas_after("MUG", "main", moment)
    assert told["on_hand"] == sum(m.on_hand for m in later)
    assert told.get("committed", 0) == sum(m.committed for m in later)
    assert log.deltas_after("MUG", "main", at("9 00:00")) == {}
    middle = later[len(later) // 2].version
    known = log.deltas_after("MUG", "main", moment, middle - 1)
    assert known.get("on_hand", 0) == sum(m.on_hand for m in later if m.version < middle) != told["on_hand"]


def test_a_timeline_is_in_the_order_it_was_recorded(log: Writer) -> None:
    filled(log)
    entries = log.timeline("0003")
    assert [entry.to_status for entry in entries] == ["placed", "confirmed", "packed", "shipped", "delivered"]
    assert entries[2].skipped
    assert log.timeline("none") == []


def test_sales_of_any_span_are_the_exact_sums_of_its_minutes(log: Writer) -> None:
    filled(log)
    hours = [MONDAY + hour * HOUR for hour in range(25)]
    day, by_hour = log.sales([MONDAY, MONDAY + DAY])[0], log.sales(hours)
    assert day.orders_placed == 13 == sum(each.orders_placed for each in by_hour)
    assert (
        day.gross_sales
        == sum(each.gross_sales for each in by_hour)
        == 69_500 * sum(1 + n % 3 for n in range(1, 13)) * 1000
    )
    assert day.other_currency_orders == 1
    assert [each.minute for each in by_hour] == hours[:-1]
    for start, end in pairwise(hours):
        assert log.sales([start, end])[0] in by_hour
    assert log.minute(at("08:21")) == log.sales([at("08:21"), at("08:21") + MINUTE])[0]
    assert log.minute(at("03:00")) is None


def test_sums_of_sales_do_not_overflow(log: Writer) -> None:
    shop = Shop(log)
    shop.write(configured())
    line = {"sku": "GOLD", "quantity": 900, "unit_price": 10**9}
    for number in range(12):
        shop.write(order(number, clock(4 * number), lines=[line]))
    assert log.sales([MONDAY, MONDAY + 9 * DAY])[0].gross_sales == 12 * 900 * 10**9 * 10**7 > 2**63


VIEWS = [
    {},
    {"status": "placed"},
    {"status": "placed,completed", "order": "-total"},
    {"order": "-closed_at,number"},
    {"order": "closed_at,-placed_at"},
    {"closed_at": "null", "order": "customer_name"},
    {"closed_at[ne]": "null"},
    {"total[gt]": "6.95", "order": "total"},
    {"total[gte]": "6.95"},
    {"total[lt]": "13.90000001"},
    {"total[lte]": "13.9", "order": "-units"},
    {"total[gt]": "99999999999999999999"},
    {"total[lt]": "99999999999999999999"},
    {"total[gte]": "-99999999999999999999"},
    {"total[lte]": "-99999999999999999999"},
    {"total[eq]": "6.95000001"},
    {"total[ne]": "6.95000001"},
    {"line_count": "1", "order": "lateness,-order_id"},
    {"customer_name[contains]": "üMIT 1"},
    {"customer_name[prefix]": "ümit 1", "order": "-customer_name"},
    {"search": "UMIT"},
    {"search": "ümit 11"},
    {"placed_at[gte]": "2026-03-02T10:00:00Z", "order": "-placed_at"},
    {"hold_reason": "address"},
    {"irregular": "true"},
    {"irregular[ne]": "true", "currency[ne]": "EUR", "order": "irregular,-version"},
]


@pytest.mark.parametrize("query", VIEWS, ids=str)
def test_lists_of_orders_are_what_the_view_says_of_every_row(log: Writer, query: dict[str, str]) -> None:
    filled(log)
    view = parse_query("orders", query.items())
    rows = [row for _, row in log.rows("orders")]
    expected = sorted((row for row in rows if view.matches(row)), key=lambda row: view.sort_key(row.key, row))
    assert log.orders(view, 1000) == expected
    assert log.order_count(view) == len(expected)
    assert log.orders(view, 2) == expected[:2]


@pytest.mark.parametrize("query", VIEWS, ids=str)
def test_lists_of_orders_page_without_gap_or_repeat(log: Writer, query: dict[str, str]) -> None:
    filled(log)
    view = parse_query("orders", query.items())
    pages, after = [], None
    while page := log.orders(view, 3, after):
        pages += page
        after = position(view, page[-1])
    assert pages == log.orders(view, 1000)


def test_the_views_own_limit_plays_no_part_in_a_list(log: Writer) -> None:
    filled(log)
    view = parse_view({"feed": "orders", "limit": 1})
    assert len(log.orders(view, 5)) == 5


def test_counts_say_how_much_there_is(log: Writer) -> None:
    shop = filled(log)
    counts = log.counts()
    assert counts.events == log.version == len(busy_day())
    assert counts.orders == 13
    assert counts.orders_open == len(shop.state.orders.rows)
    assert counts.inventory == len(shop.state.inventory.rows)
    assert counts.products == 1
    assert counts.movements == len(list(log.rows("movements")))


def test_parked_events_are_kept_with_their_error(log: Writer) -> None:
    shop = Shop(log)
    shop.write(event("shop.configured", "00:00", "bad", "stockwire", timezone="Nowhere/Land", currency="GBP",
                     allowed_minutes={}))  # fmt: skip
    ((key, error),) = log.rows("parked")
    assert key == (1,) and "Nowhere" in error
    assert log.counts().parked == 1


def test_a_state_fetches_closed_orders_from_the_log(log: Writer) -> None:
    filled(log)
    state = fold_state(log)
    row = state.orders.get(("0005",))
    assert row is not None and row.closed_at is not None


def test_a_sound_log_has_nothing_to_report(log: Writer) -> None:
    filled(log)
    assert log.check() == []


def test_a_start_brings_the_journey_of_every_order_that_moved_lately(log: Writer) -> None:
    shop = filled(log)
    later = shop.state.clock + 70 * DAY
    assert log.load().journeys.keys() == {row.key for _, row in log.rows("orders")}
    assert log.load().journeys[("0003",)].was_shipped
    shop.write(order(500, moment_text(later)))
    assert log.load().journeys.keys() == {("0500",)}
    shop.write(event("order.status_changed", moment_text(later), "late", order_id="0007", status="shipped"))
    assert log.load().journeys.keys() == {("0500",), ("0007",)}


def test_journeys_are_those_of_the_orders_that_moved_since_or_none_when_too_many(log: Writer) -> None:
    loaded = filled(log).log.load().journeys
    everything = log.journeys(0, len(loaded))
    assert everything == loaded
    assert log.journeys(0, len(loaded) - 1) is None
    assert log.journeys(MONDAY + DAY, 1) == {}


def test_minutes_are_those_in_which_something_happened(log: Writer) -> None:
    loaded = filled(log).log.load().minutes
    assert log.minutes(0) == [loaded[minute] for minute in sorted(loaded)]
    later = sorted(loaded)[3]
    assert [row.minute for row in log.minutes(later)] == sorted(loaded)[3:]


def test_sources_are_heard_of_by_when_their_events_were_recorded(log: Writer) -> None:
    shop = Shop(log)
    shop.write(configured(), receipt(1), receipt(2, time="09:05"))
    shop.tell("stock.received", "09:10", "erp", sku="MUG", location="main", quantity=1)
    said = [(heard.source, heard.first - RECORDED, heard.last - RECORDED, heard.newest - MONDAY)
            for heard in log.heard_since(0, 60 * SECOND, 10) or []]  # fmt: skip
    assert said == [
        ("till", 2 * SECOND, 3 * SECOND, 9 * HOUR + 5 * MINUTE),
        ("erp", 4 * SECOND, 4 * SECOND, 9 * HOUR + 10 * MINUTE),
    ]
    assert [heard.source for heard in log.heard_since(RECORDED + 3 * SECOND, SECOND, 1) or []] == ["erp"]
    assert len(log.heard_since(0, SECOND, 4) or []) == 3
    assert log.heard_since(0, SECOND, 3) is None


def test_verifications_are_found_among_all_else(log: Writer) -> None:
    shop = filled(log)
    for number, differences in ((1, 0), (2, 3)):
        shop.write(event("log.verified", "20:00", f"verified-{number}", "stockwire", events=1, differences=differences))
    found = log.verified_since(0)
    assert [record.version for record in found] == [log.version - 1, log.version]
    assert [record.version for record in log.verified_since(found[0].recorded_at)] == [log.version]
