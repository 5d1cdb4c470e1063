"""The life of a notification: it comes when it should, says little, and never says the opposite of what is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from stockwire.core.noticeboard import RECENT_OVER, Notices
from stockwire.core.rows import NotificationRow
from stockwire.core.rules import BUILT_IN
from stockwire.core.values import HOUR, MINUTE, SECOND
from tests.core.ledger import Ledger, at, event, line

HOUR_OF_SECONDS = 3_600


class Desk:
    """A shop with one rule of its own and the built-in ones switched off."""

    def __init__(self, kind: str = "out_of_stock", **rule: Any) -> None:
        self.shop = Ledger()
        self.numbers = 0
        for built_in in BUILT_IN:
            self.tell("rule.removed", "00:00", rule_id=built_in.rule_id, by="test")
        self.define(kind=kind, **rule)

    def tell(self, type_: str, time: str, **data: Any) -> None:
        self.numbers += 1
        internal = type_.partition(".")[0] in ("rule", "notification", "person", "view", "clock", "log")
        source = "stockwire" if internal or type_.endswith("watched") else "till"
        self.shop.write([event(type_, time, str(self.numbers), source, **data)])

    def define(self, time: str = "00:00", rule_id: str = "r", **rule: Any) -> None:
        self.tell("rule.defined", time, rule_id=rule_id, by="ann", **{"name": "A rule", **rule})

    def level(self, time: str, on_hand: int, sku: str = "MUG", location: str = "main") -> None:
        self.tell("stock.snapshot", time, sku=sku, location=location, on_hand=on_hand)

    def tick(self, time: str) -> None:
        self.tell("clock.ticked", time)

    def act(self, what: str, time: str, **more: Any) -> None:
        newest = max(self.rows, key=lambda row: row.began_at)
        self.tell(f"notification.{what}", time, notification_id=newest.notification_id, by="ann", **more)

    @property
    def rows(self) -> list[NotificationRow]:
        return list(self.shop.state.board.notifications)

    @property
    def row(self) -> NotificationRow:
        (row,) = self.rows
        return row

    @property
    def told(self) -> list[str]:
        return [occasion.happened for occasion, _ in self.shop.occasions]


# Coming and going


def test_a_condition_fires_when_it_is_met_and_is_over_when_it_is_not() -> None:
    desk = Desk()
    desk.level("09:00", 1)
    desk.level("10:00", 0)
    assert (desk.row.state, desk.row.subject, desk.row.value) == ("firing", "stock/MUG/main", "0")
    desk.level("11:00", 4)
    assert (desk.row.state, desk.row.resolved_by, desk.row.ended_at) == ("resolved", "", at("11:00"))
    assert desk.told == ["fired", "resolved"]


def test_what_is_met_for_less_than_its_time_comes_to_nothing() -> None:
    desk = Desk(for_seconds=HOUR_OF_SECONDS)
    desk.level("10:00", 0)
    assert desk.row.state == "pending"
    desk.level("10:59", 3)
    assert (desk.rows, desk.told) == ([], [])


def test_what_is_met_long_enough_fires_at_that_moment_whenever_the_clock_gets_there() -> None:
    desk = Desk(for_seconds=HOUR_OF_SECONDS)
    desk.level("10:00", 0)
    desk.tick("15:00")
    assert (desk.row.state, desk.row.fired_at) == ("firing", at("11:00"))


def test_a_rule_defined_anew_is_also_waited_for_anew() -> None:
    desk = Desk(for_seconds=3_600)
    desk.level("01:00", 3)
    desk.level("02:00", 0)
    desk.define("02:10", kind="out_of_stock", for_seconds=1_200)
    desk.tick("02:19")
    assert desk.row.state == "pending"
    desk.tick("02:21")
    assert (desk.row.state, desk.row.fired_at) == ("firing", at("02:20"))
    assert desk.told == ["fired"]


def test_it_keeps_firing_for_a_while_so_that_a_dip_is_no_end() -> None:
    desk = Desk(keep_seconds=HOUR_OF_SECONDS)
    desk.level("10:00", 0)
    desk.level("10:10", 2)
    desk.level("10:20", 0)
    desk.tick("12:00")
    assert (desk.row.state, desk.told) == ("firing", ["fired"])
    desk.level("12:10", 2)
    desk.tick("14:00")
    assert (desk.row.state, desk.row.ended_at) == ("resolved", at("13:10"))


def test_it_is_over_only_when_it_went_back_far_enough() -> None:
    desk = Desk("low_stock", threshold=5, clear=2)
    desk.level("10:00", 5)
    desk.level("10:01", 7)
    assert desk.row.state == "firing"
    desk.level("10:02", 8)
    assert desk.row.state == "resolved"


def test_low_is_measured_at_the_products_own_reorder_point_unless_the_rule_has_one() -> None:
    desk = Desk("low_stock")
    desk.level("09:00", 4)
    assert desk.rows == []
    desk.tell("product.updated", "10:00", sku="MUG", reorder_point=4)
    assert (desk.row.value, desk.row.threshold) == ("4", "4")
    desk.tell("product.updated", "11:00", sku="MUG", reorder_point=2)
    assert desk.row.state == "resolved"


def test_oversold_is_below_zero_and_nothing_else() -> None:
    desk = Desk("oversold")
    desk.level("10:00", 0)
    assert desk.rows == []
    desk.tell("order.placed", "10:01", order_id="1", currency="GBP", lines=[line("MUG", 2, "1")])
    assert (desk.row.state, desk.row.value) == ("firing", "-2")


# Saying little


def test_a_rule_that_flaps_a_thousand_times_is_told_once_for_each_time_of_quiet() -> None:
    desk = Desk(cooldown_seconds=HOUR_OF_SECONDS)
    start = at("10:00")
    flaps = []
    for number in range(2_000):
        time = f"2026-03-02T{10 + number // 360:02}:{number // 6 % 60:02}:{number % 6 * 10:02}Z"
        flaps.append(event("stock.snapshot", time, f"f{number}", sku="MUG", location="main", on_hand=number % 2))
    desk.shop.write(flaps)
    hours = (flaps[-1].time - start) // HOUR + 1
    fired = [occasion.at for occasion, _ in desk.shop.occasions if occasion.happened == "fired"]
    assert desk.row.occurrences == 1_000
    assert len(fired) == hours == 6
    assert all(later - earlier >= HOUR for earlier, later in pairwise(fired))
    assert desk.told.count("resolved") <= hours


def test_what_fires_again_too_soon_is_told_at_the_end_of_the_quiet_if_it_still_fires() -> None:
    desk = Desk(cooldown_seconds=HOUR_OF_SECONDS)
    desk.level("10:00", 0)
    desk.level("10:10", 1)
    desk.level("10:20", 0)
    assert desk.told == ["fired", "resolved"]
    desk.tick("11:09")
    assert desk.told == ["fired", "resolved"]
    desk.tick("11:10")
    assert (desk.told, desk.row.occurrences, desk.row.fired_at) == (["fired", "resolved", "fired"], 2, at("11:10"))


def test_that_it_is_over_is_told_only_to_who_was_told_that_it_fires() -> None:
    desk = Desk(cooldown_seconds=HOUR_OF_SECONDS)
    for minute, on_hand in enumerate([0, 1, 0, 1]):
        desk.level(f"10:0{minute}", on_hand)
    desk.tick("13:00")
    assert desk.told == ["fired", "resolved"]


def test_a_thing_that_comes_back_after_the_quiet_is_a_life_of_its_own() -> None:
    desk = Desk(cooldown_seconds=HOUR_OF_SECONDS)
    for time, on_hand in (("10:00", 0), ("10:10", 1), ("12:00", 0)):
        desk.level(time, on_hand)
    assert [row.state for row in sorted(desk.rows, key=lambda row: row.began_at)] == ["resolved", "firing"]
    assert len({row.dedupe_key for row in desk.rows}) == 1


# Groups


def test_what_runs_out_at_one_place_is_told_together() -> None:
    desk = Desk(group_by="location", cooldown_seconds=HOUR_OF_SECONDS)
    for number in range(30):
        desk.level("10:00", 0, f"SKU-{number:02}")
    desk.level("10:00", 0, "OTHER", "north")
    main, north = sorted(desk.rows, key=lambda row: row.subject)
    assert (main.subject, main.count, len(main.members), main.members[0]) == (
        "location/main", 30, 20, "stock/SKU-29/main",
    )  # fmt: skip
    assert (north.count, north.state) == (1, "firing")
    assert desk.told == ["fired", "fired"]
    desk.tick("11:00")
    assert desk.told == ["fired", "fired", "fired"]


def test_a_group_is_over_with_its_last_member() -> None:
    desk = Desk(group_by="rule")
    desk.level("10:00", 0, "A")
    desk.level("10:01", 0, "B")
    desk.level("10:02", 1, "A")
    assert (desk.row.state, desk.row.count, desk.row.members) == ("firing", 1, ("stock/B/main",))
    desk.level("10:03", 1, "B")
    assert (desk.row.state, desk.row.count) == ("resolved", 0)


# What people do


def test_what_somebody_sees_to_is_not_told_again_until_it_is_over() -> None:
    desk = Desk()
    desk.level("10:00", 0)
    desk.act("acknowledged", "10:05")
    desk.tick("18:00")
    assert (desk.row.state, desk.row.acknowledged_by) == ("acknowledged", "ann")
    desk.level("18:30", 1)
    assert desk.told == ["fired", "resolved"]


def test_what_joins_a_group_that_somebody_sees_to_fires_it_again() -> None:
    desk = Desk(group_by="location")
    desk.level("10:00", 0, "A")
    desk.act("acknowledged", "10:05")
    desk.level("10:10", 0, "B")
    assert (desk.row.state, desk.row.acknowledged_by, desk.told) == ("firing", None, ["fired", "fired"])


def test_what_is_put_off_comes_back_at_its_time_if_it_is_still_so() -> None:
    desk = Desk()
    desk.level("10:00", 0)
    desk.act("snoozed", "10:05", until="2026-03-02T14:00:00Z")
    desk.tick("13:59")
    assert (desk.row.state, desk.row.snoozed_until) == ("snoozed", at("14:00"))
    desk.tick("14:00")
    assert (desk.row.state, desk.told) == ("firing", ["fired", "unsnoozed"])


def test_what_is_put_off_and_over_meanwhile_does_not_come_back() -> None:
    desk = Desk()
    desk.level("10:00", 0)
    desk.act("snoozed", "10:05", until="2026-03-02T14:00:00Z")
    desk.level("11:00", 1)
    desk.tick("15:00")
    assert desk.told == ["fired", "resolved"]


def test_what_comes_back_only_to_be_over_is_told_to_be_over() -> None:
    desk = Desk()
    desk.level("10:00", 0)
    desk.act("snoozed", "10:05", until="2026-03-02T14:00:00Z")
    desk.level("15:00", 1)
    assert desk.told == ["fired", "resolved"]


def test_what_somebody_calls_over_stays_so_until_it_comes_anew() -> None:
    desk = Desk(group_by="location")
    desk.level("10:00", 0, "A")
    desk.level("10:00", 0, "B")
    desk.act("resolved", "10:05")
    assert (desk.row.state, desk.row.resolved_by) == ("resolved", "ann")
    desk.level("10:10", 1, "A")
    assert desk.row.state == "resolved"
    desk.level("10:20", 0, "A")
    newest = max(desk.rows, key=lambda row: row.began_at)
    assert (newest.state, newest.count) == ("firing", 1)
    desk.level("10:30", 1, "B")
    assert max(desk.rows, key=lambda row: row.began_at).state == "firing"


def test_what_is_said_of_a_notification_that_is_gone_changes_nothing() -> None:
    desk = Desk()
    for what in ("acknowledged", "resolved"):
        desk.tell(f"notification.{what}", "10:00", notification_id="r/nothing@1", by="ann")
    assert (desk.rows, desk.shop.parked) == ([], [])


# Facts


def test_a_fact_is_over_at_once_and_told_all_the_same() -> None:
    desk = Desk("back_in_stock")
    for time, on_hand in (("09:00", 3), ("10:00", 0), ("11:00", 5)):
        desk.level(time, on_hand)
    assert (desk.row.state, desk.row.fired_at, desk.told) == ("resolved", at("11:00"), ["fired"])


def test_goods_that_are_new_did_not_come_back() -> None:
    desk = Desk("back_in_stock")
    desk.tell("stock.received", "09:00", sku="NEW", quantity=5)
    assert desk.rows == []


def test_facts_in_a_crowd_are_counted_and_told_once_more() -> None:
    desk = Desk("large_movement", threshold=10, group_by="location", cooldown_seconds=HOUR_OF_SECONDS)
    for minute in range(8):
        desk.tell("stock.adjusted", f"10:0{minute}", sku=f"S{minute}", quantity=-20, reason="loss")
    desk.tell("stock.adjusted", "10:09", sku="S1", quantity=-9, reason="loss")
    assert (desk.row.count, desk.told) == (7, ["fired"])
    desk.tick("12:00")
    assert desk.told == ["fired", "fired"]


def test_a_sale_is_no_large_movement() -> None:
    desk = Desk("large_movement", threshold=10)
    desk.level("09:00", 9)
    desk.tell("order.placed", "10:00", order_id="1", currency="GBP", status="completed", lines=[line("MUG", 50, "1")])
    assert desk.rows == []


def test_an_order_that_somebody_watches_tells_of_its_steps() -> None:
    desk = Desk("order_status", scope={"watched": True})
    for order_id in ("1", "2"):
        desk.tell("order.placed", "10:00", order_id=order_id, currency="GBP", lines=[line("MUG", 1, "1")])
    desk.tell("order.watched", "10:01", person="ann", order_id="2")
    for order_id in ("1", "2"):
        desk.tell("order.status_changed", "10:02", order_id=order_id, status="shipped")
    assert (desk.row.order_id, desk.row.value) == ("2", "shipped")
    desk.tell("order.unwatched", "10:03", person="ann", order_id="2")
    desk.tell("order.status_changed", "10:04", order_id="2", status="delivered")
    assert desk.row.value == "shipped"


def test_only_orders_of_the_statuses_asked_for_are_told() -> None:
    desk = Desk("order_status", scope={"statuses": ["cancelled"]})
    desk.tell("order.placed", "10:00", order_id="1", currency="GBP", lines=[line("MUG", 1, "1")])
    desk.tell("order.status_changed", "10:01", order_id="1", status="cancelled")
    assert (desk.row.value, desk.told) == ("cancelled", ["fired"])


def test_a_large_order_is_one_of_the_total_asked_for_in_the_shops_currency() -> None:
    desk = Desk("large_order", threshold=100)
    for order_id, price, currency in (("1", "99.99", "GBP"), ("2", "100", "EUR"), ("3", "100", "GBP")):
        desk.tell("order.placed", "10:00", order_id=order_id, currency=currency, lines=[line("MUG", 1, price)])
    assert (desk.row.order_id, desk.row.value) == ("3", "100")


def test_an_order_is_stuck_when_its_time_is_used_up_and_no_more_when_it_goes_on() -> None:
    desk = Desk("order_stuck", threshold=100)
    desk.tell("order.placed", "10:00", order_id="1", currency="GBP", lines=[line("MUG", 1, "1")])
    desk.tick("10:55")
    assert desk.rows == []
    desk.tick("12:00")
    assert (desk.row.state, desk.row.value, desk.row.fired_at) == ("firing", "late", at("11:00"))
    desk.tell("order.status_changed", "12:30", order_id="1", status="confirmed")
    assert desk.row.state == "resolved"


def test_a_rule_may_speak_up_before_an_order_is_late() -> None:
    desk = Desk("order_stuck", threshold=80)
    desk.tell("order.placed", "10:00", order_id="1", currency="GBP", lines=[line("MUG", 1, "1")])
    desk.tick("10:50")
    assert (desk.row.value, desk.row.fired_at) == ("at_risk", at("10:48"))


def test_drift_fires_with_the_verification_that_found_it_and_ends_with_one_that_found_none() -> None:
    desk = Desk("drift")
    desk.tell("log.verified", "10:00", events=1, differences=2)
    assert (desk.row.state, desk.row.value) == ("firing", "2")
    desk.tell("log.verified", "11:00", events=1, differences=0)
    assert desk.row.state == "resolved"


def test_what_folding_cannot_see_is_observed() -> None:
    desk = Desk("source_silent")
    desk.tell("rule.observed", "10:00", rule_id="r", about="source/till", met=True, value="900")
    assert (desk.row.state, desk.row.source, desk.row.value) == ("firing", "till", "900")
    desk.tell("rule.observed", "10:05", rule_id="r", about="source/till", met=False)
    assert desk.row.state == "resolved"


# Rules anew


def test_a_new_rule_fires_for_what_is_so_already() -> None:
    desk = Desk("drift")
    desk.level("10:00", 0)
    desk.define("10:05", rule_id="late", kind="out_of_stock")
    assert (desk.row.rule_id, desk.row.fired_at) == ("late", at("10:05"))


def test_a_rule_defined_anew_lets_go_of_what_it_is_met_by_no_more_and_keeps_the_rest() -> None:
    desk = Desk("low_stock", threshold=5)
    desk.level("10:00", 5, "A")
    desk.level("10:00", 1, "B")
    desk.define("11:00", kind="low_stock", threshold=2)
    assert {row.sku: row.state for row in desk.rows} == {"A": "resolved", "B": "firing"}
    assert desk.told == ["fired", "fired", "resolved"]
    desk.define("12:00", kind="low_stock", threshold=2, name="Another name")
    assert desk.told == ["fired", "fired", "resolved"]


@pytest.mark.parametrize("end", ["removed", "disabled"])
def test_a_rule_that_is_no_more_has_nothing_firing(end: str) -> None:
    desk = Desk()
    desk.level("10:00", 0)
    if end == "removed":
        desk.tell("rule.removed", "11:00", rule_id="r", by="ann")
    else:
        desk.define("11:00", kind="out_of_stock", enabled=False)
    assert desk.row.state == "resolved"
    desk.level("12:00", 1)
    desk.level("13:00", 0)
    assert (desk.row.state, len(desk.shop.state.board.conditions)) == ("resolved", 0)


def test_a_rule_sees_only_its_scope() -> None:
    desk = Desk(scope={"location": "north"})
    desk.level("10:00", 0)
    desk.level("10:00", 0, location="north")
    assert desk.row.location == "north"


def test_a_fresh_log_has_rules_that_can_be_changed_but_stay_built_in() -> None:
    shop = Ledger()
    shop.tell("clock.ticked", "10:00", "stockwire")
    assert {row.rule_id for row in shop.state.board.rules} == {rule.rule_id for rule in BUILT_IN}
    changed = {"rule_id": "default-low-stock", "by": "ann", "kind": "low_stock", "name": "Low", "enabled": False}
    shop.tell("rule.defined", "10:01", "stockwire", **changed)
    row = shop.state.board.rules.rows[("default-low-stock",)]
    assert (row.built_in, row.revision, row.updated_by, row.enabled) == (True, 1, "ann", False)


# Whatever happens

MINUTES = st.integers(0, 200)
DEEDS = st.one_of(
    st.tuples(st.just("level"), st.sampled_from(["A", "B"]), st.integers(0, 2)),
    st.tuples(st.sampled_from(["acknowledged", "resolved", "snoozed"]), st.just(""), st.integers(1, 90)),
    st.tuples(st.just("tick"), st.just(""), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(MINUTES, DEEDS), max_size=30),
    st.sampled_from(["none", "location"]),
    st.sampled_from([0, 20, 60]),
    st.sampled_from([0, 15]),
    st.sampled_from([0, 15]),
)
def test_between_two_tellings_the_quiet_has_passed_and_the_last_word_is_true(
    deeds: list[Any], group: str, quiet: int, least: int, keep: int
) -> None:
    desk = Desk(group_by=group, cooldown_seconds=quiet * 60, for_seconds=least * 60, keep_seconds=keep * 60)
    now = at("08:00")
    levels = {}
    for minutes, (deed, sku, number) in deeds:
        now += minutes * MINUTE
        time = _text(now)
        if deed == "level":
            levels[sku] = number
            desk.level(time, number, sku)
        elif deed == "tick" or not desk.rows:
            desk.tick(time)
        elif deed == "snoozed":
            desk.act(deed, time, until=_text(now + number * MINUTE))
        else:
            desk.act(deed, time)
    _check_tellings(desk, quiet * 60 * SECOND)
    desk.tick(_text(now + 48 * HOUR))
    _check_tellings(desk, quiet * 60 * SECOND)
    _check_the_last_word(desk)
    for row in desk.rows:
        if row.state == "resolved" or row.resolved_by:
            continue
        members = {subject.split("/")[1] for subject in row.members}
        assert members <= {sku for sku, level in levels.items() if level == 0}
        assert row.count == len(members) > 0


def _text(moment: int) -> str:
    minutes = (moment - at("00:00")) // MINUTE
    return f"2026-03-{2 + minutes // 1_440:02}T{minutes // 60 % 24:02}:{minutes % 60:02}:00Z"


def _check_tellings(desk: Desk, quiet: int) -> None:
    """The promises of the head of core/projections/notifications.py."""
    keys = [occasion.order for occasion, _ in desk.shop.occasions]
    assert len(keys) == len(set(keys)), "an occasion is there once"
    lives: dict[str, list[tuple[str, int]]] = {}
    for occasion, row in desk.shop.occasions:
        lives.setdefault(row.notification_id, []).append((occasion.happened, occasion.at))
    for told in lives.values():
        fired = [moment for happened, moment in told if happened == "fired"]
        assert all(later - earlier >= quiet for earlier, later in pairwise(fired))
        words = [happened for happened, _ in told]
        assert words[0] == "fired"
        assert all(after != "resolved" for before, after in pairwise(words) if before == "resolved")


def _check_the_last_word(desk: Desk) -> None:
    """Once all time has passed, nobody was left with the opposite of what is."""
    last = {row.notification_id: occasion.happened for occasion, row in desk.shop.occasions}
    for row in desk.rows:
        if row.state == "firing":
            assert last[row.notification_id] in ("fired", "unsnoozed")
        elif row.state == "resolved":
            assert last.get(row.notification_id) == "resolved"


def test_no_more_than_a_thousand_that_are_over_are_kept() -> None:
    desk = Desk("order_status", scope={"statuses": ["placed"]})
    orders = [
        event("order.placed", "10:00", f"o{number}", order_id=f"{number:05}", currency="GBP",
              lines=[line("MUG", 1, "1")])
        for number in range(RECENT_OVER + 7)
    ]  # fmt: skip
    desk.shop.write(orders)
    assert len(desk.rows) == RECENT_OVER
    assert len(desk.told) == RECENT_OVER + 7


def test_what_the_notices_could_not_digest_is_not_told_either(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.define(rule_id="m", kind="large_movement", threshold=1)
    desk.level("09:00", 5)
    before = desk.rows, desk.told

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(Notices, "moved", fail)
    desk.level("10:00", 0)
    assert (desk.rows, desk.told) == before
    assert len(desk.shop.parked) == 1
