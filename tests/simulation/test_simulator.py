"""Nothing acknowledged is lost and nobody is shown a wrong row, whatever happens in whatever order.

What is played and checked: world.py, reader.py and truth.py. `STOCKWIRE_SEEDS=<first>-<last>` plays other seeds.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.mutants import MUTANTS, Mutant, caught
from tests.simulation.sweep import plans, sweep
from tests.simulation.world import Plan, simulate

SEEDS = 200
EVENTS = 5_400


def test_a_million_events_under_every_fault_leave_no_wrong_row() -> None:
    first, _, last = os.environ.get("STOCKWIRE_SEEDS", f"0-{SEEDS - 1}").partition("-")
    total = sweep(plans(range(int(first), int(last) + 1), EVENTS))
    assert total.found == []
    if "STOCKWIRE_SEEDS" not in os.environ:
        assert total.events >= 1_000_000
        assert total.faults_in_all >= 2_000
        assert set(total.resets) >= {"window", "requested", "epoch"}


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_the_same_seed_plays_the_same_in_another_process(storage: str) -> None:
    plan = Plan(3, events=1_500, storage=storage)  # type: ignore[arg-type]
    here = simulate(plan).trace
    script = (
        "from tests.simulation.world import Plan, simulate\n"
        f"print(simulate(Plan(3, events=1_500, storage={storage!r})).trace)"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    there = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert there.stdout.strip() == here
    assert simulate(Plan(4, events=1_500)).trace != here


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant: Mutant) -> None:
    assert caught(mutant) is not None
