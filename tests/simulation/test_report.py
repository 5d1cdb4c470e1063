"""The report under docs/reliability is the page of its figures, and its judgements can fail."""

from __future__ import annotations

import msgspec

from tests.soak.proof import PLACE, kept, render
from tests.soak.steady import Steady, slope


def test_the_report_is_what_its_figures_say() -> None:
    assert (PLACE / "index.md").read_text() == render(kept())


def test_the_last_proof_found_nothing_wrong() -> None:
    assert kept().divergences == 0


def test_growth_is_a_steady_rise_and_no_single_leap() -> None:
    assert slope([100, 101, 102, 103, 104]) == 1
    assert slope([100, 100, 900, 100, 100]) == 0


def test_a_server_that_grows_too_fast_is_counted() -> None:
    grown = Steady(commit="", seed=1, minutes=30, events=1, visits=1, frames=1, memory_kib=[1, 2], growth=1.5, wrong=[])
    assert msgspec.structs.replace(kept(), steady=grown).divergences == 1
