"""The streams close to the kernel: after uvicorn's ordinary HTTP parse, `/api/v1/ws` and `/api/v1/stream` leave it.

`http_protocol` gives the class for `uvicorn.Config(http=...)`. A request for a stream is parsed by uvicorn as any
other, signs in and passes admission as any other; then a slim protocol owns the transport and the rounds write
prebuilt bytes to it: no task, no queue, no timer per client. Whatever is not taken over (HTTP/1.0, a mounted
application, another server) is served by the plain ASGI classes with the same sessions.

uvicorn's class is made for being replaced, its inside is not: `tests/transport/test_uvicorn_internals.py` holds what
is used here, and the dependency is pinned to one minor series.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import socket
import sys
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from wsproto.utilities import generate_accept_token

from stockwire.core.errors import HeadTooLarge, Invalid, StockwireError, TooLarge, TooMany, TooSlow, Unauthenticated
from stockwire.core.session import Session
from stockwire.core.wire import encode, problem
from stockwire.engine.access import Authorise, Headers, Reader
from stockwire.engine.asking import Asking, begin, parse_asking
from stockwire.engine.exchange import ALWAYS, API_POLICY, UNSTORED, takes_gzip
from stockwire.engine.forms import GZIP_BEGINS, Form, alone, chunk, stored, websocket_message
from stockwire.engine.limits import HEAD_BYTES, HEAD_SECONDS, REQUESTS_AHEAD, STREAM_BODY_BYTES, STREAM_BODY_SECONDS
from stockwire.engine.streams import EVENTS_LIFETIME, RETRY, WEBSOCKET_LIFETIME, Streams, subprotocol
from stockwire.transport.takeover.inbound import agreed
from stockwire.transport.takeover.links import EventLink, TransportLink, WebSocketLink
from stockwire.transport.takeover.patience import Deadline, Untaken, cut

WS_PATH: Final = b"/api/v1/ws"
STREAM_PATH: Final = b"/api/v1/stream"
NOTSENT: Final = 8 * 1024
"""Bytes the kernel takes ahead of what it can send (TCP_NOTSENT_LOWAT). More would hide a stalled reader for long."""
USER_TIMEOUT: Final = 60_000
"""Milliseconds after which the kernel gives up a peer that acknowledges nothing (TCP_USER_TIMEOUT)."""

Fields = list[tuple[bytes, bytes]]


def http_protocol(streams: Streams, authorise: Authorise) -> type[HttpToolsProtocol]:
    """The class for `uvicorn.Config(http=...)` that serves the streams itself."""

    class Protocol(StreamProtocol):
        pass

    Protocol.streams = streams
    Protocol.authorise = staticmethod(authorise)
    return Protocol


class StreamProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, but for requests for streams."""

    streams: Streams
    authorise: Authorise

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
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
        self._owed.set(HEAD_SECONDS, self._head_missed)

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
            self._refuse(TooSlow(f"the head of the request did not come within {HEAD_SECONDS} seconds"))
        else:
            self.transport.close()
            self._untaken.watch()

    def _body_missed(self) -> None:
        self._refuse(TooSlow())

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
        self._refuse(Invalid("this is not a request of HTTP/1.1"))

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
            self._refuse(self._fault)
        elif self._body is not None and (self._whole or len(self._body) > STREAM_BODY_BYTES):
            self._take_events(bytes(self._body))

    def shutdown(self) -> None:
        """The server stops; a request for a stream that is not whole is nothing to wait for."""
        if self._body is not None:
            self.transport.close()
        else:
            super().shutdown()

    def _take_events(self, body: bytes) -> None:
        streams = self.streams
        headers = self._asker()
        try:
            if len(body) > STREAM_BODY_BYTES:
                raise TooLarge("the body of a stream request is at most 64 KiB")
            reader = self.authorise(headers)
            asking = _asking(self.url.partition(b"?")[2], body)
            with streams.admission.entering(headers.address):
                session = streams.session(reader)
                first = _begun(session, asking, streams.monotonic(), headers.get(b"last-event-id"))
        except StockwireError as error:
            self._refuse(error)
            return
        form = Form.GZIP if takes_gzip(headers) else Form.EVENT
        pieces = [self._head(_event_fields(form)), _first(form)]
        pieces += [alone(form, each) for each in first]
        self.transport.write(b"".join(pieces))
        self._hand_over(EventLink, session, form, EVENTS_LIFETIME, headers.address, reader)

    def _asker(self) -> Headers:
        return Headers(self.headers, self.client[0] if self.client else "")

    def _head(self, fields: bytes) -> bytes:
        return b"".join((b"HTTP/1.1 200 OK\r\n", _joined(self.server_state.default_headers), fields))

    def _refuse(self, error: StockwireError) -> None:
        """Answer with problem+json and close; only close when another answer is under way."""
        self._owed.clear()
        if self._answering():
            self._cut()
            return
        body = encode(problem(error))
        fields: Fields = [
            (b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"), *_guards(),
        ]  # fmt: skip
        if error.retry_after is not None:
            fields.append((b"retry-after", str(error.retry_after).encode()))
        status = b"HTTP/1.1 %d %s\r\n" % (error.status, HTTPStatus(error.status).phrase.encode())
        self.transport.write(b"".join((status, _joined(self.server_state.default_headers + fields), b"\r\n", body)))
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
        streams = self.streams
        headers = self._asker()
        try:
            key = _handshake_key(headers)
            reader = self.authorise(headers)
            with streams.admission.entering(headers.address):
                session = streams.session(reader)
        except Unauthenticated as error:
            if headers.get(b"origin") is None:
                self._refuse(error)
            else:
                self._turn_away(key, headers, error)
            return
        except StockwireError as error:
            self._refuse(error)
            return
        extension = agreed(", ".join(_all(headers, b"sec-websocket-extensions")))
        self.transport.write(self._switch(key, subprotocol(_offers(headers)), extension))
        form = Form.TEXT if extension is None else Form.DEFLATED
        self._hand_over(WebSocketLink, session, form, WEBSOCKET_LIFETIME, headers.address, reader)

    def _switch(self, key: str, chosen: str | None, extension: str | None) -> bytes:
        fields: Fields = [
            (b"upgrade", b"websocket"), (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", generate_accept_token(key.encode())),
        ]  # fmt: skip
        if chosen is not None:
            fields.append((b"sec-websocket-protocol", chosen.encode()))
        if extension is not None:
            fields.append((b"sec-websocket-extensions", extension.encode()))
        lines = _joined(self.server_state.default_headers + fields)
        return b"".join((b"HTTP/1.1 101 Switching Protocols\r\n", lines, b"\r\n"))

    def _turn_away(self, key: str, headers: Headers, error: Unauthenticated) -> None:
        """A page cannot read the status of a refused handshake, so it gets a close code (P1.8), over a subprotocol that it
        offered: without one browsers fail the handshake, and the code is lost.
        """
        payload = error.close_code.to_bytes(2, "big") + error.code.encode()
        self.transport.write(self._switch(key, subprotocol(_offers(headers)), None) + websocket_message(0x88, payload))
        self.transport.close()

    # --- both -----------------------------------------------------------------------------------------------------

    def _hand_over(
        self, kind: type[TransportLink], session: Session, form: Form, lifetime: float, address: str, reader: Reader
    ) -> None:
        """Let a link own the transport from now on."""
        streams = self.streams
        transport = self.transport
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        self._owed.clear()
        paused = self._untaken.any
        self._untaken.clear()
        _tune(transport)
        address = sys.intern(address)
        link = kind(streams, session, form, transport, streams.ends_at(lifetime), address)
        del self.parser, self.flow, self.cycle
        link.begin(reader.credential)
        if paused:
            link.pause_writing()


def _size(url: bytes, headers: Fields) -> int:
    """The bytes of a head, about."""
    return len(url) + sum([len(name) + len(value) for name, value in headers])


def _tune(transport: asyncio.Transport) -> None:
    """Have the kernel hold little, and give up the dead."""
    connection = transport.get_extra_info("socket")
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    # uvloop's stand-in for a socket makes a real one for each call; one for all is cheaper.
    real = socket.socket(connection.family, connection.type, connection.proto, connection.fileno())
    try:
        for option, value in _OPTIONS:
            real.setsockopt(socket.IPPROTO_TCP, option, value)
    finally:
        real.detach()


_OPTIONS: Final = tuple(
    (getattr(socket, name), value)
    for name, value in (("TCP_NOTSENT_LOWAT", NOTSENT), ("TCP_USER_TIMEOUT", USER_TIMEOUT))
    if hasattr(socket, name)
)


def _handshake_key(headers: Headers) -> str:
    """The key of a proper opening handshake (RFC 6455, 4.2.1). Raises Invalid."""
    key = headers.get(b"sec-websocket-key") or ""
    try:
        proper = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        proper = False
    if not proper or headers.get(b"sec-websocket-version") != "13":
        raise Invalid("not a WebSocket handshake of version 13")
    return key


def _all(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers.pairs if key == name]


def _offers(headers: Headers) -> list[str]:
    return [offer.strip() for offer in ",".join(_all(headers, b"sec-websocket-protocol")).split(",")]


def _joined(fields: Fields) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def _guards() -> Fields:
    """What every answer of a stream says to caches, proxies and browsers."""
    fields = dict(ALWAYS) | dict(UNSTORED) | {b"content-security-policy": API_POLICY.encode()}
    return list(fields.items())


@lru_cache(maxsize=2)
def _event_fields(form: Form) -> bytes:
    fields: Fields = [
        (b"content-type", b"text/event-stream; charset=utf-8"), (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"), *_guards(),
    ]  # fmt: skip
    if form is Form.GZIP:
        fields.append((b"content-encoding", b"gzip"))
    return _joined(fields) + b"\r\n"


@lru_cache(maxsize=2)
def _first(form: Form) -> bytes:
    """What comes before the first event: how soon to come back."""
    return chunk(GZIP_BEGINS + stored(RETRY) if form is Form.GZIP else RETRY)


@lru_cache(maxsize=256)
def _asking(query: bytes, body: bytes) -> Asking:
    return parse_asking(query, body)


def _begun(session: Session, asking: Asking, now: float, last_event_id: str | None) -> list[Any]:
    try:
        return begin(session, asking, now, last_event_id)
    except StockwireError:
        session.close()
        raise


__all__ = ["Reader", "StreamProtocol", "http_protocol"]
