"""The relay: events on their way from whichever process took them to the one that writes, over a socket of the system.

    worker: Relay.submit --events--> Reception --ingest.submit--> log
                         <--receipt or refusal--

Receipts and refusals come back as they are, so a sender cannot tell the processes apart. When the writer goes away, what
was not answered is sent again to the next one, once: whatever the first had stored is in the log already and gets the
version it got. So a writer that dies costs its senders time, and nothing else. Who cannot be served in `PATIENCE`
seconds is told to come back.

On the socket everything is MessagePack behind its length in four bytes. The socket lies in the data directory, which is its
owner's alone. Such paths may be longer than an address may be, so both ends name it by way of the directory's descriptor.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from stockwire.core.errors import Failed, StockwireError, Unavailable, error_of
from stockwire.core.events import Event, stored_event
from stockwire.engine.recorder import Receipt

NAME: Final = "writer"
"""The socket's name in the data directory."""
PATIENCE: Final = 8.0
"""Seconds that events wait for a writer."""
WAITING_MOST: Final = 50_000
"""Events of one process that may be on their way."""
MESSAGE_MOST: Final = 64 * 1024 * 1024
_TRIES: Final = 2
_CONNECT_EVERY: Final = 0.05

_pack: Final = msgspec.msgpack.Encoder(enc_hook=int).encode
_unpack: Final = msgspec.msgpack.Decoder().decode
_log = logging.getLogger(__name__)

Submit = Callable[[Sequence[Event]], Awaitable[Receipt]]


# --- the writer's end ---------------------------------------------------------------------------------------------


class Reception:
    """Takes events from the workers and gives them to `submit`. Between `start` and `stop`."""

    def __init__(self, directory: Path, submit: Submit) -> None:
        self._directory = directory
        self._submit = submit
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> None:
        """Listen; a socket that a dead writer left gives way. Raises OSError."""
        path = self._directory / NAME
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        os.fchmod(listener.fileno(), 0o600)  # before it has a name: on Linux it then never has another mode
        with _address(self._directory) as address:
            listener.bind(address)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def stop(self) -> None:
        """Take nothing more, answer what was taken, and hang up."""
        if self._server is not None:
            self._server.close()
            (self._directory / NAME).unlink(missing_ok=True)
        self._stopping = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._connections):
            connection.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                number, events = await _received(reader)
                if self._stopping:
                    return
                task = asyncio.create_task(self._take(number, events, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (OSError, EOFError, msgspec.DecodeError):
            return
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _take(self, number: int, events: list[list[Any]], writer: asyncio.StreamWriter) -> None:
        try:
            receipt = await self._submit([stored_event(*each) for each in events])
            answer = (number, msgspec.structs.astuple(receipt), None)
        except StockwireError as error:
            answer = (number, None, (error.code, error.detail, error.problems, error.retry_after))  # type: ignore[assignment]
        except Exception as error:
            _log.error("events from a worker could not be taken", exc_info=error)
            answer = (number, None, (Failed.code, Failed().detail, [], None))  # type: ignore[assignment]
        _send(writer, answer)


# --- a worker's end -----------------------------------------------------------------------------------------------


class _Underway:
    """Events that were not answered yet."""

    __slots__ = ("answer", "events", "tries")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.tries = 0


class Relay:
    """The way to the writer of `directory`. `run` keeps the connection."""

    def __init__(self, directory: Path, *, patience: float = PATIENCE) -> None:
        self._directory = directory
        self._patience = patience
        self._writer: asyncio.StreamWriter | None = None
        self._underway: dict[int, _Underway] = {}
        self._number = 0
        self._waiting = 0

    @property
    def connected(self) -> bool:
        """Whether a writer is there."""
        return self._writer is not None

    async def submit(self, events: Sequence[Event]) -> Receipt:
        """Store events, as `Ingest.submit`. Raises the same, and Unavailable when no writer answers in time."""
        if self._underway and self._waiting + len(events) > WAITING_MOST:
            raise Unavailable("too many events are waiting to be stored; try again shortly")
        self._number += 1
        number = self._number
        underway = self._underway[number] = _Underway(events)
        self._waiting += len(events)
        try:
            if self._writer is not None:
                self._dispatch(self._writer, number, underway)
            async with asyncio.timeout(self._patience):
                return await underway.answer
        except TimeoutError:
            raise Unavailable("the writer does not answer; try again shortly") from None
        finally:
            self._waiting -= len(events)
            self._underway.pop(number, None)

    async def run(self) -> None:
        """Be connected whenever a writer is there, until cancelled."""
        while True:
            try:
                reader, writer = await self._connect()
            except OSError:
                await asyncio.sleep(_CONNECT_EVERY)
                continue
            self._writer = writer
            try:
                self._again(writer)
                while True:
                    self._answered(*await _received(reader))
            except (OSError, EOFError, msgspec.DecodeError):
                _log.info("the writer hung up")
            finally:
                self._writer = None
                writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = socket.socket(socket.AF_UNIX)
        try:
            with _address(self._directory) as address:
                connection.connect(address)
            return await asyncio.open_unix_connection(sock=connection)
        except OSError:
            connection.close()
            raise

    def _again(self, writer: asyncio.StreamWriter) -> None:
        """Send what an earlier writer left without an answer."""
        for number, underway in list(self._underway.items()):
            if underway.answer.done():
                continue
            if underway.tries < _TRIES:
                self._dispatch(writer, number, underway)
            else:
                underway.answer.set_exception(Unavailable("the writer ended twice over these events"))

    def _dispatch(self, writer: asyncio.StreamWriter, number: int, underway: _Underway) -> None:
        underway.tries += 1
        columns = [(event.source, event.id, event.type, event.time, event.body) for event in underway.events]
        _send(writer, (number, columns))

    def _answered(self, number: int, receipt: list[Any] | None, refusal: list[Any] | None) -> None:
        underway = self._underway.get(number)
        if underway is None or underway.answer.done():
            return
        if receipt is not None:
            accepted, duplicates, version, versions = receipt
            underway.answer.set_result(Receipt(accepted, duplicates, version, tuple(versions)))
        elif refusal is not None:
            code, detail, problems, retry_after = refusal
            error = error_of(code, detail, problems)
            error.retry_after = retry_after
            underway.answer.set_exception(error)


# --- both ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _address(directory: Path) -> Iterator[str]:
    """The socket's name, short whatever the directory's is."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def _send(writer: asyncio.StreamWriter, message: Any) -> None:
    body = _pack(message)
    if not writer.is_closing():
        writer.write(len(body).to_bytes(4, "big") + body)


async def _received(reader: asyncio.StreamReader) -> Any:
    """The next message. Raises EOFError when the other side hung up, or speaks something else."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > MESSAGE_MOST:
        raise EOFError("not a message")
    return _unpack(await reader.readexactly(size))
