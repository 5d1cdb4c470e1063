"""Take the pictures of the documentation: the demo's shop at desk, phone and wall size, light and dark.

    .venv/bin/python scripts/take_pictures.py [FOLDER]

Starts a demo of its own, in which it is late in the afternoon whatever the time is here, and drives Debian's Chromium, whose
pages have the same clock. Pictures go to docs/images, or to FOLDER; docs/gallery.md shows them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
SIZES = {"desk": (1440, 900), "phone": (390, 844), "wall": (1920, 1080)}
PAGES = {
    "overview": "/",
    "inventory": "/inventory",
    "orders": "/orders",
    "metrics": "/metrics",
    "board": "/orders?layout=board",
    "groups": "/inventory?group=sku",
    "stock": "/inventory?status=low",
    "order": "/orders",
    "notifications": "/notifications",
    "rules": "/notifications/rules",
}
BOTH_SIZES = ("overview", "inventory", "orders", "past")
TAKEN = [
    *((page, size, scheme) for page in BOTH_SIZES for size in ("desk", "phone") for scheme in ("light", "dark")),
    *((page, "desk", "light") for page in PAGES if page not in BOTH_SIZES),
    *(("overview", "wall", scheme) for scheme in ("light", "dark")),
]
FIRST_RUN = [("first-run", "desk", "light")]
ZONE = ZoneInfo("Europe/London")
AFTERNOON = timedelta(hours=16, minutes=40)
PROGRAM = """
import runpy, sys, time
back = int(sys.argv.pop(1)) * 10**9
real, real_ns = time.time, time.time_ns
time.time, time.time_ns = lambda: real() - back / 10**9, lambda: real_ns() - back
runpy.run_module("stockwire", run_name="__main__")
"""
CLOCK = """
  delete window.SharedWorker;
  delete window.BroadcastChannel;
  const Real = Date;
  window.Date = class extends Real {
    constructor(...given) {
      if (given.length > 0) super(...given);
      else super(Real.now() - BACK);
    }
    static now() {
      return Real.now() - BACK;
    }
  };
"""
PATIENCE = 180_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def signed_in(browser: Browser, link: str) -> dict[str, object]:
    """The cookies of a browser that followed the link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.wait_for_url(re.compile(r"^[^#]*(?<!sign-in)$"))
    state = context.storage_state()
    context.close()
    return dict(state)


def settled(page: Page, word: str = "Live") -> None:
    """Wait until the page shows rows and no placeholder, and its indicator says the word."""
    page.get_by_text(word, exact=True).first.wait_for()
    page.wait_for_selector(".skeleton", state="detached")
    page.wait_for_timeout(2_000)  # a few live changes, and the highlights of the first ones gone


def arrived(page: Page, name: str) -> None:
    """Go on from the page's address to what the picture is of."""
    settled(page, "Past" if name == "past" else "Live")
    if name == "stock":
        page.get_by_role("gridcell").first.click()
        page.locator("dialog .movements li").first.wait_for()
    elif name == "order":
        page.get_by_role("row").nth(3).get_by_role("link").click()
        page.locator("main .lines table").wait_for()
    page.wait_for_selector(".skeleton", state="detached")
    page.mouse.move(0, 0)


def address(name: str, size: str, back: int) -> str:
    """Where the page is that a picture is taken of; the past is yesterday's noon, as the demo's clock has it."""
    if size == "wall":
        return "/wall?panels=overview"
    if name == "past":
        yesterday = datetime.now(ZONE) - timedelta(seconds=back) - timedelta(days=1)
        return (
            f"/?at={yesterday.replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        )
    return PAGES.get(name, "/")


@contextmanager
def started(*arguments: str, back: int) -> Iterator[str]:
    """The program, whose clock is so many seconds behind; gives its link to sign in by."""
    command = [sys.executable, "-u", "-c", PROGRAM, str(back), *arguments, "--port", "0"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    try:
        yield next(found[0] for line in program.stdout if (found := re.search(r"http\S+/sign-in#\S+", line)))
    finally:
        program.terminate()
        program.wait()


def seconds_back() -> int:
    """How long ago it was last that time of the afternoon in the demo's shop."""
    now = datetime.now(ZONE)
    since = (now - (now.replace(hour=0, minute=0, second=0, microsecond=0) + AFTERNOON)) % timedelta(days=1)
    return int(since.total_seconds())


def take(browser: Browser, link: str, folder: Path, back: int, taken: Sequence[tuple[str, str, str]]) -> None:
    """Take pictures of the page that the link leads to."""
    state, url = signed_in(browser, link), link.split("/sign-in")[0]
    for name, size, scheme in taken:
        width, height = SIZES[size]
        context = browser.new_context(
            storage_state=state,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            device_scale_factor=1,
            locale="en-GB",
        )
        context.add_init_script(CLOCK.replace("BACK", str(back * 1_000)))
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url + address(name, size, back))
        arrived(page, name)
        plain = size == "desk" and scheme == "light"
        page.screenshot(path=folder / (f"{name}.png" if plain else f"{name}-{size}-{scheme}.png"))
        context.close()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        back = seconds_back()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            with started("demo", "--data-dir", f"{made}/demo", back=back) as link:
                take(browser, link, folder, back, TAKEN)
            with started("serve", "--data-dir", f"{made}/empty", back=back) as link:
                take(browser, link, folder, back, FIRST_RUN)
            browser.close()


if __name__ == "__main__":
    main()
