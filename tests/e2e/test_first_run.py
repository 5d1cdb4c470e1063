"""A new installation explains itself: what it offers to copy works as it stands, and the page moves without a reload."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import chromium, visit
from tests.running import Running

pytestmark = pytest.mark.browser
PATIENCE = 20_000


def test_the_command_of_an_empty_installation_brings_the_first_number(tmp_path: Path) -> None:
    server = Running(tmp_path / "data").start()
    try:
        with chromium() as browser, visit(browser, server, link=True) as page:
            expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_visible(timeout=PATIENCE)
            command = page.get_by_label("Command that sends a first event").inner_text()
            assert server.url in command
            sent = subprocess.run(
                ["bash", "-c", command], env=os.environ | {"STOCKWIRE_KEY": server.key},
                capture_output=True, text=True, timeout=30, check=True,
            )  # fmt: skip
            assert '"version"' in sent.stdout
            expect(page.get_by_role("heading", name="Order pipeline")).to_be_visible(timeout=PATIENCE)
    finally:
        server.kill()
