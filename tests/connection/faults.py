"""A way to the server that goes wrong on command: a TCP proxy that cuts, resets, falls silent, slows and slices.

It knows nothing of HTTP, so what it does to a stream is what a network does. What it does by chance (the sizes of slices)
comes from its seed. It runs in a thread of its own; every command returns when it is carried out. Counts are what was
seen, so that a test can wait for a state instead of a time.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

PATIENCE = 90.0
CHUNK = 65_536
T = TypeVar("T")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Link:
    """One connection through the proxy, from the browser's side (`near`) to the server's (`far`)."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter, silent: bool) -> None:
        self.near = near
        self.far = far
        self.silent = silent
        self.brought = 0

    def close(self, *, reset: bool) -> None:
        """End both sides; with `reset` the browser gets a RST instead of an orderly end."""
        for writer in (self.near, self.far):
            if reset:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort() if reset else writer.close()


class FaultProxy:
    """Listens on `url` and passes everything to `target`, until told otherwise.

    Attributes:
        port: where it listens
        accepted: links made since the start
        brought: bytes that went to the browser since the start
    """

    def __init__(self, target: int, seed: int = 1) -> None:
        self.target = target
        self.port = 0
        self.accepted = 0
        self.brought = 0
        self._dice = random.Random(seed)
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._silent = self._refusing = False
        self._slice = 0
        self._pause = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @property
    def url(self) -> str:
        """Its address, as a browser has it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_links(self) -> int:
        """How many links there are now."""
        return self._do(self._count())

    # What goes wrong

    def cut(self) -> None:
        """End every link in order."""
        self._do(self._end(reset=False))

    def reset(self) -> None:
        """End every link by RST."""
        self._do(self._end(reset=True))

    def silence(self) -> None:
        """From here on, nothing arrives on any link, old or new, and nobody is told."""
        self._do(self._hush(True))

    def refuse(self) -> None:
        """End every link and every new one at once."""
        self._refusing = True
        self.cut()

    def slice(self, size: int, pause: float = 0.0) -> None:
        """Bring bytes in pieces of 1 to `size`, `pause` seconds apart."""
        self._slice, self._pause = size, pause

    def heal(self) -> None:
        """New links pass whole. Links that fell silent stay so, as they do in a network."""
        self._do(self._hush(False))
        self._refusing = False
        self._slice, self._pause = 0, 0.0

    def until(self, reached: Callable[[FaultProxy], bool]) -> None:
        """Wait for a state of the proxy."""
        deadline = time.monotonic() + PATIENCE
        while not reached(self):
            assert time.monotonic() < deadline, f"{self.accepted} links, {self.brought} bytes"
            time.sleep(0.005)

    # How it does it

    def start(self) -> FaultProxy:
        """Listen."""
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._accept, "127.0.0.1", self.port))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        """End the links, the listening and the thread."""
        self._do(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _count(self) -> int:
        return len(self._links)

    async def _end(self, *, reset: bool) -> None:
        for link in list(self._links):
            link.close(reset=reset)
        self._links.clear()

    async def _hush(self, silent: bool) -> None:
        self._silent = silent
        for link in self._links:
            link.silent = link.silent or silent

    async def _finish(self) -> None:
        self._server.close()
        await self._end(reset=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(near_reader, near)
        except (OSError, asyncio.CancelledError):
            near.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _serve(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self._refusing:
            near.close()
            return
        far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
        link = Link(near, far, self._silent)
        self._links.add(link)
        self.accepted += 1
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(link, near_reader, far, down=False))
                pumps.create_task(self._pump(link, far_reader, near, down=True))
        finally:
            self._links.discard(link)
            link.close(reset=False)

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for piece in self._pieces(data) if down else (data,):
                    if link.silent:
                        break
                    writer.write(piece)
                    await writer.drain()
                    if down:
                        link.brought += len(piece)
                        self.brought += len(piece)
                        if self._pause:
                            await asyncio.sleep(self._pause)
        if not link.silent:
            writer.close()

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            size = self._dice.randint(1, self._slice) if self._slice else len(data)
            yield data[at : at + size]
            at += size


@contextmanager
def faulty(target: int, seed: int = 1) -> Iterator[FaultProxy]:
    """A fault proxy before the port `target`, for as long as the block runs."""
    proxy = FaultProxy(target, seed).start()
    try:
        yield proxy
    finally:
        proxy.stop()
