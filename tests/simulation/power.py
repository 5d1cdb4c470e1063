"""Losing power, over and over: a producer writes into a SQLite log until the power goes at a random write or sync.

What is acknowledged must be there at the next start, in order and once, and the rows must be what the events say.
Kept apart from the world so that hundreds fit into seconds.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import msgspec

from stockwire.core.events import Event, parse_event
from stockwire.engine.recorder import Receipt, Recorder
from stockwire.engine.verify import verify
from stockwire.log import database
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import SqliteLog
from tests.simulation.disk import Disk, lossy_disk
from tests.simulation.world import BEGIN, SETTINGS


class PowerTotal(msgspec.Struct, kw_only=True):
    """What the failures came to. `wrong` says what was not as it must be."""

    failures: int = 0
    acknowledged: int = 0
    lost: int = 0
    failures_with_loss: int = 0
    wrong: list[str] = []


def lose_power(failures: int, seed: int, synchronous: str = "full") -> PowerTotal:
    """Let the power go so often, over the lives of several logs. `synchronous` is what the log asks SQLite for."""
    total = PowerTotal()
    real = database.open_writing
    dice = random.Random(f"{seed}/power")

    def open_writing(path: Path, *, durable: bool = True) -> database.apsw.Connection:
        connection = real(path, checkpoint_pages=dice.choice((20, 60, 4_000)), durable=durable)
        connection.pragma("synchronous", synchronous)
        return connection

    with lossy_disk() as disk, patch.object(database, "open_writing", open_writing):
        while total.failures < failures:
            place = Path(tempfile.mkdtemp(prefix="stockwire-power-"))
            try:
                _one_log(disk, place, dice, min(10, failures - total.failures), total)
            finally:
                shutil.rmtree(place)
    return total


def _one_log(disk: Disk, place: Path, dice: random.Random, failures: int, total: PowerTotal) -> None:
    """One log that loses its power so often."""
    acknowledged: dict[tuple[str, str], int] = {}
    number = 0
    for boot in range(failures):
        directory = place / str(boot)
        log = SqliteLog(directory, epoch="0" * 16, readers=1)
        lost = _missing(log, acknowledged)
        total.lost += lost
        total.failures_with_loss += lost > 0
        if lost:
            return
        number = _write_until_dark(disk, directory, log, dice, number, acknowledged)
        total.failures += 1
        disk.image(directory, place / str(boot + 1), dice)
        with contextlib.suppress(Exception):
            log.close()
    log = SqliteLog(place / str(failures), readers=1)
    lost = _missing(log, acknowledged)
    total.lost += lost
    total.failures_with_loss += lost > 0
    total.acknowledged += len(acknowledged)
    verified = verify(log, MemoryLog())
    total.wrong += [*map(str, verified.differences), *verified.damage]
    log.close()


def _missing(log: SqliteLog, acknowledged: dict[tuple[str, str], int]) -> int:
    """How many of the acknowledged events the log does not have under their version."""
    there = {record.event.key: record.version for record in log.records(0, 1_000_000)}
    return sum(there.get(key) != version for key, version in acknowledged.items())


def _write_until_dark(
    disk: Disk,
    directory: Path,
    log: SqliteLog,
    dice: random.Random,
    number: int,
    acknowledged: dict[tuple[str, str], int],
) -> int:
    """Record batches until the power goes, in the middle of a write or between two; gives the next event's number."""
    left = dice.choice((dice.randrange(2, 12), dice.randrange(2, 120)))

    def refuse(what: str, path: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            disk.stop(directory)
            disk.before(what, path)

    recorder = Recorder(log, log.load(), lambda: BEGIN)
    disk.refuse = refuse
    with contextlib.suppress(Exception):
        recorder.configure(SETTINGS)
    while left > 0:
        batch = [_event(number + at) for at in range(dice.choice((1, 3, 30)))]
        number += len(batch)
        (outcome,) = recorder.record([batch]).outcomes
        if isinstance(outcome, Receipt):
            acknowledged.update(zip((event.key for event in batch), outcome.versions, strict=True))
        if dice.random() < 0.02:
            disk.stop(directory)
            break
    disk.refuse = None
    return number


def _event(number: int) -> Event:
    data = {"sku": f"SKU-{number % 40}", "location": "main", "quantity": 1}
    envelope = {
        "id": str(number),
        "source": "till",
        "type": "stock.received",
        "time": "2026-03-02T09:00:00Z",
        "data": data,
    }
    return parse_event(envelope)
