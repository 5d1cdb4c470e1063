"""Requests: uvicorn's HTTP/1.1 for a connection, but for requests for streams, which become links (see reception.py).

uvicorn's class is made for being replaced, its inside is not: `tests/transport/test_uvicorn_internals.py` holds what
is used here, and the dependency is pinned to one minor series.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from stockwire.core.errors import HeadTooLarge, Invalid, StockwireError, TooLarge, TooMany, TooSlow, Unauthenticated
from stockwire.core.wire import encode, problem
from stockwire.engine.access import Headers
from stockwire.engine.forms import websocket_message
from stockwire.engine.limits import HEAD_BYTES, HEAD_SECONDS, REQUESTS_AHEAD, STREAM_BODY_BYTES, STREAM_BODY_SECONDS
from stockwire.transport.takeover.callers import caller
from stockwire.transport.takeover.links import TransportLink
from stockwire.transport.takeover.patience import Deadline, Untaken, cut
from stockwire.transport.takeover.reception import (
    STREAM_PATH,
    WS_PATH,
    Fields,
    Reception,
    guards,
    handshake_key,
    joined,
    offered,
    switch,
)


class Requests(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, but for requests for streams. The first head must come within `patience` seconds."""

    def __init__(self, reception: Reception, *uvicorns: Any, patience: float = HEAD_SECONDS) -> None:
        super().__init__(*uvicorns)
        self.reception = reception
        self._patience = patience
        self._body: bytearray | None = None
        self._whole = False
        self._heading = False
        self._head_bytes = 0
        self._fault: StockwireError | None = None
        self._answer: RequestResponseCycle | None = None
        self._owed = Deadline(self.loop)

    # --- a connection and its heads -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there, and owes a head."""
        super().connection_made(transport)
        self._untaken = Untaken(self.loop, transport, self._cut)
        self._owed.set(self._patience, self._head_missed)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._owed.clear()
        self._untaken.clear()
        self._silence()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answer = cycle
        super()._start_asgi_task(cycle, app)

    def _silence(self) -> None:
        """Let the answer under way go nowhere, and those behind it not begin. (uvicorn silences the newest alone.)"""
        self.pipeline.clear()
        if self._answer is not None:
            self._answer.disconnected = True
            self._answer.message_event.set()

    def _cut(self) -> None:
        self._silence()
        cut(self.transport)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._heading = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """A request's head is there."""
        self._heading = False
        self._owed.clear()
        if self._fault is None and _size(self.url, self.headers) > HEAD_BYTES:
            self._fault = HeadTooLarge()
        elif len(self.pipeline) >= REQUESTS_AHEAD:
            self._fault = TooMany()
        if self._fault is not None:
            return
        if self._takes():
            self.scope["method"] = self.parser.get_method().decode("ascii")
            self._body = bytearray()
            self._owed.set(STREAM_BODY_SECONDS, self._body_missed)
            return
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """An answer is given; when no other is under way, the client owes the next head."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._untaken.watch()
        elif not self._answering():
            self._owed.set(HEAD_SECONDS, self._head_missed)

    def timeout_keep_alive_handler(self) -> None:
        """The client said nothing after an answer."""
        super().timeout_keep_alive_handler()
        self._untaken.watch()

    def _head_missed(self) -> None:
        if self._heading:
            self.refuse(TooSlow(f"the head of the request did not come within {HEAD_SECONDS} seconds"))
        else:
            self.transport.close()
            self._untaken.watch()

    def _body_missed(self) -> None:
        self.refuse(TooSlow())

    def pause_writing(self) -> None:
        """The client does not take what it is sent."""
        super().pause_writing()
        self._untaken.watch()

    def resume_writing(self) -> None:
        """The client took it."""
        super().resume_writing()
        self._untaken.clear()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self.refuse(Invalid("this is not a request of HTTP/1.1"))

    # --- event streams: taken between the parser's callbacks ------------------------------------------------------

    def _takes(self) -> bool:
        return (
            self.url.partition(b"?")[0] == STREAM_PATH
            and self.parser.get_method() in (b"GET", b"POST")
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and not self.root_path
            and not self._answering()
        )

    def _answering(self) -> bool:
        """Whether an answer to an earlier request is still under way."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def on_body(self, body: bytes) -> None:
        """More of a request's body."""
        if self._body is None:
            if self._fault is None:
                super().on_body(body)
        elif len(self._body) <= STREAM_BODY_BYTES:
            self._body += body

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._body is None:
            if self._fault is None:
                super().on_message_complete()
        else:
            self._whole = True

    def data_received(self, data: bytes) -> None:
        """More from the client."""
        heading = self._heading
        super().data_received(data)
        if heading and self._heading:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._fault = HeadTooLarge()
        if self.transport.is_closing():
            return
        if self._fault is not None:
            self.refuse(self._fault)
        elif self._body is not None and (self._whole or len(self._body) > STREAM_BODY_BYTES):
            self._take_events(bytes(self._body))

    def shutdown(self) -> None:
        """The server stops; a request for a stream that is not whole is nothing to wait for."""
        if self._body is not None:
            self.transport.close()
        else:
            super().shutdown()

    def _take_events(self, body: bytes) -> None:
        headers = self._asker()
        try:
            if len(body) > STREAM_BODY_BYTES:
                raise TooLarge("the body of a stream request is at most 64 KiB")
            query = self.url.partition(b"?")[2]
            link = self.reception.events(self.transport, headers, query, body, self.server_state.default_headers)
        except StockwireError as error:
            self.refuse(error)
        else:
            self._hand_over(link)

    def _asker(self) -> Headers:
        return caller(self.headers, self.client[0] if self.client else "", self.config.forwarded_allow_ips)

    def refuse(self, error: StockwireError) -> None:
        """Answer with problem+json and close; only close when another answer is under way."""
        self._owed.clear()
        if self._answering():
            self._cut()
            return
        body = encode(problem(error))
        fields: Fields = [
            (b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"), *guards(),
        ]  # fmt: skip
        if error.retry_after is not None:
            fields.append((b"retry-after", str(error.retry_after).encode()))
        status = b"HTTP/1.1 %d %s\r\n" % (error.status, HTTPStatus(error.status).phrase.encode())
        self.transport.write(b"".join((status, joined(self.server_state.default_headers + fields), b"\r\n", body)))
        self.transport.close()
        self._untaken.watch()

    # --- WebSockets -----------------------------------------------------------------------------------------------

    def handle_websocket_upgrade(self) -> None:
        """A request to become a WebSocket."""
        if self._fault is not None:
            return
        if self.url.partition(b"?")[0] != WS_PATH or self.root_path:
            super().handle_websocket_upgrade()
            return
        headers = self._asker()
        try:
            link = self.reception.websocket(self.transport, headers, self.server_state.default_headers)
        except StockwireError as error:
            self.turn_away(headers, error)
        else:
            self._hand_over(link)

    def turn_away(self, headers: Headers, error: StockwireError) -> None:
        """Refuse an opening handshake. A page cannot read the status of a refused one, so when it has to sign in it gets a
        close code (P1.8), over a subprotocol that it offered: without one browsers fail the handshake, and the code is lost.
        """
        if not isinstance(error, Unauthenticated) or headers.get(b"origin") is None:
            self.refuse(error)
            return
        payload = error.close_code.to_bytes(2, "big") + error.code.encode()
        head = switch(handshake_key(headers), offered(headers), None, self.server_state.default_headers)
        self.transport.write(head + websocket_message(0x88, payload))
        self.transport.close()

    # --- both -----------------------------------------------------------------------------------------------------

    def _hand_over(self, link: TransportLink) -> None:
        """A link owns the transport from now on."""
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        self._owed.clear()
        paused = self._untaken.any
        self._untaken.clear()
        del self.parser, self.flow, self.cycle
        if paused:
            link.pause_writing()


def _size(url: bytes, headers: Fields) -> int:
    """The bytes of a head, about."""
    return len(url) + sum([len(name) + len(value) for name, value in headers])
