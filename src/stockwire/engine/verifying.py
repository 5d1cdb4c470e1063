"""Verifying from time to time: the server has another process fold its log again, and records what that found.

A process of its own, because a year of events takes minutes of a core and the event loop has none to give. It reads a
snapshot beside the writer, at the lowest priority, and ends with the server, however that ends. What it found is an event like any
other (`log.verified`), so it folds into the metrics `drift` and `last_verified_at`, and a look at the past shows what was
known then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from stockwire.core.changes import Changes
from stockwire.core.errors import StorageFailed
from stockwire.core.events import INTERNAL_SOURCE, Event, LogVerified, parse_event
from stockwire.core.rows import MetricRow
from stockwire.core.values import moment, moment_text
from stockwire.log.base import Loaded

_FOUND: Final = (0, 1)
"""The exit codes of `stockwire verify` that come with a finding: all is well, something differs."""
_LOWEST: Final = 19
_STANDARD_INPUT: Final = 0
"""Read past `sys.stdin`, whose lock a thread must not hold when the interpreter ends."""
_GRACE: Final = 2.0
"""Seconds to tidy up in, which a long step of SQLite does not use."""
_WHEN: Final = ("last_verified_at", "now")


class Finding(msgspec.Struct, frozen=True):
    """How many events were folded again, and what differed."""

    events: int
    differences: list[str]


async def verify_beside(directory: Path) -> Finding:
    """Have another process verify the data directory. It ends when this is cancelled, and when this process is killed: then
    its standard input ends (`with_parent`). Raises StorageFailed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stockwire", "verify", "--json", "--with-parent", "--data-dir", str(directory),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _LOWEST)
        told = await process.stdout.read()
        await process.wait()
    finally:
        process.stdin.close()
        if process.returncode is None:
            await _ended(process)
    if process.returncode not in _FOUND:
        raise StorageFailed("the log could not be verified; run `stockwire verify` to see why")
    return msgspec.json.decode(told, type=Finding)


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()


def with_parent() -> None:
    """End this process, as an interrupt would, once whoever holds its standard input is gone. Call it in the main thread."""

    def listen() -> None:
        while os.read(_STANDARD_INPUT, 1):
            pass
        signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=listen, name="stockwire-parent", daemon=True).start()


def _interrupt(signal_: int, _: FrameType | None) -> None:
    raise SystemExit(128 + signal_)


class Verifier:
    """Has the log of `directory` verified every `every` microseconds (0: never), first when it never was."""

    def __init__(self, directory: Path, every: int, loaded: Loaded, now: Callable[[], int]) -> None:
        self._directory = directory
        self._every = every
        self._now = now
        self._last = 0
        self._note(loaded.metrics.get(_WHEN))

    def hear(self, changes: Changes) -> None:
        """Take note of a commit, which may tell of a verification."""
        self._note(changes.metrics.get(_WHEN))

    def _note(self, row: MetricRow | None) -> None:
        if row is not None and isinstance(row.value, str):
            self._last = moment(row.value)

    async def look(self) -> Finding | None:
        """What a verification found, if one was due. Raises StorageFailed."""
        if not self._every or self._now() - self._last < self._every:
            return None
        return await verify_beside(self._directory)

    def event(self, finding: Finding, shop_clock: int) -> Event:
        """The event that tells of a finding. Its time is the shop's clock, which it must not move."""
        envelope = {
            "id": f"verified-{self._now()}",
            "source": INTERNAL_SOURCE,
            "type": LogVerified.type,
            "time": moment_text(shop_clock),
            "data": {"events": finding.events, "differences": len(finding.differences)},
        }
        return parse_event(envelope, internal=True)
