"""The lifecycle's tables are whole, and every move has exactly one meaning."""

from __future__ import annotations

from itertools import pairwise, product
from typing import get_args

import pytest

from stockwire.core import events, lifecycle
from stockwire.core.lifecycle import ALLOWED, CLOSED, PATH, RANK, STATUSES, judge
from stockwire.core.values import MINUTE


def test_the_tables_know_every_status_an_event_may_name() -> None:
    assert set(STATUSES) == set(get_args(events.Status))
    assert set().union(*ALLOWED.values()) <= set(STATUSES)
    assert set(PATH) | lifecycle.CALLED_OFF | {"returned"} == set(STATUSES)


def test_the_path_can_be_walked_step_by_step() -> None:
    assert all(judge(here, there).verdict == "allowed" for here, there in pairwise(PATH))


def test_every_status_is_a_draft_or_committing_or_gone_or_closed() -> None:
    groups = [{"draft"}, lifecycle.COMMITTING, lifecycle.GONE, lifecycle.CALLED_OFF | {"returned"}]
    assert sorted(status for group in groups for status in group) == sorted(STATUSES)
    assert {"delivered", "completed", "cancelled", "expired", "returned"} == CLOSED


@pytest.mark.parametrize(("here", "there"), list(product(STATUSES, STATUSES)))
def test_a_move_is_the_same_or_allowed_or_a_skip_or_irregular(here: str, there: str) -> None:
    move = judge(here, there)
    if here == there:
        assert move.verdict == "same"
    elif there in ALLOWED[here]:
        assert move.verdict == "allowed"
    elif here in RANK and there in RANK and RANK[there] > RANK[here]:
        assert move.verdict == "skip"
        assert move.skipped == PATH[RANK[here] + 1 : RANK[there]]
    else:
        assert move.verdict == "irregular"
    assert bool(move.skipped) == (move.verdict == "skip")


def test_a_skip_names_the_stages_it_jumps_over() -> None:
    assert judge("placed", "packed").skipped == ("confirmed", "allocated", "picking")


def test_a_stage_is_out_of_order_when_its_time_contradicts_the_others() -> None:
    reached = (("placed", 10), ("shipped", 30))
    assert not lifecycle.is_out_of_order(reached, "confirmed", 20)
    assert lifecycle.is_out_of_order(reached, "confirmed", 40)
    assert lifecycle.is_out_of_order(reached, "confirmed", 5)
    assert not lifecycle.is_out_of_order(reached, "delivered", 40)


def test_an_order_is_at_risk_after_four_fifths_of_its_time() -> None:
    assert lifecycle.deadlines("picking", 0, None, {"picking": 100}) == (80 * MINUTE, 100 * MINUTE)


def test_the_default_time_holds_where_the_shop_sets_none() -> None:
    assert lifecycle.deadlines("packed", 0, None, {}) == (576 * MINUTE, 720 * MINUTE)


def test_an_earlier_promise_wins_until_the_goods_have_left() -> None:
    promised = 50 * MINUTE
    assert lifecycle.deadlines("placed", 0, promised, {"placed": 100}) == (40 * MINUTE, 50 * MINUTE)
    assert lifecycle.deadlines("placed", 0, 500 * MINUTE, {"placed": 100}) == (80 * MINUTE, 100 * MINUTE)
    assert lifecycle.deadlines("shipped", 0, promised, {"shipped": 100}) == (80 * MINUTE, 100 * MINUTE)


@pytest.mark.parametrize("status", ["draft", "delivered", "completed", "cancelled", "returned", "expired"])
def test_a_draft_or_an_arrived_or_closed_order_is_never_late(status: str) -> None:
    assert lifecycle.deadlines(status, 0, 1, {status: 1}) is None
