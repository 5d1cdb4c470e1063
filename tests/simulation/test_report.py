"""The published report says what its figures say, and they are of a proof that held."""

from __future__ import annotations

from tests.soak.proof import PLACE, kept, render


def test_the_report_is_made_from_its_figures() -> None:
    assert (PLACE / "index.md").read_text() == render(kept())


def test_the_last_proof_found_nothing_wrong() -> None:
    report = kept()
    assert report.divergences == 0
    assert report.simulated.events >= 1_000_000
    assert report.power.lost == 0 < report.weaker.lost
    assert all(each.seeds for each in report.mutants)
