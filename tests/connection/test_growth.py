"""A tab that stays open for weeks costs after many changes and reconnects what it cost before."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.connection.growth import Shift
from tests.connection.screen import Screen

pytestmark = pytest.mark.browser


def test_many_reconnects_among_many_changes_leave_nothing_behind(browser: Browser, tmp_path: Path) -> None:
    with Shift(browser, tmp_path) as shift:
        shift.work(reconnects=10, changes=20)
        before = shift.screen.cost()
        shift.work(reconnects=30, changes=20)
        after = shift.screen.cost()
        assert after.fits(before), (before, after)
        assert shift.screen.number("Reconnects") >= 40
        shift.screen.nothing_was_healed()


def test_a_single_node_or_listener_left_behind_would_be_seen(browser: Browser) -> None:
    page = browser.new_page()
    screen = Screen(page, "")
    before = screen.cost()
    assert screen.cost().fits(before)
    for leak in ("window.kept = document.createElement('p')", "addEventListener('pageshow', () => {})"):
        page.evaluate(f"() => {{ {leak} }}")
        after = screen.cost()
        assert not after.fits(before)
        before = after
    page.close()
