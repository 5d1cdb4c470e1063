"""The installed program under siege: a bad network, `kill -9`, SIGSTOP and restarts lose and show nothing wrong."""

from __future__ import annotations

from pathlib import Path

from tests.blackbox.siege import Plan, besiege


def test_a_siege_loses_nothing_and_leaves_every_screen_right(tmp_path: Path) -> None:
    outcome = besiege(Plan(), tmp_path / "data")
    assert outcome.wrong == []
    assert outcome.divergent == outcome.unplanned_resets == 0
    assert outcome.acknowledged >= 50_000
    assert sum(outcome.network_faults.values()) >= 200
    assert (outcome.kills, outcome.stops, outcome.restarts) == (10, 3, 2)
