"""A simulated socket: the product's own connection protocols over bytes, cut into pieces, late, lost or stuck.

`Wire` is the server's asyncio transport and the client's end in one. The kernel between them takes `WINDOW` bytes that
the client has not read; what is beyond stays in the transport, which then tells its protocol to pause. The clients at
the bottom speak WebSocket and Server-Sent Events with a few lines of their own.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections import deque
from typing import Any

from tests.simulation.network import GIVEN_UP, Cut

WINDOW = 12 * 1024
KEY = "c3RvY2t3aXJlLWtleS0xMg=="


class Wire(asyncio.Transport):
    """One connection. The server's side is the transport, the client's `say` and `get`."""

    kind = "bytes"

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.state = "open"
        self.slowness = dice.choice((0.002, 0.01, 0.05, 0.3))
        self._dice = dice
        self._loop = asyncio.get_running_loop()
        self._protocol: Any = None
        self._closing = False
        self._lost = False
        self._buffer = bytearray()
        self._paused = False
        self._unread = 0
        self._down: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._under_way_down: deque[bytes] = deque()
        self._under_way_up: deque[bytes] = deque()
        self._held_up: list[bytes] = []
        self._reading = True
        self._down_at = self._up_at = 0.0

    # The server's side

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._tell()

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def writelines(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def write(self, data: Any) -> None:
        if self._lost:
            raise RuntimeError("the transport is closed")
        if not self._closing:
            self._buffer += data
            self._push()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._push()

    def abort(self) -> None:
        self._closing = True
        self._lose(None)

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        held, self._held_up = self._held_up, []
        for data in held:
            self._protocol.data_received(data)

    def _push(self) -> None:
        """Hand the kernel what it takes."""
        room = WINDOW - self._unread
        if room > 0 and self._buffer:
            data = bytes(self._buffer[:room])
            del self._buffer[:room]
            self._unread += len(data)
            if self.state == "open":
                self._send(data)
        self._tell()
        if self._closing and not self._buffer and not self._lost:
            self._loop.call_at(max(self._down_at, self._loop.time()) + 0.001, self._end)

    def _send(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            size = self._dice.choice((50, 1_500, 8_000))
            self._down_at = max(self._down_at, self._loop.time() + self._latency())
            self._under_way_down.append(data[at : at + size])
            self._loop.call_at(self._down_at, self._arrive)
            at += size

    def _arrive(self) -> None:
        if self.state == "open":
            self._down.put_nowait(self._under_way_down.popleft())

    def _tell(self) -> None:
        """Tell the protocol to pause as long as anything is held back."""
        if self._lost or self._protocol is None or bool(self._buffer) is self._paused:
            return
        self._paused = bool(self._buffer)
        self._loop.call_soon(self._pause if self._paused else self._resume)

    def _pause(self) -> None:
        if not self._lost:
            self._protocol.pause_writing()

    def _resume(self) -> None:
        if not self._lost:
            self._protocol.resume_writing()

    def _end(self) -> None:
        """Everything was sent: the client hears of the end."""
        if self.state == "open":
            self.state = "cut"
            self._down.put_nowait(None)
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._loop.call_soon(self._protocol.connection_lost, error)
        if self.state == "open":
            self.state = "cut"
            self._down.put_nowait(None)

    # The client's side

    def say(self, data: bytes) -> None:
        if self.state == "open":
            self._up_at = max(self._up_at, self._loop.time() + self._latency())
            self._under_way_up.append(data)
            self._loop.call_at(self._up_at, self._heard)

    def _heard(self) -> None:
        if self.state != "open" or self._lost:
            return
        data = self._under_way_up.popleft()
        if self._reading:
            self._protocol.data_received(data)
        else:
            self._held_up.append(data)

    async def get(self, patience: float) -> bytes:
        """The next bytes. Raises Cut when there will be none, or none come for `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                data = await self._down.get()
        except TimeoutError:
            raise Cut from None
        if data is None:
            raise Cut
        self._unread -= len(data)
        if not self._lost:
            self._push()
        return data

    # Faults

    def _latency(self) -> float:
        return self.slowness * (0.5 + self._dice.random())

    def cut(self) -> None:
        """Both sides hear of it."""
        if self.state != "cut":
            self.state = "cut"
            self._down.put_nowait(None)
        self._lose(ConnectionResetError("cut"))

    def silence(self) -> None:
        """Nobody hears anything any more."""
        if self.state == "open":
            self.state = "silent"
            self._loop.call_later(GIVEN_UP, self.cut)


def websocket_request(fields: dict[str, str], deflate: bool) -> bytes:
    """An opening handshake."""
    more = {"Sec-WebSocket-Extensions": "permessage-deflate"} if deflate else {}
    return _request("GET /api/v1/ws", {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "stockwire.v1", **more, **fields,
    })  # fmt: skip


def events_request(query: str, fields: dict[str, str], gzip: bool) -> bytes:
    """A request for an event stream."""
    return _request(f"GET /api/v1/stream?{query}", {"Accept-Encoding": "gzip" if gzip else "identity", **fields})


def _request(line: str, fields: dict[str, str]) -> bytes:
    head = [f"{line} HTTP/1.1", "Host: shop.example", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*head, "", ""]).encode()


def masked_text(text: str) -> bytes:
    """A client's text message (RFC 6455), masked with zeros."""
    data = text.encode()
    size = len(data)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
    return head + bytes(4) + data


class _Answer:
    """What has come of an answer: first the head, then the rest."""

    def __init__(self) -> None:
        self._held = b""
        self.status = 0
        self.head = b""

    def _body(self, data: bytes) -> bytes:
        """The bytes behind the head that are not used up, with `data`."""
        self._held += data
        if not self.status:
            head, end, rest = self._held.partition(b"\r\n\r\n")
            if not end:
                return b""
            self.head = head.lower()
            self.status = int(head.split(b" ", 2)[1])
            self._held = rest
        return self._held


class WebSocketAnswer(_Answer):
    """A server's WebSocket: takes bytes, gives texts. Raises Cut at a refusal or a close."""

    def take(self, data: bytes) -> list[bytes]:
        held = self._body(data)
        if self.status not in (0, 101):
            raise Cut
        texts = []
        while len(held) >= 2:
            size, start = held[1], 2
            if size == 126:
                size, start = int.from_bytes(held[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(held[2:10], "big"), 10
            if len(held) < start + size:
                break
            payload = held[start : start + size]
            match held[0]:
                case 0x81:
                    texts.append(payload)
                case 0xC1:
                    texts.append(zlib.decompress(payload + b"\x00\x00\xff\xff\x03\x00", -15))
                case 0x88:
                    if texts:
                        break
                    raise Cut
            held = held[start + size :]
        if self.status:
            self._held = held
        return texts


class EventsAnswer(_Answer):
    """A server's event stream, chunked and perhaps compressed: takes bytes, gives events."""

    def __init__(self) -> None:
        super().__init__()
        self._text = b""
        self._unpack: Any = None

    def take(self, data: bytes) -> list[bytes]:
        held = self._body(data)
        if self.status not in (0, 200):
            raise Cut
        if self._unpack is None and b"content-encoding: gzip" in self.head:
            self._unpack = zlib.decompressobj(31)
        while b"\r\n" in held:
            line, _, rest = held.partition(b"\r\n")
            size = int(line, 16)
            if size == 0:
                raise Cut
            if len(rest) < size + 2:
                break
            piece = rest[:size]
            self._text += self._unpack.decompress(piece) if self._unpack is not None else piece
            held = rest[size + 2 :]
        if self.status:
            self._held = held
        *events, self._text = self._text.split(b"\n\n")
        return events
