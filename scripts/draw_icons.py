"""Draw the page's icons for home screens from its own favicon: plain, and with the margin that a round mask needs.

    .venv/bin/python scripts/draw_icons.py

Drives Debian's Chromium; writes frontend/public/icons.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PUBLIC = Path(__file__).parents[1] / "frontend" / "public"
GROUND = "#13202c"
ICONS = {"icon-192": (192, 1.0), "icon-512": (512, 1.0), "apple-touch-icon": (180, 0.82), "maskable-512": (512, 0.72)}
"""Each icon's size in pixels, and how much of it the drawing takes; below 1 the ground fills the rest."""


def draw(browser: Browser, name: str, size: int, share: float) -> None:
    """Write one icon."""
    page = browser.new_page(viewport={"width": size, "height": size})
    drawing = (PUBLIC / "favicon.svg").read_text("utf-8")
    ground = GROUND if share < 1 else "transparent"
    side = round(size * share)
    page.set_content(
        f"<style>html,body{{margin:0;height:100%;background:{ground}}}body{{display:grid;place-items:center}}"
        f"svg{{width:{side}px;height:{side}px}}</style>{drawing}"
    )
    page.screenshot(path=PUBLIC / "icons" / f"{name}.png", omit_background=True)
    page.close()


def main() -> None:
    (PUBLIC / "icons").mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (size, share) in ICONS.items():
            draw(browser, name, size, share)
        browser.close()


if __name__ == "__main__":
    main()
