"""Measure the page with 100,000 rows at 1,000 row changes a second: `python bench/page.py`.

The page is built as it ships, over the made-up shop of `frontend/tests/fixtures` in place of the server, so that what is
measured is the page's own work: taking changes in, keeping the order, painting. Chromium tells through its debugging
protocol how long its main thread was busy, and reports each task over 50 ms by itself. A task that had to wait for a
processor is long by the clock and not by its own time, so that is told as well.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"
ROWS, RATE, SECONDS = 100_000, 1_000, 20
GOAL_SHARE, GOAL_TASK = 25, 50
GROUPED = (
    ("grouped by product", "group=sku"),
    ("grouped by location, one open", "group=location&open=leeds"),
)
WATCH = """() => {
  window.long = [];
  new PerformanceObserver((list) => window.long.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: "longtask" });
}"""


class Files(http.server.SimpleHTTPRequestHandler):
    """The built page; any address that is no file is the page itself."""

    def send_head(self):  # type: ignore[no-untyped-def]
        if "." not in self.path.split("?")[0].rsplit("/", 1)[-1]:
            self.path = "/index.html"
        return super().send_head()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def busy(session: CDPSession) -> tuple[float, float]:
    """Seconds since the page's start, and how many of them the main thread worked."""
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return found["Timestamp"], found["TaskDuration"]


class Tasks:
    """The tasks of the page's main thread while they are traced, by the time that each had a processor."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._events: list[dict[str, Any]] = []
        self._complete = False
        session.on("Tracing.dataCollected", lambda told: self._events.extend(told["value"]))
        session.on("Tracing.tracingComplete", lambda _: setattr(self, "_complete", True))

    def start(self) -> None:
        self._events, self._complete = [], False
        config = {"includedCategories": ["toplevel"]}
        self._session.send("Tracing.start", {"traceConfig": config, "transferMode": "ReportEvents"})

    def longest(self, page: Page) -> float:
        """Ends the tracing; milliseconds of the longest task."""
        self._session.send("Tracing.end")
        while not self._complete:
            page.wait_for_timeout(100)
        threads = [event for event in self._events if event["name"] == "thread_name"]
        main = {(one["pid"], one["tid"]) for one in threads if one["args"]["name"] == "CrRendererMain"}
        times = [one["tdur"] for one in self._events if "tdur" in one and (one["pid"], one["tid"]) in main]
        return float(max(times)) / 1000


def measure(page: Page, session: CDPSession, tasks: Tasks, name: str, act: str | None = None) -> dict[str, object]:
    """Watch the main thread for a while; `act` names a column's head that is pressed at the start."""
    page.evaluate("window.long.length = 0")
    tasks.start()
    began, worked = busy(session)
    if act is not None:
        page.get_by_role("columnheader", name=act).click()
    page.wait_for_timeout(SECONDS * 1000)
    ended, work = busy(session)
    long = page.evaluate("window.long")
    share = round(100 * (work - worked) / (ended - began), 1)
    return {
        "what": name,
        "share": share,
        "long_tasks": len(long),
        "longest": round(max(long, default=0)),
        "longest_own": round(tasks.longest(page)),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = "tests/fixtures/preview.config.ts"
        build = ["npx", "vite", "build", "--config", config, "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"]
        subprocess.run(build, cwd=ROOT / "frontend", check=True)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            tasks = Tasks(session)
            page.goto(f"http://127.0.0.1:{server.server_port}/inventory?rows={ROWS}&rate={RATE}")
            page.get_by_role("gridcell").first.wait_for()
            page.wait_for_timeout(3_000)
            page.evaluate(WATCH)
            results = [
                measure(page, session, tasks, "standing, sorted by available"),
                measure(page, session, tasks, "sorted anew by product, then standing", "Product"),
                measure(page, session, tasks, "sorted anew by on hand, then standing", "On hand"),
            ]
            for what, query in GROUPED:
                page.goto(f"http://127.0.0.1:{server.server_port}/inventory?rows={ROWS}&rate={RATE}&{query}")
                page.get_by_role("gridcell").first.wait_for()
                page.wait_for_timeout(3_000)
                page.evaluate(WATCH)
                results.append(measure(page, session, tasks, what))
            version = browser.version
            browser.close()
        server.shutdown()
    load = round(os.getloadavg()[0], 1)
    found = {"rows": ROWS, "changes_per_second": RATE, "seconds": SECONDS, "load": load, "measured": results}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "page.json").write_text(json.dumps(found, indent=2) + "\n")
    (RESULTS / "page.md").write_text(
        "# The page with 100,000 rows\n\n"
        f"`python bench/page.py`: the inventory with {ROWS:,} rows of which {RATE:,} change each second, in Chromium"
        f" {version}, {SECONDS} s each; {os.cpu_count()} processors, load average {load} at the end (what exceeds the"
        f" processors lengthens tasks). Goals: main thread under {GOAL_SHARE} %, no task over {GOAL_TASK} ms.\n\n"
        "| | main thread busy, % | tasks over 50 ms | longest of them, ms | longest task by its own time, ms |\n"
        "|---|---|---|---|---|\n"
        + "".join(
            f"| {one['what']} | {one['share']} | {one['long_tasks']} | {one['longest'] or 'none'}"
            f" | {one['longest_own']} |\n"
            for one in results
        )
    )


if __name__ == "__main__":
    main()
