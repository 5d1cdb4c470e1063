"""The stream as Server-Sent Events (spec/protocol.md P1.3): plain ASGI, one event a frame."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from stockwire.core.errors import StockwireError
from stockwire.core.wire import Frame, sse_event
from stockwire.engine.access import Authorise
from stockwire.engine.asking import begin, parse_asking
from stockwire.engine.conversation import Conversation
from stockwire.engine.exchange import UNSTORED, Gone, Receive, Scope, Send, body_of, gone, headers_of, refuse
from stockwire.engine.streams import EVENTS_LIFETIME, RETRY, Streams


class EventStream:
    """The ASGI application behind `/api/v1/stream`."""

    def __init__(self, streams: Streams, authorise: Authorise) -> None:
        self._streams = streams
        self._authorise = authorise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        session = None
        with ExitStack() as stack:
            try:
                reader = self._authorise(headers)
                stack.enter_context(self._streams.admission.admit(headers.address))
                asking = parse_asking(scope["query_string"], await body_of(scope, receive))
                session = self._streams.session(reader)
                stack.callback(session.close)
                first = begin(session, asking, self._streams.monotonic(), headers.get(b"last-event-id"))
            except StockwireError as error:
                await refuse(send, error)
                return
            except Gone:
                return

            async def deliver(sent: Frame, id_: str | None) -> None:
                await _write(send, sse_event(sent, id_))

            conversation = self._streams.conversation(reader, deliver, EVENTS_LIFETIME, session)
            stack.enter_context(self._streams.admission.present(conversation, reader.credential))
            fields = [(b"content-type", b"text/event-stream; charset=utf-8"), *UNSTORED]
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            await _write(send, RETRY + b"".join(sse_event(each) for each in first))
            await _converse(conversation, receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _converse(conversation: Conversation, receive: Receive) -> None:
    """Run the conversation until it ends or the reader is gone."""
    speaking = asyncio.create_task(conversation.run())
    leaving = asyncio.create_task(gone(receive))
    try:
        await asyncio.wait((speaking, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        speaking.cancel()
        leaving.cancel()
        await asyncio.gather(speaking, leaving, return_exceptions=True)
