"""One tab through a long shift: a hundred row changes a second, a link cut every other second, and nothing left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.connection.growth import Shift
from tests.e2e.browser import chromium

pytestmark = [pytest.mark.browser, pytest.mark.soak]

MINUTES = float(os.environ.get("STOCKWIRE_SOAK_MINUTES", "30"))
WARM_UP = 100


def test_a_tab_grows_by_nothing_in_a_long_shift(tmp_path: Path) -> None:
    ends = time.monotonic() + 60 * MINUTES
    with chromium() as browser, Shift(browser, tmp_path) as shift:
        shift.work(reconnects=WARM_UP, changes=200)
        before = shift.screen.cost()
        while time.monotonic() < ends:
            shift.work(reconnects=20, changes=200)
        after = shift.screen.cost()
        assert after.fits(before), (before, after)
        shift.screen.nothing_was_healed()
