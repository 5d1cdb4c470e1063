"""A simulated network: links between a reader and the server's ASGI applications.

A link is FIFO in both directions with some latency, and takes only so many bytes that the other side has not read. It can
be cut (both sides hear of it, what was under way is lost) or go silent (nobody hears anything, and after a quarter of
an hour the server's system gives it up).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

WINDOW = 24 * 1024
GIVEN_UP = 900.0

Message = MutableMapping[str, Any]
Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Cut(Exception):
    """The link is gone, or was never made."""


class Link:
    """One connection. The server's side is `receive` and `send`, the reader's `say` and `get`."""

    def __init__(self, kind: str, dice: random.Random) -> None:
        self.kind = kind
        self.state = "open"
        self.slowness = dice.choice((0.002, 0.01, 0.05, 0.3))
        self._dice = dice
        self._loop = asyncio.get_running_loop()
        self._up: asyncio.Queue[Message] = asyncio.Queue()
        self._down: asyncio.Queue[Message | None] = asyncio.Queue()
        self._under_way_up: deque[Message] = deque()
        self._under_way_down: deque[Message] = deque()
        self._up_at = self._down_at = 0.0
        self._unread = 0
        self._room = asyncio.Event()

    # The server's side

    async def receive(self) -> Message:
        return await self._up.get()

    async def send(self, message: Message) -> None:
        size = len(message.get("text") or message.get("body") or b"")
        while self._unread > WINDOW and self.state != "cut":
            self._room.clear()
            await self._room.wait()
        if self.state == "cut":
            if self.kind == "websocket":
                raise OSError("the link is cut")
            return
        self._unread += size
        if self.state == "open":
            self._down_at = max(self._down_at, self._loop.time() + self._latency())
            self._under_way_down.append(message)
            self._loop.call_at(self._down_at, self._arrive)

    def _arrive(self) -> None:
        if self.state == "open":
            self._down.put_nowait(self._under_way_down.popleft())

    def end(self) -> None:
        """The application is done: what it sent still arrives."""
        if self.state == "open":
            self._loop.call_at(max(self._down_at, self._loop.time()) + 0.001, self.cut)

    # The reader's side

    def say(self, message: Message) -> None:
        if self.state == "open":
            self._up_at = max(self._up_at, self._loop.time() + self._latency())
            self._under_way_up.append(message)
            self._loop.call_at(self._up_at, self._heard)

    def _heard(self) -> None:
        if self.state == "open":
            self._up.put_nowait(self._under_way_up.popleft())

    async def get(self, patience: float) -> Message:
        """The next message. Raises Cut when there will be none, or none comes for `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                message = await self._down.get()
        except TimeoutError:
            raise Cut from None
        if message is None:
            raise Cut
        self._unread -= len(message.get("text") or message.get("body") or b"")
        self._room.set()
        return message

    # Faults

    def _latency(self) -> float:
        return self.slowness * (0.5 + self._dice.random())

    def cut(self) -> None:
        """Both sides hear of it."""
        if self.state == "cut":
            return
        self.state = "cut"
        self._down.put_nowait(None)
        code = {"code": 1006} if self.kind == "websocket" else {}
        self._up.put_nowait({"type": f"{self.kind}.disconnect", **code})
        self._room.set()

    def silence(self) -> None:
        """Nobody hears anything any more."""
        if self.state == "open":
            self.state = "silent"
            self._loop.call_later(GIVEN_UP, self.cut)
