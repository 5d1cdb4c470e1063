"""A reader from outside: somebody else's WebSocket and HTTP clients under the protocol's own rules."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from typing import Any

import httpx
import websockets
from httpx_sse import aconnect_sse

from stockwire.testing import Receiver
from tests.simulation.truth import Asked


async def call_off(tasks: Iterable[asyncio.Task[None]]) -> list[BaseException]:
    """Cancel tasks until all are over; gives what they failed with. (Before Python 3.12 `wait_for` loses a cancellation
    that comes together with what it waits for.)
    """
    everyone = list(tasks)
    running = set(everyone)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=5.0)
    return [error for task in everyone if not task.cancelled() and (error := task.exception()) is not None]


SILENCE = 30.0
"""Seconds without a frame after which a reader gives a connection up."""
TRANSPORTS = ("websocket", "sse", "poll")


class Reader:
    """One screen. `url` is where the proxy listens; `changed` is called after every frame."""

    def __init__(
        self, number: int, url: str, key: str, asked: tuple[Asked, ...], seed: int, changed: asyncio.Event
    ) -> None:
        self.name = f"reader {number}"
        self.asked = asked
        self.receiver = Receiver()
        self.frames = 0
        self.connections = 0
        self.unplanned: list[str] = []
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._dice = random.Random(f"{seed}/{number}")
        self._transport = TRANSPORTS[number % 3]
        self._interval = self._dice.choice((0, 500, 1_000, 2_000))
        self._changed = changed
        self._failed = 0

    async def live(self) -> None:
        """Be connected until cancelled, mostly by one's own transport."""
        while True:
            transport = self._transport if self._dice.random() < 0.8 else self._dice.choice(TRANSPORTS)
            self.connections += 1
            try:
                await getattr(self, f"_by_{transport}")()
            except (OSError, TimeoutError, EOFError, httpx.HTTPError, websockets.WebSocketException, ValueError):
                self._failed += 1
            await asyncio.sleep(self._dice.random() * min(2.0, 0.1 * 2 ** min(self._failed, 6)))

    def current(self, version: int) -> bool:
        """Whether every view is at that version."""
        views = [self.receiver.views.get(self.receiver.ids.get(each.id, "")) for each in self.asked]
        return all(view is not None and view.version >= version for view in views)

    def _views(self) -> list[dict[str, Any]]:
        found = []
        for each in self.asked:
            cursor = self.receiver.cursor(each.id)
            found.append(each.frame if cursor is None else {**each.frame, "cursor": cursor})
        return found

    def _take(self, text: str) -> dict[str, Any]:
        frame = self.receiver.take(text)
        self._failed = 0
        self.frames += 1
        if frame["type"] == "reset":
            limited = any(
                each.order is not None and self.receiver.ids.get(each.id) == frame["view"] for each in self.asked
            )
            if not (frame["reason"] == "window" and limited):
                self.unplanned.append(f"{self.name}: {frame['reason']}")
        elif frame["type"] == "error":
            self.unplanned.append(f"{self.name}: {frame}")
        self._changed.set()
        return frame

    async def _by_websocket(self) -> None:
        address = self._url.replace("http", "ws", 1) + "/api/v1/ws"
        async with websockets.connect(
            address, subprotocols=[websockets.Subprotocol("stockwire.v1")], additional_headers=self._headers,
            ping_interval=None, open_timeout=10, close_timeout=1, max_size=None,
        ) as link:  # fmt: skip
            await link.send(json.dumps({"type": "hello", "protocol": 1, "client": "test/1"}))
            if self._interval:
                await link.send(json.dumps({"type": "pace", "interval": self._interval}))
            for view in self._views():
                await link.send(json.dumps({"type": "subscribe", **view}))
            while True:
                text = await asyncio.wait_for(link.recv(), SILENCE)
                if self._take(str(text))["type"] == "bye":
                    return

    def _refused(self, status: int) -> None:
        """Raises OSError unless it is 200. That there is no room or no server just now, or that a request did not come
        whole in time, has its cause here (I12).
        """
        if status not in (200, 408, 429, 503):
            self.unplanned.append(f"{self.name}: answered {status}")
        if status != 200:
            raise OSError(status)

    def _asking(self) -> dict[str, Any]:
        return {"views": self._views(), "interval": self._interval}

    async def _by_sse(self) -> None:
        async with httpx.AsyncClient(headers=self._headers, timeout=SILENCE) as client:
            async with aconnect_sse(client, "POST", f"{self._url}/api/v1/stream", json=self._asking()) as source:
                self._refused(source.response.status_code)
                async for event in source.aiter_sse():
                    if self._take(event.data)["type"] == "bye":
                        return

    async def _by_poll(self) -> None:
        async with httpx.AsyncClient(headers=self._headers, timeout=SILENCE) as client:
            for _ in range(20):
                answer = await client.post(f"{self._url}/api/v1/poll", json={**self._asking(), "wait": 10})
                self._refused(answer.status_code)
                for frame in answer.json()["frames"]:
                    if self._take(json.dumps(frame))["type"] == "bye":
                        return
