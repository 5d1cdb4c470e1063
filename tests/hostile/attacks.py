"""Clients that mean harm, one function each. Every one gives how the server ended it: an HTTP status, a close code, or
`CUT` when the connection was closed without a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

CUT: Final = 0
_CLOSE: Final = 0x88


class Target:
    """The server that is attacked."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.key = key

    def head(self, line: str, *fields: str, key: str | None = None) -> bytes:
        """A request's head."""
        fields = ("Host: here", f"Authorization: Bearer {key or self.key}", *fields)
        return "\r\n".join((f"{line} HTTP/1.1", *fields, "", "")).encode()

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A connection. Its receive buffer is small, so that what is not read stays with the server."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=4_096)
        try:
            yield Line(reader, writer)
        finally:
            writer.transport.abort()

    @asynccontextmanager
    async def websocket(self, *, packed: bool = False, hello: bool = True) -> AsyncIterator[Line]:
        """A WebSocket, open unless told otherwise."""
        fields = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]  # fmt: skip
        if packed:
            fields.append("Sec-WebSocket-Extensions: permessage-deflate")
        async with self.line() as line:
            await line.say(self.head("GET /api/v1/ws", *fields))
            await line.reader.readuntil(b"\r\n\r\n")
            if hello:
                await line.say(frame(1, b'{"type":"hello","protocol":1,"client":"test/1"}'))
            yield line


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, data: bytes) -> None:
        """Send; raises OSError when the server has closed."""
        self.writer.write(data)
        await self.writer.drain()

    async def heard(self) -> bytes:
        """All that comes until the server closes."""
        found = bytearray()
        with contextlib.suppress(OSError):
            while piece := await self.reader.read(65_536):
                found += piece
                del found[:-100_000]
        return bytes(found)

    async def flood(self, data: bytes, pause: float = 0.0) -> None:
        """Send the same again and again until the server has had enough."""
        with contextlib.suppress(OSError):
            while not self.reader.at_eof():
                await self.say(data)
                await asyncio.sleep(pause)

    async def status(self) -> int:
        """The status of the last answer before the server closed."""
        found = re.findall(rb"HTTP/1.1 (\d+) ", await self.heard())
        return int(found[-1]) if found else CUT

    async def close_code(self) -> int:
        """The code of the close frame before the server closed."""
        heard = await self.heard()
        for at in range(len(heard) - 4, -1, -1):
            if heard[at] == _CLOSE and heard[at + 1] == len(heard) - at - 2:
                return int.from_bytes(heard[at + 2 : at + 4], "big")
        return CUT


def frame(
    opcode: int,
    payload: bytes,
    *,
    final: bool = True,
    packed: bool = False,
    length: int | None = None,
    mask: bytes = b"",
) -> bytes:
    """A client's frame; `length` may lie."""
    first = (0x80 if final else 0) | (0x40 if packed else 0) | opcode
    size = len(payload) if length is None else length
    if size < 126:
        sizes = bytes((0x80 | size,))
    elif size < 1 << 16:
        sizes = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        sizes = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    mask = mask or os.urandom(4)
    return bytes((first,)) + sizes + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


Attack = Callable[[Target], Awaitable[int]]
ATTACKS: Final[dict[str, tuple[Attack, tuple[int, ...]]]] = {}
"""Each attack with the ends it may come to."""


def attack(*ends: int) -> Callable[[Attack], Attack]:
    """Names an attack by its function, with its end. One that goes on sending may find the line `CUT` before it has read why."""

    def named(function: Attack) -> Attack:
        ATTACKS[function.__name__] = (function, ends)
        return function

    return named


async def _while_heard(line: Line, data: bytes, pause: float = 0.0) -> int:
    flooding = asyncio.create_task(line.flood(data, pause))
    try:
        return await line.status()
    finally:
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)


async def _ended_while(line: Line, data: bytes, pause: float = 0.0) -> int:
    flooding = asyncio.create_task(line.flood(data, pause))
    try:
        return await line.close_code()
    finally:
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)


# --- before there is a request ------------------------------------------------------------------------------------


@attack(CUT)
async def says_nothing(target: Target) -> int:
    async with target.line() as line:
        return await line.status()


@attack(CUT)
async def sends_blank_lines_for_ever(target: Target) -> int:
    async with target.line() as line:
        return await _while_heard(line, b"\r\n", 0.5)


@attack(408, CUT)
async def sends_its_head_slowly(target: Target) -> int:
    async with target.line() as line:
        await line.say(b"GET /healthz HTTP/1.1\r\n")
        return await _while_heard(line, b"X-More: 1\r\n", 0.5)


@attack(408, CUT)
async def sends_its_second_head_slowly(target: Target) -> int:
    async with target.line() as line:
        await line.say(target.head("GET /healthz"))
        await line.reader.readuntil(b"}")
        await line.say(b"GET /heal")
        return await _while_heard(line, b"t", 1.0)


@attack(431, CUT)
async def sends_headers_without_end(target: Target) -> int:
    async with target.line() as line:
        await line.say(b"GET /healthz HTTP/1.1\r\n")
        return await _while_heard(line, b"X-More: " + b"a" * 4_000 + b"\r\n", 0.01)


@attack(431, CUT)
async def sends_an_address_without_end(target: Target) -> int:
    async with target.line() as line:
        await line.say(b"GET /")
        return await _while_heard(line, b"a" * 4_000, 0.01)


@attack(400)
async def speaks_something_else(target: Target) -> int:
    async with target.line() as line:
        await line.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(64))
        return await line.status()


@attack(400)
async def smuggles_with_two_lengths(target: Target) -> int:
    async with target.line() as line:
        fields = ("Content-Length: 4", "Transfer-Encoding: chunked")
        await line.say(target.head("POST /api/v1/events", *fields) + b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")
        return await line.status()


# --- bodies -------------------------------------------------------------------------------------------------------


async def _body_slowly(target: Target, path: str) -> int:
    async with target.line() as line:
        fields = ("Content-Type: application/json", "Content-Length: 60000")
        await line.say(target.head(f"POST {path}", *fields))
        return await _while_heard(line, b" ", 1.0)


@attack(408, CUT)
async def sends_the_body_of_a_stream_slowly(target: Target) -> int:
    return await _body_slowly(target, "/api/v1/stream")


@attack(408, CUT)
async def sends_the_body_of_a_poll_slowly(target: Target) -> int:
    return await _body_slowly(target, "/api/v1/poll")


@attack(408)
async def begins_a_body_and_falls_silent(target: Target) -> int:
    async with target.line() as line:
        fields = ("Content-Type: application/json", "Content-Length: 60000")
        await line.say(target.head("POST /api/v1/events", *fields) + b"[")
        return await line.status()


@attack(401, CUT)
async def goes_on_sending_a_refused_body(target: Target) -> int:
    async with target.line() as line:
        fields = ("Content-Type: application/json", "Transfer-Encoding: chunked")
        await line.say(target.head("POST /api/v1/events", *fields, key="swk_wrong"))
        return await _while_heard(line, b"1000\r\n" + b" " * 4_096 + b"\r\n", 0.05)


@attack(413, CUT)
async def sends_a_body_that_inflates_without_end(target: Target) -> int:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b" " * 20_000_000) + packer.flush()
    async with target.line() as line:
        fields = ("Content-Type: application/json", "Content-Encoding: gzip", f"Content-Length: {len(bomb)}")
        await line.say(target.head("POST /api/v1/events", *fields, "Connection: close") + bomb)
        return await line.status()


# --- WebSockets ---------------------------------------------------------------------------------------------------


@attack(408)
async def shakes_half_a_hand(target: Target) -> int:
    async with target.line() as line:
        await line.say(b"GET /api/v1/ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-")
        return await line.status()


@attack(4502)
async def never_says_hello(target: Target) -> int:
    async with target.websocket(hello=False) as line:
        return await line.close_code()


@attack(4502)
async def says_half_a_hello(target: Target) -> int:
    async with target.websocket(hello=False) as line:
        await line.say(frame(1, b'{"type":', length=60))
        return await line.close_code()


@attack(4504, CUT)
async def sends_one_frame_without_end(target: Target) -> int:
    async with target.websocket() as line:
        await line.say(frame(1, b"", length=1 << 40, mask=bytes(4)))
        return await _ended_while(line, b"a" * 8_192, 0.001)


@attack(4013, CUT)
async def sends_empty_fragments(target: Target) -> int:
    async with target.websocket() as line:
        await line.say(frame(1, b"", final=False))
        return await _ended_while(line, frame(0, b"", final=False) * 500)


@attack(4013, CUT)
async def sends_fragments_of_a_letter(target: Target) -> int:
    async with target.websocket() as line:
        await line.say(frame(1, b"{", final=False))
        return await _ended_while(line, frame(0, b" ", final=False) * 500)


@attack(4013, CUT)
async def floods_with_pings(target: Target) -> int:
    async with target.websocket() as line:
        return await _ended_while(line, frame(9, b"") * 500)


@attack(4013, CUT)
async def floods_with_pongs(target: Target) -> int:
    async with target.websocket() as line:
        return await _ended_while(line, frame(10, b"") * 1_000)


@attack(4013, CUT)
async def floods_with_subscriptions(target: Target) -> int:
    wishes = b"".join(
        frame(1, b'{"type":"subscribe","id":"%d","feed":"inventory","filter":{"on_hand":{"lt":%d}}}' % (at % 9, at))
        for at in range(100)
    )
    async with target.websocket() as line:
        return await _ended_while(line, wishes)


@attack(4504, CUT)
async def sends_a_message_that_inflates_without_end(target: Target) -> int:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(b" " * 40_000_000) + packer.flush(zlib.Z_SYNC_FLUSH)
    async with target.websocket(packed=True) as line:
        await line.say(frame(1, bomb[:-4], packed=True))
        return await line.close_code()


@attack(1002)
async def does_not_mask(target: Target) -> int:
    async with target.websocket() as line:
        await line.say(b"\x81\x02{}")
        return await line.close_code()


# --- who never reads ----------------------------------------------------------------------------------------------


async def _unread(line: Line) -> int:
    """Read nothing until the server has cut the line, which a writer notices."""
    line.writer.transport.pause_reading()  # type: ignore[attr-defined]
    connection = line.writer.get_extra_info("socket")
    while _established(connection):  # noqa: ASYNC110 (the kernel tells nobody who does not read)
        await asyncio.sleep(0.25)
    return CUT


def _established(connection: socket.socket) -> bool:
    """Whether the kernel has the connection as open on both sides (the first byte of `tcp_info`)."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0] == 1


@attack(CUT)
async def never_reads_a_websocket(target: Target) -> int:
    async with target.websocket() as line:
        await line.say(frame(1, b'{"type":"subscribe","id":"a","feed":"inventory"}'))
        return await _unread(line)


@attack(CUT)
async def never_reads_an_event_stream(target: Target) -> int:
    async with target.line() as line:
        await line.say(target.head("GET /api/v1/stream?feed=inventory"))
        return await _unread(line)


@attack(CUT)
async def asks_often_and_never_reads(target: Target) -> int:
    async with target.line() as line:
        await line.say(target.head("GET /api/v1/inventory?limit=1000") * 10)
        return await _unread(line)


@attack(CUT)
async def asks_a_thousand_times_at_once(target: Target) -> int:
    async with target.line() as line:
        await line.say(target.head("GET /api/v1/inventory?limit=100") * 1_000)
        return await _unread(line)
