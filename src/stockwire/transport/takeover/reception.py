"""Reception: how a request for a stream becomes a link, whoever read its head.

Signs in, passes admission, writes the head of the answer and hands the transport to a link. Nothing is written when it
raises.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import sys
from functools import lru_cache
from typing import Final

from wsproto.utilities import generate_accept_token

from stockwire.core.errors import Invalid, StockwireError
from stockwire.core.wire import Frame
from stockwire.engine.access import Authorise, Headers
from stockwire.engine.asking import Asking, begin, parse_asking
from stockwire.engine.exchange import ALWAYS, API_POLICY, UNSTORED, takes_gzip
from stockwire.engine.forms import GZIP_BEGINS, Form, alone, chunk, stored
from stockwire.engine.streams import EVENTS_LIFETIME, RETRY, WEBSOCKET_LIFETIME, Streams, subprotocol
from stockwire.transport.takeover.inbound import agreed
from stockwire.transport.takeover.links import EventLink, TransportLink, WebSocketLink

Fields = list[tuple[bytes, bytes]]

WS_PATH: Final = b"/api/v1/ws"
STREAM_PATH: Final = b"/api/v1/stream"
_SHORT: Final = 2_048


class Reception:
    """Takes in those who ask for the streams; `authorise` says who they are."""

    def __init__(self, streams: Streams, authorise: Authorise) -> None:
        self.streams = streams
        self._authorise = authorise

    def websocket(self, transport: asyncio.Transport, headers: Headers, always: Fields) -> TransportLink:
        """Answer the opening handshake of a WebSocket, with the fields that every answer has; gives the link that owns the
        transport from now on. Raises Invalid, Unauthenticated, Forbidden, TooMany or Unavailable.
        """
        key = handshake_key(headers)
        reader = self._authorise(headers)
        with self.streams.admission.entering(headers.address):
            session = self.streams.session(reader)
        extension = agreed(headers.every(b"sec-websocket-extensions"))
        transport.write(switch(key, offered(headers), extension, always))
        form = Form.TEXT if extension is None else Form.DEFLATED
        ends_at = self.streams.ends_at(WEBSOCKET_LIFETIME)
        link = WebSocketLink(self.streams, session, form, transport, ends_at, sys.intern(headers.address))
        link.begin(reader.credential)
        return link

    def events(
        self, transport: asyncio.Transport, headers: Headers, query: bytes, body: bytes, always: Fields
    ) -> TransportLink:
        """Begin the answer to a request for an event stream; gives the link that owns the transport from now on. Raises
        Invalid, TooLarge, Unauthenticated, Forbidden, TooMany or Unavailable.
        """
        reader = self._authorise(headers)
        asking = _asking(query, body)
        last, now = headers.get(b"last-event-id") or "", self.streams.monotonic()
        openings = self.streams.rounds.openings
        with self.streams.admission.entering(headers.address):
            session = self.streams.session(reader)
            try:
                first = openings.begin(session, (query, body, last), lambda: begin(session, asking, now, last), now)
            except StockwireError:
                session.close()
                raise
        form = Form.GZIP if takes_gzip(headers) else Form.EVENT
        ends_at = self.streams.ends_at(EVENTS_LIFETIME)
        link = EventLink(self.streams, session, form, transport, ends_at, sys.intern(headers.address))
        link.begin(reader.credential, _beginning(form, always, first))
        return link


def handshake_key(headers: Headers) -> str:
    """The key of a proper opening handshake (RFC 6455, 4.2.1). Raises Invalid."""
    key = headers.get(b"sec-websocket-key") or ""
    try:
        proper = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        proper = False
    if not proper or headers.get(b"sec-websocket-version") != "13":
        raise Invalid("not a WebSocket handshake of version 13")
    return key


def offered(headers: Headers) -> str | None:
    """The best of the subprotocols that a handshake offers."""
    offers = headers.every(b"sec-websocket-protocol")
    return subprotocol([offer.strip() for offer in offers.split(",")]) if offers else None


def switch(key: str, chosen: str | None, extension: str | None, always: Fields) -> bytes:
    """The head that switches to a WebSocket."""
    pieces = [b"HTTP/1.1 101 Switching Protocols\r\n", joined(always), _UPGRADES, generate_accept_token(key.encode())]
    if chosen is not None:
        pieces += (b"\r\nsec-websocket-protocol: ", chosen.encode())
    if extension is not None:
        pieces += (b"\r\nsec-websocket-extensions: ", extension.encode())
    pieces.append(b"\r\n\r\n")
    return b"".join(pieces)


_UPGRADES: Final = b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: "


def joined(fields: Fields) -> bytes:
    """The fields as they stand in a head."""
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def guards() -> Fields:
    """What every answer of a stream says to caches, proxies and browsers."""
    fields = dict(ALWAYS) | dict(UNSTORED) | {b"content-security-policy": API_POLICY.encode()}
    return list(fields.items())


def _beginning(form: Form, always: Fields, first: list[Frame]) -> bytes:
    """The head of an event stream, and the frames that it begins with."""
    pieces = [b"HTTP/1.1 200 OK\r\n", joined(always), _event_fields(form), _first(form)]
    pieces += [alone(form, each) for each in first]
    return b"".join(pieces)


@lru_cache(maxsize=2)
def _event_fields(form: Form) -> bytes:
    fields: Fields = [
        (b"content-type", b"text/event-stream; charset=utf-8"), (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"), *guards(),
    ]  # fmt: skip
    if form is Form.GZIP:
        fields.append((b"content-encoding", b"gzip"))
    return joined(fields) + b"\r\n"


@lru_cache(maxsize=2)
def _first(form: Form) -> bytes:
    """What comes before the first event: how soon to come back."""
    return chunk(GZIP_BEGINS + stored(RETRY) if form is Form.GZIP else RETRY)


_short_asking = lru_cache(maxsize=256)(parse_asking)


def _asking(query: bytes, body: bytes) -> Asking:
    """What a request asks for. What many ask for is understood once, unless it is long."""
    understand = _short_asking if len(query) + len(body) <= _SHORT else parse_asking
    return understand(query, body)
