"""The stream as long-poll (spec/protocol.md P1.4): each request is a session of one turn."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from stockwire.core.errors import StockwireError
from stockwire.core.session import Session
from stockwire.core.wire import Frame
from stockwire.engine.access import Authorise
from stockwire.engine.asking import begin, parse_asking
from stockwire.engine.exchange import Gone, Receive, Scope, Send, answer, body_of, gone, headers_of, refuse
from stockwire.engine.streams import Streams


class LongPoll:
    """The ASGI application behind `/api/v1/poll`."""

    def __init__(self, streams: Streams, authorise: Authorise) -> None:
        self._streams = streams
        self._authorise = authorise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        with ExitStack() as stack:
            try:
                reader = self._authorise(headers)
                stack.enter_context(self._streams.admission.admit(headers.address))
                asking = parse_asking(scope["query_string"], await body_of(scope, receive))
                session = self._streams.session(reader, brief=True)
                stack.callback(session.close)
                frames = begin(session, asking, self._streams.monotonic(), headers.get(b"last-event-id"))
            except StockwireError as error:
                await refuse(send, error)
                return
            except Gone:
                return
            turn = _Turn(session, self._streams, asking.wait)
            stack.enter_context(self._streams.admission.present(turn))
            leaving = asyncio.create_task(gone(receive))
            try:
                frames += await turn.wait(leaving)
            finally:
                leaving.cancel()
            if not leaving.done() or leaving.cancelled():
                body = b'{"frames":[' + b",".join(each.body for each in frames) + b"]}"
                await answer(send, 200, body, b"application/json")


class _Turn:
    """The wait for a session's next frames."""

    def __init__(self, session: Session, streams: Streams, seconds: float) -> None:
        self._session = session
        self._streams = streams
        self._ends_at = streams.monotonic() + seconds
        self._wake = asyncio.Event()
        self._bye: tuple[str, int] | None = None

    def leave(self, reason: str, reconnect_in: int) -> None:
        self._bye = (reason, reconnect_in)
        self._wake.set()

    async def wait(self, leaving: asyncio.Task[None]) -> list[Frame]:
        """The frames due now, else the first that come, else a heartbeat when the wait is over."""
        stop = self._streams.hub.listen(self._wake.set)
        leaving.add_done_callback(lambda _: self._wake.set())
        try:
            while not leaving.done():
                self._wake.clear()
                now = self._streams.monotonic()
                frames = list(self._session.pull(now))
                if self._bye is not None:
                    return frames + self._session.bye(*self._bye)
                if frames:
                    return frames
                if now >= self._ends_at:
                    return [self._session.heartbeat(now)]
                await self._sleep(min(self._session.due_at(), self._ends_at) - now)
        finally:
            stop()
        return []

    async def _sleep(self, seconds: float) -> None:
        handle = asyncio.get_running_loop().call_later(max(seconds, 0), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            handle.cancel()
