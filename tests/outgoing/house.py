"""A receiver on this machine: an HTTP server that answers as the test says and keeps what came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from stockwire.core.telling import Message
from stockwire.core.values import moment
from stockwire.log.deliveries import Channel

NOW = moment("2026-06-10T10:00:00Z")
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class Came(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class House:
    """What came, and what is answered to whatever comes next (`answer`); None: nothing, ever."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.came: list[Came] = []
        self.answer: Callable[[int], bytes | None] = lambda _: ok()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


def ok(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """An answer."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def house(ssl: Any = None) -> AsyncIterator[House]:
    """A receiver for as long as the block runs."""
    opened: set[asyncio.Task[None]] = set()
    made: list[House] = []

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            made[0].came.append(Came(head[0].split(" ")[1], headers, body))
            said = made[0].answer(len(made[0].came))
            if said is None:
                await asyncio.Event().wait()
            else:
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(visit(reader, writer))
        opened.add(task)
        task.add_done_callback(opened.discard)

    server = await asyncio.start_server(welcome, "127.0.0.1", 0, ssl=ssl)
    made.append(House(server.sockets[0].getsockname()[1]))
    try:
        yield made[0]
    finally:
        server.close()
        for task in list(opened):
            task.cancel()
        await asyncio.gather(*opened, return_exceptions=True)
        await server.wait_closed()


def channel(address: str, **more: Any) -> Channel:
    made = Channel(
        channel_id="hook", kind="webhook", name="Hook", person="owner", address=address, secret=SECRET, language="en",
        enabled=True, note=None, created_at=NOW,
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def message(**more: Any) -> Message:
    made = Message(
        id="msg_1", tag="low/stock/MUG/main", happened="fired", severity="critical", subject="Mug is out of stock at main",
        text="Critical: Mug is out of stock at main.\nhttps://stock.example.com", url="https://stock.example.com/inventory",
        language="en", at=NOW, notifications=({"notification_id": "low@7", "sku": "MUG"},),
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)
