"""The doorway: a connection until it is known what it is for.

When many come back at once, each brings the head of a request for a stream, in one piece; such a connection becomes a
link at once, and nothing of HTTP is ever made for it. Any other is given to uvicorn with what it said.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stockwire.core.errors import StockwireError
from stockwire.engine.limits import HEAD_SECONDS
from stockwire.transport.takeover.callers import caller
from stockwire.transport.takeover.heads import Head, stream_head
from stockwire.transport.takeover.reception import Reception
from stockwire.transport.takeover.requests import Requests

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

_STOOD_STILL: Final = 1.0
"""Seconds that the porch looks late only when the whole process stood still."""


class Uvicorns(NamedTuple):
    """What uvicorn makes a connection's protocol with."""

    config: Config
    state: ServerState
    app_state: dict[str, Any]
    loop: asyncio.AbstractEventLoop


class Porch:
    """Those at the door, in the order they came, each with the moment by which it must have said something. All are given
    the same time, so one timer is enough: the first to come is the first to be late.
    """

    def __init__(self) -> None:
        self._waiting: dict[Doorway, float] = {}
        self._timer_at: float | None = None

    def enter(self, who: Doorway) -> None:
        """Somebody is at the door."""
        loop = who.uvicorns.loop
        at = self._waiting[who] = loop.time() + HEAD_SECONDS
        if self._timer_at is None:
            self._look_at(at, loop)

    def leave(self, who: Doorway) -> float:
        """Somebody is not any more; gives until when it would have been waited for."""
        return self._waiting.pop(who, 0.0)

    def _look_at(self, at: float, loop: asyncio.AbstractEventLoop) -> None:
        self._timer_at = at
        loop.call_at(at, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send away whoever said nothing. (A process that stood still reads first what came meanwhile.)"""
        now = loop.time()
        if self._timer_at is not None and now - self._timer_at > _STOOD_STILL:
            self._look_at(now + _STOOD_STILL, loop)
            return
        self._timer_at = None
        for who, at in list(self._waiting.items()):
            if at > now:
                self._look_at(at, loop)
                return
            who.send_away()


class Doorway(asyncio.Protocol):
    """A connection whose first bytes have not come."""

    __slots__ = ("_porch", "_reception", "transport", "uvicorns")

    transport: asyncio.Transport

    def __init__(self, reception: Reception, porch: Porch, uvicorns: Uvicorns) -> None:
        self._reception = reception
        self._porch = porch
        self.uvicorns = uvicorns

    @property
    def _connections(self) -> set[Any]:
        """All that uvicorn tells when it stops."""
        return self.uvicorns.state.connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there, and owes a head."""
        self.transport = transport
        self._connections.add(self)
        self._porch.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._gone()

    def data_received(self, data: bytes) -> None:
        """The first bytes."""
        head = stream_head(data) if not self.uvicorns.config.root_path else None
        if head is None:
            self._pass_on().data_received(data)
        else:
            self._let_in(head)

    def _let_in(self, head: Head) -> None:
        peer = self.transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        headers = caller(head.fields, address, self.uvicorns.config.forwarded_allow_ips)
        always = self.uvicorns.state.default_headers
        try:
            if head.upgrade:
                self._reception.websocket(self.transport, headers, always)
            else:
                self._reception.events(self.transport, headers, head.query, b"", always)
        except StockwireError as error:
            requests = self._pass_on()
            (requests.turn_away(headers, error) if head.upgrade else requests.refuse(error))
        else:
            self._gone()

    def _pass_on(self) -> Requests:
        """Let uvicorn have the connection, with what is left of the time for its head."""
        left = self._gone() - self.uvicorns.loop.time()
        requests = Requests(self._reception, *self.uvicorns, patience=left)
        self.transport.set_protocol(requests)
        requests.connection_made(self.transport)
        return requests

    def _gone(self) -> float:
        self._connections.discard(self)
        return self._porch.leave(self)

    def send_away(self) -> None:
        """Nothing came in time."""
        self.transport.close()

    def shutdown(self) -> None:
        """The server stops. (uvicorn says so to every connection.)"""
        self.transport.close()
