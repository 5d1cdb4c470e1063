"""The demo's own directory: made, remembered and made anew.

A file in it says which simulation it is of, since the same seed and start give the same history again. Rule: only a
directory with that file is ever emptied, so a demo pointed at real data by mistake refuses instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from stockwire.core.errors import Invalid
from stockwire.core.values import DAY, HOUR
from stockwire.demo.shop import GENERATION
from stockwire.log.lock import DirectoryLock

MARK: Final = "demo.json"
HISTORY: Final = 15 * DAY
"""How much history a new demo begins with: two weeks to compare, and a day to settle."""
KEPT: Final = 7 * DAY
"""How old a demo may be to be gone on with."""
_LOG_FILES: Final = ("log.db", "log.db-wal", "log.db-shm")


class Kept(msgspec.Struct, frozen=True):
    """Which simulation a directory holds: `start` is when its history begins, `made` when it was written (moments)."""

    generation: int
    seed: int
    start: int
    made: int
    speed: float

    def goes_on(self, other: Kept) -> bool:
        """Whether this is the simulation that `other` would be, young enough to go on. Only real time goes on:
        at another speed the shop has moved years ahead of the clock before long."""
        same = (self.generation, self.seed, self.speed) == (other.generation, other.seed, other.speed)
        return same and self.speed == 1 and 0 <= other.made - self.made <= KEPT


def prepare(directory: Path, *, seed: int, speed: float, now: int, fresh: bool = False) -> Kept:
    """Have the directory ready: go on with what it holds, or empty it and begin anew.

    Raises Invalid when it holds something else than a demo, and DataDirectoryBusy while a demo runs in it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"{directory} cannot be made: {error.strerror}") from None
    lock = DirectoryLock(directory)
    try:
        return _prepare(directory, seed, speed, now, fresh)
    finally:
        lock.release()


def _prepare(directory: Path, seed: int, speed: float, now: int, fresh: bool) -> Kept:
    start = now - HISTORY
    wanted = Kept(GENERATION, seed, start - start % HOUR, now, speed)
    mark = directory / MARK
    found = _read(mark)
    if found is None and any((directory / name).exists() for name in _LOG_FILES):
        raise Invalid(f"{directory} holds a log that is not a demo's; choose another directory for the demo")
    if found is not None and found.goes_on(wanted) and not fresh:
        return found
    mark.write_bytes(msgspec.json.encode(wanted))
    for name in _LOG_FILES:
        (directory / name).unlink(missing_ok=True)
    return wanted


def _read(mark: Path) -> Kept | None:
    try:
        return msgspec.json.decode(mark.read_bytes(), type=Kept)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(f"{mark} is not a demo's file: {error}") from None
