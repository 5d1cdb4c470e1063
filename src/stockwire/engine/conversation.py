"""A conversation: one session driven over one link.

It pulls what is due, sends it, and sleeps until the next turn, a wake-up from the hub or the end of its life. Sending
waits for the link, so a slow reader simply takes fewer turns; a link that takes nothing for `STUCK_SECONDS` is given up
(P6.8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stockwire.core.errors import StockwireError
from stockwire.core.session import Ending, Session
from stockwire.core.wire import Frame
from stockwire.engine.hub import Hub
from stockwire.engine.limits import STUCK_SECONDS

Send = Callable[[Frame, str | None], Awaitable[None]]
"""Sends one frame; the second argument is the cursor of the whole set when every view is current after it."""


class Conversation:
    """Drive `session` with `send`. `ends_at` (on the `monotonic` clock) is when its life is over."""

    def __init__(
        self, session: Session, hub: Hub, send: Send, *, monotonic: Callable[[], float], ends_at: float
    ) -> None:
        self.session = session
        self._hub = hub
        self._send = send
        self._monotonic = monotonic
        self._ends_at = ends_at
        self._wake = asyncio.Event()
        self._sending = asyncio.Lock()
        self._bye: tuple[str, int] | None = None
        self._turned_out: StockwireError | None = None

    async def receive(self, body: bytes | str) -> None:
        """Take an inbound frame and send what answers it.

        Between two turns only: a turn under way must not see a view whose answer still waits for the link.
        """
        async with self._sending:
            for each in self.session.receive(body, self._monotonic()):
                await self._deliver(each, None)
        self._wake.set()

    async def refuse(self, error: StockwireError) -> None:
        """The client broke a rule that the transport holds, or may no longer stay: say so, and end."""
        async with self._sending:
            for each in self.session.fault(error):
                await self._deliver(each, None)
        self._wake.set()

    async def run(self) -> Ending:
        """Serve until the session ends; gives how it did. Cancel it when the link is gone."""
        stop = self._hub.listen(self._wake.set)
        try:
            while not self.session.closed:
                self._wake.clear()
                await self._turn()
                if not self.session.closed:
                    await self._sleep()
        except TimeoutError:
            self.session.ending = Ending(4008, "no progress")
        finally:
            stop()
            self.session.close()
        return self.session.ending or Ending(4001, "closed")

    def leave(self, reason: str, reconnect_in: int) -> None:
        """Ask the conversation to say bye at its next turn, which is now; `reconnect_in` in milliseconds."""
        self._bye = (reason, reconnect_in)
        self._wake.set()

    def turn_out(self, error: StockwireError) -> None:
        """Have the conversation end with `error` at its next turn, which is now."""
        self._turned_out = error
        self._wake.set()

    async def _turn(self) -> None:
        if self._turned_out is not None:
            await self.refuse(self._turned_out)
            return
        now = self._monotonic()
        if self._bye is None and now >= self._ends_at:
            self._bye = ("lifetime", 0)
        if self._bye is not None:
            async with self._sending:
                for each in self.session.bye(*self._bye):
                    await self._deliver(each, None)
            return
        async with self._sending:
            held: Frame | None = None
            for each in self.session.pull(now):
                if held is not None:
                    await self._deliver(held, None)
                held = each
            if held is not None:
                current = self.session.current
                await self._deliver(held, str(current) if current is not None else None)

    async def _sleep(self) -> None:
        due = self.session.due_at() if self.session.state == "open" else self._ends_at
        delay = min(due, self._ends_at) - self._monotonic()
        if delay <= 0:
            await asyncio.sleep(0)
            return
        handle = asyncio.get_running_loop().call_later(delay, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            handle.cancel()

    async def _deliver(self, sent: Frame, id_: str | None) -> None:
        async with asyncio.timeout(STUCK_SECONDS):
            await self._send(sent, id_)
