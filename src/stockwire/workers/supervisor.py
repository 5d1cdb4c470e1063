"""The supervisor: starts the writer and the workers, heals what dies, and passes on what it is asked.

SIGTERM and SIGINT: the workers let their screens go, then the writer finishes what was accepted; a second one does not
wait for the screens. SIGHUP: the writer and then each worker, one after the other, gives way to a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Final

import msgspec

from stockwire.core.errors import Failed
from stockwire.engine.census import Census
from stockwire.engine.chores import ended
from stockwire.listening import Announce, address, bound, sign_in_link
from stockwire.log.access import FILE, Access
from stockwire.settings import Settings
from stockwire.workers.post import Post, Role, told, written
from stockwire.workers.station import Station

_log = logging.getLogger("stockwire")
READY_WITHIN: Final = 120.0
"""Seconds within which a process must have loaded the log."""


def supervise(settings: Settings, announce: Announce) -> None:
    """Serve with several processes until SIGINT or SIGTERM. What is announced and raised is as of `serving.serve`."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=settings.log_level.upper())
    asyncio.run(_supervised(settings, announce))


async def _supervised(settings: Settings, announce: Announce) -> None:
    bound(settings.host, settings.port).close()  # somebody else's server there would share the port unnoticed
    supervisor = Supervisor(settings)
    asked: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, asked.put_nowait, sign)
    try:
        starting = asyncio.create_task(supervisor.start())
        if await _asked_to_stop_before(starting, asked):
            return
        await starting
        supervisor.announce(announce)
        while await asked.get() == signal.SIGHUP:
            if await _asked_to_stop_before(asyncio.create_task(supervisor.renew()), asked):
                break
        await supervisor.stop(asked)
    finally:
        supervisor.kill()


async def _asked_to_stop_before(task: asyncio.Task[None], asked: asyncio.Queue[int]) -> bool:
    """Whether somebody asks to stop before the task is done, which is then cancelled. That somebody asks for new processes
    meanwhile is left in `asked`, for afterwards.
    """
    again = False
    while not task.done():
        asking = asyncio.create_task(asked.get())
        await asyncio.wait((task, asking), return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            asking.cancel()
        elif asking.result() == signal.SIGHUP:
            again = True
        else:
            await ended(task)
            return True
    if again:
        asked.put_nowait(signal.SIGHUP)
    return False


class Supervisor:
    """The processes of one server. Call `kill` at the end, however it came."""

    def __init__(self, settings: Settings) -> None:
        first = bound(settings.host, settings.port, shared=True)
        self._settings = msgspec.structs.replace(settings, port=first.getsockname()[1])
        self._places = 2 * settings.workers + 2
        self._census, self._census_descriptor = Census.taken(self._places)
        self._free = list(range(self._places))
        self._lifeline, self._life = os.pipe()
        self._tasks: set[asyncio.Task[None]] = set()
        self._processes: set[asyncio.subprocess.Process] = set()
        self._writer = Station("the writer", self._start_writer, overlapping=False, monotonic=time.monotonic)
        self._doors = [_Door(self._settings, first if each == 0 else None) for each in range(settings.workers)]
        self._workers = [self._station(number, door) for number, door in enumerate(self._doors, 1)]
        self._keeping: list[asyncio.Task[None]] = []

    def _station(self, number: int, door: _Door) -> Station:
        async def start() -> asyncio.subprocess.Process:
            return await self._start_process("worker", door.open())

        return Station(f"worker {number}", start, bury=door.close, overlapping=True, monotonic=time.monotonic)

    async def _start_writer(self) -> asyncio.subprocess.Process:
        return await self._start_process("writer", None)

    @property
    def _stations(self) -> list[Station]:
        return [self._writer, *self._workers]

    async def start(self) -> None:
        """Have everybody ready. Raises what the first process met that could not be."""
        await self._writer.man()
        await asyncio.gather(*(worker.man() for worker in self._workers))
        self._keeping = [asyncio.create_task(station.keep()) for station in self._stations]

    def announce(self, announce: Announce) -> None:
        """Tell where the server answers."""
        url = address(self._settings.host, self._settings.port)
        with contextlib.closing(Access(self._settings.data_dir / FILE)) as store:
            announce(url, sign_in_link(store, url))

    async def renew(self) -> None:
        """Put a new process in everybody's place, one after the other."""
        for station in self._stations:
            await station.relieve()

    async def stop(self, pressing: asyncio.Queue[int]) -> None:
        """Let the workers go and then the writer. Whatever comes through `pressing` makes them hurry."""
        await ended(*self._keeping)
        for door in self._doors:
            door.close()
        hurry = asyncio.create_task(self._hurry(pressing))
        await asyncio.gather(*(worker.leave() for worker in self._workers))
        await asyncio.gather(*(each.wait() for each in self._processes if each is not self._writer.process))
        await self._writer.leave()
        await ended(hurry)

    async def _hurry(self, pressing: asyncio.Queue[int]) -> None:
        while True:
            await pressing.get()
            for worker in self._workers:
                worker.press()

    def kill(self) -> None:
        """Leave nobody behind."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        os.close(self._life)

    # One process

    async def _start_process(self, role: Role, listener: socket.socket | None) -> asyncio.subprocess.Process:
        """A process at its post, ready. Raises what kept it from being so."""
        try:
            process, answer = await self._spawned(role, listener)
        except OSError as error:
            raise Failed(f"the {role} cannot be started: {error.strerror}") from error
        try:
            async with asyncio.timeout(READY_WITHIN):
                told(await _line(answer))
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            if isinstance(error, TimeoutError):
                raise Failed(f"the {role} was not ready in {READY_WITHIN:.0f} seconds") from None
            raise
        return process

    async def _spawned(self, role: Role, listener: socket.socket | None) -> tuple[asyncio.subprocess.Process, int]:
        """A process that has its post, and the pipe by which it answers. Raises OSError when the system has none to give."""
        answer, ready = os.pipe()
        place = self._free.pop()
        door = None if listener is None else listener.fileno()
        post = Post(
            role=role, settings=self._settings, lifeline=self._lifeline, ready=ready,
            census=self._census_descriptor, places=self._places, place=place, listener=door,
        )  # fmt: skip
        given = [each for each in (self._lifeline, ready, self._census_descriptor, door) if each is not None]
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "stockwire.workers",
                stdin=subprocess.PIPE, pass_fds=given, process_group=0,
            )  # fmt: skip
        except BaseException:
            os.close(answer)
            self._free.append(place)
            raise
        finally:
            os.close(ready)
        self._watch(process, place)
        assert process.stdin is not None
        process.stdin.write(written(post))
        process.stdin.close()
        return process, answer

    def _watch(self, process: asyncio.subprocess.Process, place: int) -> None:
        """Give the process's place in the census to another once it ended."""

        async def wait() -> None:
            self._processes.add(process)
            await process.wait()
            self._processes.discard(process)
            self._census.clear(place)
            self._free.append(place)

        task = asyncio.create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Door:
    """A worker's own listener on the common port. Closed when the worker died: who waited in its queue is told at once, and
    tries another's.
    """

    def __init__(self, settings: Settings, listener: socket.socket | None = None) -> None:
        self._settings = settings
        self._listener = listener

    def open(self) -> socket.socket:
        """The listener, bound. Raises Failed when the address cannot be had any more."""
        if self._listener is None:
            try:
                self._listener = bound(self._settings.host, self._settings.port, shared=True)
            except OSError as error:
                raise Failed(f"port {self._settings.port} cannot be listened on: {error.strerror}") from None
        return self._listener

    def close(self) -> None:
        """Let nobody in any more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None


async def _line(descriptor: int) -> bytes:
    """The line that comes through a pipe; empty when the other end was closed without one."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    try:
        return await reader.readline()
    finally:
        transport.close()
