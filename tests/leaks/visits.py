"""Connections opened, used and closed, by the thousand: WebSockets, event streams, long-polls and plain requests in turn, each
ended in one of the ways that clients end them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.hostile.attacks import Line, Target, frame
from tests.running import Running, snapshot

AT_ONCE: Final = 50
WARM_UP: Final = 1_000
_HELLO: Final = frame(1, b'{"type":"hello","protocol":1,"client":"test/1"}')
_SUBSCRIBE: Final = frame(1, b'{"type":"subscribe","id":"a","feed":"inventory","limit":20}')
_CLOSE: Final = frame(8, (1000).to_bytes(2, "big"))


class Growth(msgspec.Struct, frozen=True):
    """What the server holds after that many connections more than before, and where it was allocated."""

    connections: int
    seconds: float
    net_bytes: int
    places: list[tuple[str, int]]
    resident_kib: tuple[int, int]


async def visit(target: Target, number: int) -> None:
    """One connection, of the kind that its number says. Every second one is cut instead of closed."""
    kind, polite = number % 4, number // 4 % 2 == 0
    async with target.line() as line:
        if kind == 0:
            await _websocket(target, line, polite=polite)
        elif kind == 1:
            await line.say(target.head("GET /api/v1/stream?feed=inventory&limit=20"))
            await line.reader.readuntil(b"snapshot")
        elif kind == 2:
            await line.say(target.head("GET /api/v1/poll?feed=inventory&limit=20&wait=0", "Connection: close"))
            await line.heard()
        else:
            await line.say(target.head("GET /api/v1/inventory?limit=20", "Connection: close"))
            await line.heard()


async def _websocket(target: Target, line: Line, *, polite: bool) -> None:
    fields = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    await line.say(target.head("GET /api/v1/ws", *fields))
    await line.reader.readuntil(b"\r\n\r\n")
    await line.say(_HELLO + _SUBSCRIBE)
    await line.reader.readuntil(b"snapshot")
    if polite:
        await line.say(_CLOSE)
        await line.heard()


async def visits(target: Target, first: int, count: int) -> None:
    """That many connections, a few at once."""
    numbers = iter(range(first, first + count))

    async def some() -> None:
        for number in numbers:
            await visit(target, number)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


class Watched(Running):
    """The server, watched: `what` it allocates is objects or blocks."""

    def __init__(self, data_dir: Path, what: str) -> None:
        super().__init__(data_dir)
        self._what = what

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "tests.leaks.watched", str(self.data_dir), str(self.port), self._what]

    def tell(self, sign: signal.Signals, what: str) -> dict[str, Any]:
        """Signal, and wait for what it says that it has done."""
        os.kill(self.pid, sign)
        return self.told(what)

    def told(self, what: str) -> dict[str, Any]:
        path = self.data_dir.with_suffix(f".{what}")
        while not path.exists():
            assert self._process is not None and self._process.poll() is None, self.output.read_text()
            time.sleep(0.05)
        return dict(json.loads(path.read_text()))

    def resident_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


def measure(directory: Path, connections: int, what: str = "objects") -> Growth:
    """What a server has gained after so many connections: in `objects` of Python, or in `blocks` of the system."""
    server = Watched(directory, what)
    server.start()
    try:
        server.post(*(snapshot(f"SKU-{number}", number) for number in range(200)))
        server.told("ready")
        target = Target(server.port, server.key)
        asyncio.run(visits(target, 0, WARM_UP))
        server.settle()
        before = server.resident_kib()
        server.tell(signal.SIGUSR1, "watching")
        began = time.monotonic()
        asyncio.run(visits(target, 0, connections))
        server.settle()
        seconds = time.monotonic() - began
        after = server.resident_kib()
        net = server.tell(signal.SIGUSR2, "net")
        return Growth(connections, round(seconds, 1), net["bytes"], net["places"], (before, after))
    finally:
        server.kill()
