"""A replay of a real shop's morning, watched by a browser and by curl: both end equal to the database."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from stockwire.testing import Receiver
from tests.e2e.browser import chromium, visit
from tests.running import Running

pytestmark = pytest.mark.browser
PATIENCE = 90_000
SPEED = 60
COLUMNS = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    options = ("--currency", "GBP", "--timezone", "Europe/London", "--clock", "events")
    server = Running(tmp_path / "data", *options).start()
    yield server
    server.kill()


def morning(path: Path) -> Path:
    """A quarter of an hour of a shop: 16 orders of two lines, one cancelled, in the published data's columns."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        at = datetime(2010, 3, 1, 9, 0)
        for number in range(16):
            for code, price in (("22041", "2.1"), ("85123A", "2.55")):
                rows.writerow(
                    [500100 + number, code, f"THING {code}", 1 + number % 3, at, price, 13085, "United Kingdom"]
                )
            at += timedelta(minutes=1)
        rows.writerow(["C500200", "22041", "THING 22041", -2, at, "2.1", 13085, "United Kingdom"])
    return path


class Curl:
    """`curl -N` on the inventory's stream, applied frame by frame."""

    def __init__(self, server: Running, path: Path) -> None:
        self._path = path
        url = f"{server.url}/api/v1/stream?feed=inventory"
        with path.open("wb") as output:
            self._process = subprocess.Popen(
                ["curl", "-sN", "-H", f"Authorization: Bearer {server.key}", url], stdout=output
            )

    def rows(self) -> dict[tuple[str, ...], dict[str, object]]:
        """The rows as of what has arrived."""
        receiver = Receiver()
        for block in self._path.read_text().split("\n\n")[:-1]:
            data = [line[6:] for line in block.splitlines() if line.startswith("data: ")]
            receiver.take(data[0])
        return receiver.rows("1") if receiver.ids else {}

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def test_browser_and_curl_end_equal_to_the_database(server: Running, tmp_path: Path) -> None:
    curl = Curl(server, tmp_path / "curl.out")
    command = [sys.executable, "-m", "stockwire", "replay", str(morning(tmp_path / "morning.csv"))]
    options = ["--format", "online-retail", "--speed", str(SPEED), "--url", server.url]
    try:
        with chromium() as browser, visit(browser, server) as page:
            replay = subprocess.Popen([*command, *options], env=os.environ | {"STOCKWIRE_KEY": server.key})
            tile = page.get_by_role("link").filter(has_text="Orders placed").first
            expect(tile).to_contain_text("16", timeout=PATIENCE)
            assert replay.wait(PATIENCE / 1_000) == 0
            database = server.get("/api/v1/inventory")["rows"]
            assert {row["sku"] for row in database} == {"22041", "85123A"}
            until_equal(curl, {(row["sku"], row["location"]): row for row in database})
            page.goto(server.url + "/inventory")
            for row in database:
                shown = page.get_by_role("row").filter(has_text=str(row["sku"]))
                expect(shown).to_contain_text(str(row["on_hand"]).replace("-", "−"), timeout=PATIENCE)
            check_headline(page, server)
    finally:
        curl.stop()


def until_equal(curl: Curl, database: dict[tuple[str, ...], dict[str, object]]) -> None:
    """Wait until what curl has is what the database has, to the last field."""
    deadline = time.monotonic() + PATIENCE / 1_000
    while curl.rows() != database:
        assert time.monotonic() < deadline, json.dumps([list(curl.rows().values()), list(database.values())], indent=1)
        time.sleep(0.05)


def check_headline(page: Page, server: Running) -> None:
    """Net sales on the screen is the database's."""
    [net] = server.get("/api/v1/metrics", metric="net_sales", period="today")["rows"]
    page.goto(server.url + "/")
    tile = page.get_by_role("link").filter(has_text="Net sales").first
    expect(tile).to_contain_text(f"{float(net['value']):,.2f}", timeout=PATIENCE)
