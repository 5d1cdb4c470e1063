"""The stream as long-poll (spec/protocol.md P1.4): each request is a session of one turn.

Equal requests are one: who asks the same with the same rights while another waits for it waits for the same answer,
and for a moment after it was made it is given again. Its frames are encoded once and compressed once. An answer with
content carries an ETag, so that a proxy, or a client that polls without a cursor, hears "not modified" in its place.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import cached_property
from hashlib import blake2b
from typing import Final, NamedTuple

from stockwire.core.errors import StockwireError
from stockwire.core.session import Session
from stockwire.core.wire import Frame, frame
from stockwire.engine.access import Authorise, Reader
from stockwire.engine.asking import begin, parse_asking, whose
from stockwire.engine.exchange import Gone, Receive, Scope, Send, answer, body_of, gone, headers_of, refuse, takes_gzip
from stockwire.engine.forms import COMPRESS_FROM
from stockwire.engine.streams import Streams

GIVEN_AGAIN: Final = 1.0
"""Seconds for which an answer may be given again: its times must be near the truth."""
_ANSWERS_KEPT: Final = 64


class Question(NamedTuple):
    """All that an answer depends on."""

    rights: str
    query: bytes
    body: bytes
    last_event_id: str | None


class Answer:
    """Frames as a body, made once. `tag` is its ETag, when it has content."""

    def __init__(self, frames: list[Frame], tag: str | None, version: int, made_at: float) -> None:
        self.body = b'{"frames":[' + b",".join([each.body for each in frames]) + b"]}"
        self.tag = tag
        self.version = version
        self.made_at = made_at

    @cached_property
    def packed(self) -> bytes:
        """The body, gzipped."""
        return gzip.compress(self.body, 6, mtime=0)


class LongPoll:
    """The ASGI application behind `/api/v1/poll`."""

    def __init__(self, streams: Streams, authorise: Authorise) -> None:
        self._streams = streams
        self._authorise = authorise
        self._waits: dict[Question, _Wait] = {}
        self._answers: dict[Question, Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        with ExitStack() as stack:
            try:
                reader = self._authorise(headers)
                stack.enter_context(self._streams.admission.admit(headers.address))
                body = await body_of(scope, receive)
                query = scope["query_string"]
                rights = whose(reader.rights, parse_asking(query, body))
                question = Question(rights, query, body, headers.get(b"last-event-id"))
                given = self._given_again(question) or await self._ask(question, reader, receive)
            except StockwireError as error:
                await refuse(send, error)
                return
            except Gone:
                return
        more = () if given.tag is None else ((b"etag", given.tag.encode()),)
        if given.tag is not None and given.tag in (headers.get(b"if-none-match") or ""):
            await answer(send, 304, b"", b"application/json", *more)
        elif takes_gzip(headers) and len(given.body) >= COMPRESS_FROM:
            await answer(send, 200, given.packed, b"application/json", (b"content-encoding", b"gzip"), *more)
        else:
            await answer(send, 200, given.body, b"application/json", *more)

    def _given_again(self, question: Question) -> Answer | None:
        """An answer to the same question that is still right."""
        kept = self._answers.get(question)
        if kept is None:
            return None
        young = self._streams.monotonic() - kept.made_at <= GIVEN_AGAIN
        if young and kept.version == self._streams.hub.version and not self._streams.admission.draining:
            return kept
        del self._answers[question]
        return None

    async def _ask(self, question: Question, reader: Reader, receive: Receive) -> Answer:
        """The answer when it comes, or a bye. Raises Gone when the one who asks has left, Unauthenticated when they may no
        longer stay, Refused as `begin`.
        """
        visit = _Visit()
        leaving = asyncio.create_task(gone(receive))
        try:
            with self._streams.admission.present(visit, reader.credential):
                async with self._joined(question, reader) as wait:
                    await asyncio.wait((wait.task, leaving, visit.farewell), return_when=asyncio.FIRST_COMPLETED)
                    if wait.task.done():
                        return wait.task.result()
                    if leaving.done():
                        raise Gone
                    farewell = visit.farewell.result()
                    if isinstance(farewell, StockwireError):
                        raise farewell
                    return Answer([*wait.opening, farewell], None, 0, 0.0)
        finally:
            leaving.cancel()
            visit.farewell.cancel()

    @asynccontextmanager
    async def _joined(self, question: Question, reader: Reader) -> AsyncIterator[_Wait]:
        """The wait for that question, begun by the first who asks and given up when the last has left."""
        wait = self._waits.get(question)
        if wait is None:
            wait = self._waits[question] = self._begin(question, reader)
        wait.guests += 1
        try:
            yield wait
        finally:
            wait.guests -= 1
            if wait.guests == 0:
                wait.task.cancel()
            if (wait.guests == 0 or wait.task.done()) and self._waits.get(question) is wait:
                del self._waits[question]
                self._keep(question, wait)

    def _begin(self, question: Question, reader: Reader) -> _Wait:
        asking = parse_asking(question.query, question.body)
        session = self._streams.session(reader, brief=True)
        try:
            opening = begin(session, asking, self._streams.monotonic(), question.last_event_id)
        except StockwireError:
            session.close()
            raise
        return _Wait(session, opening, self._streams, asking.wait, question)

    def _keep(self, question: Question, wait: _Wait) -> None:
        if wait.task.done() and not wait.task.cancelled() and wait.task.exception() is None:
            made = wait.task.result()
            if made.tag is not None:
                self._make_room()
                self._answers[question] = made

    def _make_room(self) -> None:
        """Let go of the answers that are too old to be given again, and of the oldest where there are many."""
        since = self._streams.monotonic() - GIVEN_AGAIN
        while self._answers:
            question, oldest = next(iter(self._answers.items()))
            if oldest.made_at >= since and len(self._answers) < _ANSWERS_KEPT:
                return
            del self._answers[question]


class _Visit:
    """One request that waits, and can be asked to leave or be told that it may no longer stay."""

    def __init__(self) -> None:
        self.farewell: asyncio.Future[Frame | StockwireError] = asyncio.get_running_loop().create_future()

    def leave(self, reason: str, reconnect_in: int) -> None:
        self._end(frame("bye", code=4001, reason=reason, reconnect_in=reconnect_in))

    def turn_out(self, error: StockwireError) -> None:
        self._end(error)

    def _end(self, farewell: Frame | StockwireError) -> None:
        if not self.farewell.done():
            self.farewell.set_result(farewell)


class _Wait:
    """The wait of one or many for a session's next frames. `opening` are those that are there at once."""

    def __init__(
        self, session: Session, opening: list[Frame], streams: Streams, seconds: float, question: Question
    ) -> None:
        self.opening = opening
        self.guests = 0
        self._session = session
        self._streams = streams
        self._question = question
        self._ends_at = streams.monotonic() + seconds
        self._wake = asyncio.Event()
        self.task = asyncio.create_task(self._run())
        self.task.add_done_callback(lambda _: session.close())

    async def _run(self) -> Answer:
        """The frames due now, else the first that come, else a heartbeat when the wait is over."""
        stop = self._streams.hub.listen(self._wake.set)
        try:
            while True:
                self._wake.clear()
                now = self._streams.monotonic()
                frames = list(self._session.pull(now))
                if frames:
                    return self._answer(frames, self._tag())
                if now >= self._ends_at:
                    return self._answer([self._session.heartbeat(now)], None)
                await self._sleep(min(self._session.due_at(), self._ends_at) - now)
        finally:
            stop()

    def _answer(self, frames: list[Frame], tag: str | None) -> Answer:
        hub = self._streams.hub
        return Answer([*self.opening, *frames], tag, hub.version, self._streams.monotonic())

    def _tag(self) -> str:
        """Names the content: the question, and the newest change in its views."""
        changed = max((held.live.changed_at for held in self._session.reading.held.values()), default=0)
        named = repr((self._question, self._streams.hub.epoch, changed)).encode()
        return f'W/"{blake2b(named, digest_size=12).hexdigest()}"'

    async def _sleep(self, seconds: float) -> None:
        handle = asyncio.get_running_loop().call_later(max(seconds, 0), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            handle.cancel()
