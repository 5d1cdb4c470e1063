"""One tab through a long shift: a hundred row changes a second, a thousand cut links, and nothing left behind.

The whole length, 30 minutes, is written to bench/results/soak.json.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connection.growth import Shift
from tests.connection.screen import Cost
from tests.e2e.browser import chromium

pytestmark = [pytest.mark.browser, pytest.mark.soak]

WHOLE = 30.0
MINUTES = float(os.environ.get("STOCKWIRE_SOAK_MINUTES", WHOLE))
RESULT = Path(__file__).parents[2] / "bench" / "results" / "soak.json"
EVERY, CHANGES, WARM_UP = 1.8, 180, 50


def test_a_tab_grows_by_nothing_in_a_long_shift(tmp_path: Path) -> None:
    reconnects = max(1, round(60 * MINUTES / EVERY))
    with chromium() as browser, Shift(browser, tmp_path) as shift:
        shift.work(reconnects=WARM_UP, changes=CHANGES)
        before = shift.screen.cost()
        began = datetime.now(UTC)
        shift.work(reconnects=reconnects, changes=CHANGES, every=EVERY)
        took = datetime.now(UTC) - began
        after = shift.screen.cost()
        if MINUTES >= WHOLE:
            record(browser.version, took.total_seconds(), reconnects, before, after)
        assert after.fits(before), (before, after)
        shift.screen.nothing_was_healed()


def record(chromium: str, seconds: float, reconnects: int, before: Cost, after: Cost) -> None:
    """Keep what was measured, and on what."""
    found = {
        "command": f"make soak SOAK_MINUTES={MINUTES:g}", "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds), "reconnects": reconnects, "row_changes": reconnects * CHANGES,
        "before": before._asdict(), "after": after._asdict(),
        "grew": {name: getattr(after, name) - getattr(before, name) for name in Cost._fields},
        "on": {"Chromium": chromium, "Python": sys.version.split()[0], "Linux": platform.release(), "processors": os.cpu_count()},
    }  # fmt: skip
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
