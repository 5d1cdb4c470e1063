"""The stream over WebSocket (spec/protocol.md P1.2): plain ASGI, one message a frame."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from typing import Any

from stockwire.core.allowance import Allowance
from stockwire.core.errors import Invalid, StockwireError, TooMany, Unauthenticated
from stockwire.core.wire import Frame, encode, problem
from stockwire.engine.access import Authorise, Headers
from stockwire.engine.conversation import Conversation
from stockwire.engine.limits import FRAMES_A_SECOND, FRAMES_AT_ONCE, HELLO_SECONDS
from stockwire.engine.streams import WEBSOCKET_LIFETIME, Streams, subprotocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class WebSocketStream:
    """The ASGI application behind `/api/v1/ws`."""

    def __init__(self, streams: Streams, authorise: Authorise) -> None:
        self._streams = streams
        self._authorise = authorise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        client = scope.get("client")
        headers = Headers(scope["headers"], client[0] if client else "")
        with ExitStack() as stack:
            try:
                reader = self._authorise(headers)
                stack.enter_context(self._streams.admission.admit(headers.address))
            except StockwireError as error:
                await _refuse(scope, headers, send, error)
                return
            chosen = subprotocol(scope.get("subprotocols", ()))
            await send({"type": "websocket.accept", "subprotocol": chosen})

            async def deliver(sent: Frame, _: str | None) -> None:
                await send({"type": "websocket.send", "text": sent.body.decode()})

            conversation = self._streams.conversation(reader, deliver, WEBSOCKET_LIFETIME)
            stack.enter_context(self._streams.admission.present(conversation, reader.credential))
            await _converse(conversation, receive, send)


async def _converse(conversation: Conversation, receive: Receive, send: Send) -> None:
    """Run the conversation until either side ends it."""
    listening = asyncio.create_task(_listen(conversation, receive))
    speaking = asyncio.create_task(conversation.run())
    try:
        await asyncio.wait((listening, speaking), return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()
        if not speaking.done() and not conversation.session.closed:
            speaking.cancel()
        results = await asyncio.gather(listening, speaking, return_exceptions=True)
    ending = conversation.session.ending
    if ending is not None and not isinstance(results[0], OSError):
        try:
            await send({"type": "websocket.close", "code": ending.code, "reason": ending.reason})
        except (OSError, RuntimeError):
            return


async def _listen(conversation: Conversation, receive: Receive) -> None:
    """Take inbound messages until the link closes. The first must come within 10 s (P2.1)."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            message = await receive()
    except TimeoutError:
        await conversation.receive('{"type":"none"}')
        return
    clock = asyncio.get_running_loop().time
    allowance = Allowance(FRAMES_AT_ONCE, FRAMES_A_SECOND, clock())
    while message["type"] == "websocket.receive":
        text = message.get("text")
        if not allowance.take(clock()):
            await conversation.refuse(TooMany("too many frames in too short a time; send fewer"))
        elif text is None:
            await conversation.refuse(Invalid("a frame is a text message"))
        else:
            await conversation.receive(text)
        if conversation.session.closed:
            return
        message = await receive()


async def _refuse(scope: Scope, headers: Headers, send: Send, error: StockwireError) -> None:
    """Refuse the handshake with an HTTP answer; a page on an allowed origin gets a close code, which it can read."""
    page = isinstance(error, Unauthenticated) and headers.get(b"origin") is not None
    if page:
        await send({"type": "websocket.accept", "subprotocol": subprotocol(scope.get("subprotocols", ()))})
    if page or "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": error.close_code, "reason": error.code})
        return
    fields = [(b"content-type", b"application/problem+json")]
    if error.retry_after is not None:
        fields.append((b"retry-after", str(error.retry_after).encode()))
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": fields})
    await send({"type": "websocket.http.response.body", "body": encode(problem(error))})
