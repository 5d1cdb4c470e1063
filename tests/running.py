"""The installed program as a process, for tests from outside: start it, speak to it over HTTP, stop or kill it."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

PATIENCE = 120.0
"""Seconds for what takes one on an idle machine."""


def _ports() -> Iterator[int]:
    """Ports below those that the kernel hands out, round and round; each process that runs tests has a stretch of its own,
    so that a port stays free while its server restarts."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    first = 12_000 + 2_000 * (int(name.removeprefix("gw")) % 8)
    return itertools.cycle(range(first + os.getpid() % 1_000, first + 2_000))


_next_port: Final = _ports()


def free_port() -> int:
    """A port that nobody listens on now."""
    for port in _next_port:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the ports go round for ever")


def memory_kib(pid: int) -> int:
    """What a process holds of memory of its own in KiB; pages of files that it looks at are not counted."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1])


def stockwire(*arguments: str, timeout: float = 120.0) -> str:
    """Run the program to its end; gives what it printed. Raises when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "stockwire", *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode:
        raise AssertionError(f"stockwire {' '.join(arguments)} gave {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Running:
    """A server over `data_dir`. `url` is its address; `key` may read, ingest and manage."""

    def __init__(self, data_dir: Path, *options: str, port: int | None = None) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.output = data_dir.parent / f"{data_dir.name}.out"
        self.key = ""
        self._session = ""

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started, and neither stopped nor killed since."""
        return self._process is not None

    def start(self) -> Running:
        """Start it and wait until it is ready."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command(), stdout=output, stderr=output, env=os.environ | {"PYTHONUNBUFFERED": "1"}
            )
        self._until_ready()
        if not self.key:
            scopes = (word for scope in ("ingest", "read", "manage") for word in ("--scope", scope))
            said = stockwire("key", "create", "test", *scopes, *self._directory)
            self.key = re.search(r"swk_[A-Za-z0-9_-]+", said)[0]  # type: ignore[index]
        return self

    def _command(self) -> list[str]:
        serve = [sys.executable, "-m", "stockwire", "serve", *self._directory]
        return [*serve, "--port", str(self.port), *self._options]

    @property
    def _directory(self) -> Sequence[str]:
        return ("--data-dir", str(self.data_dir))

    def _until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended:\n{self.output.read_text()}")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=20.0).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready:\n{self.output.read_text()}")

    def stop(self) -> int:
        """Ask it to stop, wait until it did; gives its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Take it away without warning."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(how)
        code = self._process.wait(PATIENCE + 15)
        self._process = None
        return code

    def link(self) -> str:
        """A fresh one-time sign-in link."""
        said = stockwire("link", *self._directory, "--port", str(self.port))
        return re.search(r"http\S+/sign-in#\S+", said)[0]  # type: ignore[index]

    def session(self) -> str:
        """What the cookie of somebody says who is signed in; always the same, spent by one link."""
        if not self._session:
            asked = {"token": self.link().partition("#")[2]}
            answer = httpx.post(f"{self.url}/api/v1/session", json=asked, headers={"Origin": self.url}, timeout=30.0)
            (self._session,) = answer.cookies.values()
        return self._session

    @property
    def headers(self) -> dict[str, str]:
        """What a request with the key carries."""
        return {"Authorization": f"Bearer {self.key}"}

    def settle(self) -> None:
        """Wait until it has no open stream any more."""
        deadline = time.monotonic() + 2 * PATIENCE
        while self.get("/api/v1/status")["connections"] > 0:
            if time.monotonic() > deadline:
                raise AssertionError("there are open streams that nobody holds")
            time.sleep(0.05)

    def post(self, *events: dict[str, Any]) -> dict[str, Any]:
        """Post events; gives the receipt. Raises when they are refused."""
        answer = httpx.post(f"{self.url}/api/v1/events", json=list(events), headers=self.headers, timeout=30.0)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Read a path of the API."""
        answer = httpx.get(f"{self.url}{path}", params=params, headers=self.headers, timeout=30.0)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@contextmanager
def running(data_dir: Path, *options: str) -> Iterator[Running]:
    """A server for as long as the block runs."""
    server = Running(data_dir, *options)
    try:
        yield server.start()
    finally:
        server.kill()


_numbers = iter(range(1, 10**9))


def event(type_: str, *, source: str = "test", time: str | None = None, **data: Any) -> dict[str, Any]:
    """An event's public envelope, occurring now unless told otherwise."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"id": f"{os.getpid()}-{next(_numbers)}", "source": source, "type": type_, "time": time or now, "data": data}


def snapshot(sku: str, on_hand: int, **more: Any) -> dict[str, Any]:
    """A stock.snapshot event."""
    return event("stock.snapshot", sku=sku, on_hand=on_hand, **more)
