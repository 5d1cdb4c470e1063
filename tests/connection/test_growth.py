"""A tab that stays open for weeks costs after many changes and reconnects what it cost before."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.connection.growth import Shift

pytestmark = pytest.mark.browser

MEGABYTE = 1_000_000


def test_many_reconnects_among_many_changes_leave_nothing_behind(browser: Browser, tmp_path: Path) -> None:
    with Shift(browser, tmp_path) as shift:
        shift.work(reconnects=30, changes=20)
        before = shift.screen.cost()
        shift.work(reconnects=100, changes=20)
        after = shift.screen.cost()
        assert after.heap - before.heap <= MEGABYTE
        assert (after.nodes, after.listeners) == (before.nodes, before.listeners)
        assert shift.screen.number("Reconnects") >= 130
        shift.screen.nothing_was_healed()
