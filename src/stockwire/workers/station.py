"""A station: a place that must be manned. It has a process, and gets another when that one ends.

    vacant --man--> manned --ends--> vacant --after a while--> manned
                    manned --relieve--> manned by another
                    manned --leave--> vacant, for good

How a process is started is the supervisor's business; a station only sees to it that there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol

from stockwire.core.errors import StockwireError
from stockwire.workers.backoff import Backoff

_log = logging.getLogger("stockwire")


class Process(Protocol):
    """A process that was started and said that it is ready."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """Its exit code, once it ended."""

    def send_signal(self, sign: int) -> None: ...


Start = Callable[[], Awaitable[Process]]
"""Starts a process and waits until it is ready. Raises StockwireError when it cannot be."""


class Station:
    """The place `name`. `bury` is called when its process ended unasked, before another is started. `overlapping`: another
    may be there before the first one has left. `monotonic` times lives, `sleep` passes the time between two.
    """

    def __init__(
        self,
        name: str,
        start: Start,
        *,
        bury: Callable[[], None] = lambda: None,
        overlapping: bool,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.process: Process | None = None
        self._start = start
        self._bury = bury
        self._overlapping = overlapping
        self._monotonic = monotonic
        self._sleep = sleep
        self._backoff = Backoff()
        self._manning = asyncio.Lock()

    async def man(self) -> None:
        """Have the first process. Raises StockwireError."""
        self.process = await self._start()

    async def keep(self) -> None:
        """Keep the place manned until cancelled."""
        while True:
            process, began = self.process, self._monotonic()
            code = 0 if process is None else await process.wait()
            async with self._manning:
                if self.process is not process:
                    continue
                if process is not None:
                    _log.warning("%s (process %d) ended with %d; another follows", self.name, process.pid, code)
                    self.process = None
                    self._bury()
                await self._sleep(self._backoff.after(self._monotonic() - began))
                await self._man_again()

    async def _man_again(self) -> None:
        try:
            self.process = await self._start()
        except StockwireError as error:
            _log.error("%s cannot start: %s", self.name, error.detail)

    async def relieve(self) -> None:
        """Put another process in the present one's place, and see that one off."""
        async with self._manning:
            old = self.process
            if old is None:
                return
            if self._overlapping:
                await self._man_again()
                if self.process is not old:
                    await _seen_off(old)
            else:
                self.process = None
                await _seen_off(old)
                await self._man_again()

    async def leave(self) -> int:
        """Ask the process to end; gives its exit code. `keep` must be over."""
        return 0 if self.process is None else await _seen_off(self.process)

    def press(self) -> None:
        """Ask once more."""
        if self.process is not None:
            _ask(self.process)


async def _seen_off(process: Process) -> int:
    _ask(process)
    return await process.wait()


def _ask(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
