"""A real browser on the real page: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.running import Running

# What a page is expected to show comes when the machine gets round to it, and nobody waits when it does at once.
expect.set_options(timeout=60_000)

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright, launched(playwright) as browser:
        yield browser


@contextmanager
def launched(playwright: Playwright, *flags: str, without: Sequence[str] = ()) -> Iterator[Browser]:
    """Chromium as well; several may be there at once. `flags` are added, `without` are those of Playwright left out."""
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=[*QUIET, *flags], ignore_default_args=list(without)
    )
    try:
        yield browser
    finally:
        browser.close()


def sign_in(context: BrowserContext, server: Running, url: str) -> None:
    """Makes the browser that of somebody who signed in before, and who reaches the server as `url`."""
    name = f"stockwire_{url.rpartition(':')[2]}"
    context.add_cookies([{"name": name, "value": server.session(), "url": url}])


@contextmanager
def visit(
    browser: Browser,
    server: Running,
    *,
    width: int = 1440,
    height: int = 900,
    dark: bool = False,
    locale: str = "en-GB",
    offline: bool = False,
    link: bool = False,
) -> Iterator[Page]:
    """The page of somebody who is signed in. Fails on any error the page reports.

    With `link` they sign in by a link of their own, as who signs out has to; otherwise they did so before. `offline` lets
    the page be kept for when there is no server, which tests of other things do without."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale=locale,
        service_workers="allow" if offline else "block",
    )
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    try:
        if link:
            page.goto(server.link())
        else:
            sign_in(context, server, server.url)
            page.goto(server.url)
        page.wait_for_url(server.url + "/")
        yield page
    finally:
        context.close()
    assert faults == []
