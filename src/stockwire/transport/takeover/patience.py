"""Patience: how long a connection may owe us something, or leave something of ours untaken, before it is ended.

uvicorn waits for ever for the rest of a head, of a refused body, and for a client that reads nothing of its answer. The
limits are in engine/limits.py; a connection that became a stream is under the rounds' instead.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final

from stockwire.engine.limits import STUCK_SECONDS

_LOOK: Final = 5.0
"""Seconds between two looks."""
_STOOD_STILL: Final = 1.0
"""Seconds that a deadline rings late only when the whole process stood still."""


class Deadline:
    """One thing that is to come. `missed` is called when it did not come in time.

    A process that was stopped or starved finds its deadlines passed before it reads what came meanwhile, so it reads first:
    a deadline that rings far too late is put off a little.
    """

    __slots__ = ("_at", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0

    @property
    def running(self) -> bool:
        """Whether something is waited for."""
        return self._handle is not None

    def set(self, seconds: float, missed: Callable[[], None]) -> None:
        """Wait for something, instead of what was waited for until now."""
        self.clear()
        self._at = self._loop.time() + seconds
        self._handle = self._loop.call_later(seconds, self._ring, missed)

    def clear(self) -> None:
        """It came."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self, missed: Callable[[], None]) -> None:
        self._handle = None
        if self._loop.time() - self._at > _STOOD_STILL:
            self.set(_STOOD_STILL, missed)
        else:
            missed()


class Untaken:
    """Bytes that a client has not taken: calls `cut` when it takes none of them for `STUCK_SECONDS`."""

    __slots__ = ("_backlog", "_cut", "_deadline", "_looks", "_transport")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, cut: Callable[[], None]) -> None:
        self._transport = transport
        self._cut = cut
        self._deadline = Deadline(loop)
        self._backlog = 0
        self._looks = 0

    @property
    def any(self) -> bool:
        """Whether there are some."""
        return self._deadline.running

    def watch(self) -> None:
        """There are some, or none: watch that they become fewer."""
        self._looks = 0
        self._backlog = self._transport.get_write_buffer_size()
        if self._backlog:
            self._deadline.set(_LOOK, self._look)
        else:
            self._deadline.clear()

    def _look(self) -> None:
        if self._transport.get_write_buffer_size() != self._backlog:
            self.watch()
            return
        self._looks += 1
        if self._looks * _LOOK >= STUCK_SECONDS:
            self._cut()
        else:
            self._deadline.set(_LOOK, self._look)

    def clear(self) -> None:
        """All are taken, or the connection is over."""
        self._deadline.clear()


def cut(transport: asyncio.Transport) -> None:
    """End a connection at once. What the client does not take is dropped, with a reset, or the kernel would go on holding it."""
    connection = transport.get_extra_info("socket")
    if connection is not None and transport.get_write_buffer_size():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
