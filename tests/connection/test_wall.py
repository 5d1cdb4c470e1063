"""A wall display that turns for weeks costs what it cost on its first day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from tests.connection.screen import Cost, measured, seen, serving
from tests.connection.walk import NOTES_AT_ONCE
from tests.connection.wall import AHEAD, PATH, rested, stocked, turn
from tests.e2e.browser import launched

pytestmark = pytest.mark.browser
ROUNDS = 10
# A leak grows with each stretch; what time alone brings, as an age in other words, comes once.
MOST_STRETCHES = 4


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright, NOTES_AT_ONCE) as browser:
        yield browser


def test_a_wall_that_turns_a_hundred_times_keeps_nothing(browser: Browser, tmp_path: Path) -> None:
    server = serving(tmp_path / "data").start()
    try:
        stocked(server)
        with seen(browser, server, server.url, PATH, init=AHEAD) as screen:
            screen.level("live")

            def stretch() -> Cost:
                turn(screen, server, ROUNDS)
                return rested(screen)

            costs = measured([], stretch, MOST_STRETCHES)
            screen.nothing_was_healed()
    finally:
        server.kill()
    assert costs[-1].fits(costs[-2]), costs
