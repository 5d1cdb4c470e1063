"""A tab as it is when no test tool looks: hidden behind another one, frozen, shown again.

Playwright keeps each of its pages visible, whatever lies before it. So this tab is in a window that Playwright does not
know, and is spoken to over the browser's own debugging protocol.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, CDPSession

from tests.connection.screen import PATIENCE


class Unwatched:
    """One tab of a window that belongs to no test tool."""

    def __init__(self, devtools: CDPSession, window: str) -> None:
        self._devtools = devtools
        self._window = window
        self._numbers = itertools.count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self._target = self._created()
        devtools.on("Target.receivedMessageFromTarget", self._hear)
        attached = devtools.send("Target.attachToTarget", {"targetId": self._target, "flatten": False})
        self._session = attached["sessionId"]

    def open(self, url: str) -> None:
        """Go to an address."""
        self.send("Page.navigate", url=url)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the tab for something by the debugging protocol."""
        number = next(self._numbers)
        message = json.dumps({"id": number, "method": method, "params": params})
        self._devtools.send("Target.sendMessageToTarget", {"sessionId": self._session, "message": message})
        deadline = time.monotonic() + PATIENCE / 1000
        while number not in self._answers:
            assert time.monotonic() < deadline, f"{method} is not answered"
            self._devtools.send("Target.getTargets")
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def evaluate(self, expression: str) -> Any:
        """What an expression is worth in the page."""
        found = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression holds in the page."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, self.evaluate("document.body.innerText")
            time.sleep(0.05)

    def hide(self) -> None:
        """Open another tab before it."""
        other = self._created()
        self._devtools.send("Target.activateTarget", {"targetId": other})
        self.until("document.visibilityState === 'hidden'")

    def freeze(self) -> None:
        """Stop its clock, as a browser does with tabs that were hidden for long."""
        self.send("Page.setWebLifecycleState", state="frozen")

    def show(self) -> None:
        """Bring it to the front; a frozen one goes on."""
        self.send("Page.setWebLifecycleState", state="active")
        self._devtools.send("Target.activateTarget", {"targetId": self._target})
        self.until("document.visibilityState === 'visible'")

    def _created(self) -> str:
        made = self._devtools.send("Target.createTarget", {"url": "about:blank", "browserContextId": self._window})
        return str(made["targetId"])

    def _hear(self, said: dict[str, Any]) -> None:
        answer = json.loads(said["message"])
        if said["sessionId"] == self._session and "id" in answer:
            self._answers[answer["id"]] = answer


@contextmanager
def window(browser: Browser) -> Iterator[Callable[[], Unwatched]]:
    """What opens tabs in a window of its own, for as long as the block runs."""
    devtools = browser.new_browser_cdp_session()
    name = devtools.send("Target.createBrowserContext")["browserContextId"]
    try:
        yield lambda: Unwatched(devtools, name)
    finally:
        devtools.send("Target.disposeBrowserContext", {"browserContextId": name})
        devtools.detach()
