"""The installed program under siege: a bad network, `kill -9`, SIGSTOP and restarts lose and show nothing wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox.siege import Plan, besiege

pytestmark = pytest.mark.browser


def test_a_siege_loses_nothing_and_leaves_every_screen_right(tmp_path: Path) -> None:
    outcome = besiege(Plan(), tmp_path / "data")
    assert outcome.wrong == []
    assert outcome.divergent == outcome.unplanned_resets == 0
    assert outcome.acknowledged >= 50_000
    assert sum(outcome.network_faults.values()) >= 200
    assert outcome.page_rows == 28
    assert (outcome.kills, outcome.stops, outcome.restarts) == (10, 3, 2)


def test_a_siege_of_several_processes_that_are_killed_and_renewed_in_turn(tmp_path: Path) -> None:
    plan = Plan(
        workers=2, rolls=1, events=8_000, network_faults=40, kills=4, stops=2, restarts=1, readers=40, producers=2,
        seconds=15.0,
    )  # fmt: skip
    outcome = besiege(plan, tmp_path / "data")
    assert outcome.wrong == []
    assert outcome.divergent == outcome.unplanned_resets == 0
    assert outcome.acknowledged >= 8_000
    assert (outcome.kills, outcome.stops, outcome.restarts, outcome.rolls) == (4, 2, 1, 1)
