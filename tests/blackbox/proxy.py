"""A proxy that makes a bad network between clients and the server: seeded, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter

PIECE = 64 * 1024


class _Pair:
    """A client's connection and ours to the server."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.delay = 0.0
        self.slice = PIECE

    def reset(self) -> None:
        """Take both ends away; whoever pumps between them finds out."""
        self.flowing.set()
        for writer in (self.client, self.server):
            if writer is not None:
                writer.transport.abort()


class Proxy:
    """Listens on `port` and passes everything on to the server's, but for the faults asked of it."""

    def __init__(self, to: int, seed: int) -> None:
        self.port = 0
        self.faults: Counter[str] = Counter()
        self._to = to
        self._dice = random.Random(f"{seed}/proxy")
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0, backlog=1_000)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for pair in list(self._pairs):
            pair.reset()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        pair = _Pair(writer)
        self._pairs.add(pair)
        try:
            with contextlib.suppress(OSError):
                far_reader, pair.server = await asyncio.open_connection("127.0.0.1", self._to)
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(pair, reader, pair.server))
                    group.create_task(self._pump(pair, far_reader, writer))
        except* OSError:
            pair.reset()
        finally:
            self._pairs.discard(pair)
            self._tasks.discard(task)
            pair.reset()

    async def _pump(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(PIECE):
            for start in range(0, len(data), pair.slice):
                await pair.flowing.wait()
                if pair.delay:
                    await asyncio.sleep(pair.delay)
                writer.write(data[start : start + pair.slice])
                await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    # Faults

    def befall(self) -> None:
        """One fault, by the dice."""
        faults = (self.reset_one, self.reset_one, self.reset_one, self.black_hole_one, self.slow_one, self.slice_one)
        self._dice.choice(faults)()

    def _one(self) -> _Pair | None:
        return self._dice.choice(list(self._pairs)) if self._pairs else None

    def reset_one(self) -> None:
        if (pair := self._one()) is not None:
            self.faults["reset one"] += 1
            pair.reset()

    def reset_all(self) -> None:
        self.faults["reset all"] += 1
        for pair in list(self._pairs):
            pair.reset()

    def black_hole_one(self) -> None:
        if (pair := self._one()) is not None:
            self.faults["black hole"] += 1
            pair.flowing.clear()

    def slow_one(self) -> None:
        if (pair := self._one()) is not None:
            self.faults["slow"] += 1
            pair.delay = self._dice.choice((0.01, 0.2))

    def slice_one(self) -> None:
        if (pair := self._one()) is not None:
            self.faults["tiny slices"] += 1
            pair.slice = self._dice.choice((3, 40, 500))
            pair.delay = 0.0

    def heal(self) -> None:
        """The network is well from now on; what is in a black hole stays lost."""
        for pair in list(self._pairs):
            pair.delay, pair.slice = 0.0, PIECE
            if not pair.flowing.is_set():
                pair.reset()
