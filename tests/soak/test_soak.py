"""The whole proof, over and over, for as long as STOCKWIRE_SOAK_MINUTES says; the report is kept in docs/reliability."""

from __future__ import annotations

import os

import pytest

from tests.soak.proof import keep, prove


@pytest.mark.soak
def test_nothing_goes_wrong_for_long() -> None:
    minutes = float(os.environ.get("STOCKWIRE_SOAK_MINUTES", "30"))
    report = prove(minutes, first_seed=int(os.environ.get("STOCKWIRE_SOAK_SEED", "20000")))
    keep(report)
    assert report.divergences == 0
