"""`POST` with a body, for peers that speak no HTTP of their own: whatever is posted goes to everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Publishing(asyncio.Protocol):
    """One connection of a publisher."""

    def __init__(self, broadcast: Callable[[bytes], None]) -> None:
        self._broadcast = broadcast
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The publisher is there."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A request, or a piece of one."""
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) if end else 0
        if end and len(body) >= size:
            self._data = body[size:]
            self._broadcast(body[:size])
            self._transport.write(ANSWER)  # type: ignore[attr-defined]


async def listen(port: int, broadcast: Callable[[bytes], None]) -> None:
    """Take what is posted to `port`."""
    await asyncio.get_running_loop().create_server(lambda: Publishing(broadcast), "127.0.0.1", port)
