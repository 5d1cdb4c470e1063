"""The two kinds of connections that the rounds write to: a WebSocket and an event stream, each an asyncio protocol."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from stockwire.core.allowance import Allowance
from stockwire.core.errors import TooMany
from stockwire.core.session import Ending, Session
from stockwire.engine.forms import LAST_CHUNK, Form, websocket_message
from stockwire.engine.limits import FRAMES_A_SECOND, FRAMES_AT_ONCE
from stockwire.engine.rounds import Link
from stockwire.engine.streams import Streams
from stockwire.transport.takeover.inbound import FLOOD, Broken, Close, Inbox, Ping, Text, plain_texts
from stockwire.transport.takeover.patience import cut

_CLOSE: Final = 0x88


class TransportLink(Link, asyncio.Protocol):
    """A link over an asyncio transport, of a connection that was counted under `address`."""

    __slots__ = ("_address", "_streams", "transport")

    def __init__(
        self, streams: Streams, session: Session, form: Form, transport: asyncio.Transport, ends_at: float, address: str
    ) -> None:
        super().__init__(streams.rounds, session, form, transport, ends_at)
        self.transport = transport
        self._streams = streams
        self._address = address

    def begin(self, credential: bytes, said: bytes = b"") -> None:
        """The transport is the link's from now on; the client was let in by that credential. `said` comes before everything
        else: the answer's head, and what the session said at its opening.
        """
        self.transport.set_protocol(self)
        self._streams.admission.seat(self, credential)
        self.rounds.join(self, said)

    def attend(self) -> None:
        """Have no bytes wait in the transport unnoticed; from then on the socket may be written to while none do."""
        if not self.transport.is_closing():
            self.transport.set_write_buffer_limits(high=0)
            self.descriptor = descriptor_of(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over. (Its socket is open until now, but not much longer.)"""
        self.descriptor = -1
        self.rounds.gone(self)
        self._streams.admission.unseat(self)
        self._streams.admission.leave(self._address)

    def cut(self) -> None:
        """End the connection at once."""
        cut(self.transport)

    def pause_writing(self) -> None:
        """The transport holds bytes back."""
        self.rounds.late(self)

    def resume_writing(self) -> None:
        """The transport has written everything."""
        self.rounds.on_time(self)


class EventLink(TransportLink):
    """An event stream. What the client still sends is of no interest."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Nothing follows a request for a stream."""

    def finish(self, ending: Ending) -> None:
        """End the answer."""
        if not self.transport.is_closing():
            self.send(LAST_CHUNK)
            self.transport.close()


class WebSocketLink(TransportLink):
    """A WebSocket after its handshake."""

    __slots__ = ("_allowance", "_closing", "_inbox", "_suspended")

    def __init__(
        self, streams: Streams, session: Session, form: Form, transport: asyncio.Transport, ends_at: float, address: str
    ) -> None:
        super().__init__(streams, session, form, transport, ends_at, address)
        self._inbox: Inbox | None = None
        self._allowance = Allowance(FRAMES_AT_ONCE, FRAMES_A_SECOND, streams.monotonic())
        self._closing = False
        self._suspended = False

    def data_received(self, data: bytes) -> None:
        """The client says something. Of one that floods us nothing is heard any more, not even its close."""
        if self._closing and not self._may():
            return
        texts = plain_texts(data) if self._inbox is None else None
        if texts is None:
            self._read(data)
        elif not self._closing:
            self._hear(texts)

    def _hear(self, texts: list[str]) -> None:
        heard = [text for text in texts if self._may()]
        self.rounds.receive(self, *heard)
        if len(heard) < len(texts) and not self._closing:
            self.rounds.refuse(self, TooMany(FLOOD))

    def _read(self, data: bytes) -> None:
        inbox = self._inbox or Inbox(deflated=self.form is Form.DEFLATED)
        self._inbox = inbox
        for said in inbox.take(data, self._may):
            match said:
                case Close(code, reason):
                    self._closed(code, reason)
                    return
                case _ if self._closing:
                    continue
                case Text(text):
                    self.rounds.receive(self, text)
                case Ping(answer):
                    self.send(answer)
                case Broken(error):
                    self.rounds.refuse(self, error)
        if inbox.idle:
            self._inbox = None

    def _may(self) -> bool:
        return self._allowance.take(self._streams.monotonic())

    def _closed(self, code: int, reason: str) -> None:
        """The client closes, or answers our close."""
        if not self._closing:
            self.rounds.hang_up(self, Ending(code, reason))
        self.transport.close()

    def finish(self, ending: Ending) -> None:
        """Begin the closing handshake; the client's answer, or a deadline, ends the connection."""
        self._closing = True
        if not self.transport.is_closing():
            payload = ending.code.to_bytes(2, "big") + ending.reason.encode()[:120]
            self.send(websocket_message(_CLOSE, payload))

    def pause_writing(self) -> None:
        """Who does not take our bytes is not listened to either, or the answers would grow without bound."""
        super().pause_writing()
        if not self._closing:
            self._suspended = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The transport has written everything."""
        if self._suspended:
            self._suspended = False
            self.transport.resume_reading()
        super().resume_writing()


def descriptor_of(transport: asyncio.Transport) -> int:
    """The transport's socket, if what is written there is what the client reads; else -1."""
    connection = transport.get_extra_info("socket")
    if os.name != "posix" or connection is None or transport.get_extra_info("sslcontext") is not None:
        return -1
    return int(connection.fileno())
