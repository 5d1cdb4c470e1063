"""A reader with a screen: the page in Chromium, whose table is read off as a person would."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from playwright import async_api

from tests.e2e.browser import QUIET
from tests.running import Running

FIELDS = {5: "available", 6: "on_hand", 7: "committed"}
"""The table's columns, as a screen reader counts them, that are compared."""
READ = """rows => rows.map(row =>
  Object.fromEntries([...row.querySelectorAll('[role=gridcell]')].map(cell => [cell.ariaColIndex, cell.innerText])))"""

GLANCE = 0.25
"""Seconds between two looks at the table."""

Shown = dict[tuple[str, str], dict[str, int]]


class Page:
    """The inventory, tall enough for all of it."""

    def __init__(self, page: async_api.Page) -> None:
        self.faults: list[str] = []
        self._page = page
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    async def shown(self) -> Shown:
        """What the table says, by SKU and location."""
        cells: list[dict[str, str]] = await self._page.locator("[role=row]:has([role=gridcell])").evaluate_all(READ)
        return {
            (row["2"], row["3"]): {field: _quantity(row[str(column)]) for column, field in FIELDS.items()}
            for row in cells
        }

    async def comes_to(self, rows: Mapping[Any, Mapping[str, Any]], within: float) -> list[str]:
        """Wait until the table shows these rows; gives what is wrong on the page, if anything."""
        should: Shown = {key: {field: int(row[field]) for field in FIELDS.values()} for key, row in rows.items()}
        for _ in range(int(within / GLANCE)):
            if (shown := await self.shown()) == should:
                return self.faults + await self._healed()
            await asyncio.sleep(GLANCE)
        other = [key for key in should.keys() | shown.keys() if should.get(key) != shown.get(key)]
        return [*self.faults, f"the page shows other rows: {sorted(other)[:3]}"]

    async def _healed(self) -> list[str]:
        """What the page counted of starting over: the server's doing, for it kept its log."""
        await self._page.locator(".indicator button").first.click()
        details = await self._page.get_by_role("region", name="Connection details").inner_text()
        told = " ".join(details.split())
        return [] if re.search(r"Resets none .*Faults healed 0\b", told) else [f"the page started over: {told}"]


def _quantity(text: str) -> int:
    """A number as the table has it, in words when it is oversold."""
    (digits,) = re.findall(r"\d[\d,.]*", text) or ["0"]
    number = int(digits.replace(",", "").replace(".", ""))
    return -number if re.search(r"[-−]|oversold", text, re.IGNORECASE) else number


@asynccontextmanager
async def looking(server: Running) -> AsyncIterator[Page]:
    """The page, signed in by the server's link and looking at the inventory."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        try:
            tab = await browser.new_page(
                viewport={"width": 1600, "height": 2_400}, locale="en-GB", service_workers="block"
            )
            tab.set_default_timeout(120_000)
            page = Page(tab)
            link = await asyncio.to_thread(server.link)
            await tab.goto(link)
            await tab.wait_for_url(re.compile(r"/$"))
            await tab.goto(link.partition("/sign-in")[0] + "/inventory")
            await tab.get_by_role("region", name="Inventory").wait_for()
            yield page
        finally:
            await browser.close()
