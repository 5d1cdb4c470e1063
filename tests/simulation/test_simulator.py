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


TWICE = [*plans((2, 3, 5, 13, 21), 1_800), Plan(10, events=1_800, storage="sqlite")]
"""Plans that are played again elsewhere, two of them with a copy that is restored."""


def test_the_same_seeds_play_the_same_in_another_process() -> None:
    script = (
        "from tests.simulation.test_simulator import TWICE\n"
        "from tests.simulation.world import simulate\n"
        "print(*(simulate(plan).trace for plan in TWICE))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as other:
        here = [simulate(plan).trace for plan in TWICE]
        there, _ = other.communicate(timeout=300)
    assert there.split() == here
    assert len(set(here)) == len(TWICE)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant: Mutant) -> None:
    assert caught(mutant) is not None
