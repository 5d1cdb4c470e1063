"""A server of several processes, seen from outside: who is who among them, and which of them a connection reached."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from stockwire.testing import Receiver
from tests.running import PATIENCE, Running

VIEW = {"id": "stock", "feed": "inventory"}


class Screen:
    """A WebSocket that shows the stock, served by whichever worker the system picks. `receiver` has what it saw."""

    def __init__(self, server: Running, receiver: Receiver | None = None) -> None:
        self.receiver = receiver or Receiver()
        self._stack = ExitStack()
        self._link = self._stack.enter_context(
            connect(
                f"ws://127.0.0.1:{server.port}/api/v1/ws",
                additional_headers=server.headers,
                max_size=None,
                ping_interval=None,
                open_timeout=PATIENCE,
            )
        )
        self.worker = Crew(server).serving(self._link.socket)

    def follow(self, feed: str) -> Screen:
        """Subscribe to all of another feed."""
        self._link.send(json.dumps({"type": "hello", "protocol": 1, "client": "test/1"}))
        self._link.send(json.dumps({"type": "subscribe", "id": feed, "feed": feed}))
        return self

    def rows(self, feed: str) -> dict[str, Any]:
        """What it shows of a feed that it follows."""
        id_ = self.receiver.ids.get(feed)
        return {} if id_ is None else dict(self.receiver.rows(feed))

    def ask(self, cursor: str | None = None) -> Screen:
        """Subscribe, from that cursor on if there is one."""
        self._link.send(json.dumps({"type": "hello", "protocol": 1, "client": "test/1"}))
        self._link.send(json.dumps({"type": "subscribe", **VIEW, **({} if cursor is None else {"cursor": cursor})}))
        return self

    def take(self) -> dict[str, Any]:
        """The next frame."""
        return self.receiver.take(str(self._link.recv(timeout=PATIENCE)))

    def until(self, version: int) -> Screen:
        """Take frames until the stock is at that version."""
        while (held := self.receiver.views.get(self.receiver.ids.get("stock", ""))) is None or (
            held.version or 0
        ) < version:
            self.take()
        return self

    def dismissed(self) -> str | None:
        """Take frames until the server says bye; why it did. Who is slow to listen may find the close before the bye."""
        try:
            while (frame := self.take())["type"] != "bye":
                pass
        except ConnectionClosed as closed:
            assert closed.rcvd is not None and closed.rcvd.code == 4001
            return closed.rcvd.reason
        return str(frame["reason"])

    def close(self) -> None:
        self._stack.close()


def at_each_worker(server: Running) -> list[Screen]:
    """A screen at each of two workers."""
    found: dict[int, Screen] = {}
    while len(found) < 2:
        screen = Screen(server)
        if screen.worker is None or screen.worker in found:
            screen.close()
        else:
            found[screen.worker] = screen
    return list(found.values())


class Crew:
    """The processes of `server`."""

    def __init__(self, server: Running) -> None:
        self._server = server

    @property
    def everybody(self) -> set[int]:
        """The process ids of the writer and the workers that live now."""
        pid = self._server.pid
        return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    @property
    def writer(self) -> int:
        """The process that owns the data directory."""
        return int((self._server.data_dir / "lock").read_text())

    @property
    def workers(self) -> set[int]:
        return self.everybody - {self.writer}

    def serving(self, connection: socket.socket) -> int | None:
        """The worker at the other end of a connection; None when the system's tables do not tell."""
        ours = connection.getsockname()[1]
        inode = _inode(self._server.port, ours)
        for pid in self.everybody:
            for descriptor in _descriptors(pid):
                if descriptor == f"socket:[{inode}]":
                    return pid
        return None


def _inode(server: int, client: int) -> str:
    """The socket of the server's end of a connection on loopback."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{server:04X}") and fields[2].endswith(f":{client:04X}"):
            return fields[9]
    return ""


def _descriptors(pid: int) -> list[str]:
    found = []
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []
    for name in names:
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and not only its remains."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait until `true()` holds in the world outside; fails when it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
