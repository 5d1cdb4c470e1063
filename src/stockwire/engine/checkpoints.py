"""Checkpoints: copies of the rows as they were at some versions, from which a look back folds on.

Without them whoever looks back first waits until the whole log is folded, which is minutes for a million events. They lie in
a directory of their own and are found by their names, so that several processes may share them; all of it may be removed at
any time. A server leaves one now and then, an import and a look back leave them on their way. They hold neither events nor
what is only ever appended: that stands in the log, with its versions.

Two rules. They are dense near now and sparse long ago, since that is how people look back: between two is at most a share of
the way back to now, so their number grows with the logarithm of the log. And they belong to one history: those of another
epoch are removed, and so is one that cannot be read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from stockwire.core.errors import StorageFailed

PLACE: Final = "past"
"""Their directory in the data directory."""
SPACING: Final = 2_500
"""Events between two checkpoints near now."""
SHARE: Final = 4
"""Farther back, at most this part of the way to now lies between two."""
BYTES_MOST: Final = 512 * 1024 * 1024
ROOM: Final = 10
"""How many times its size must be free on the disk for one to stay."""
PATIENCE: Final = 10.0
"""After one is made, the process does this many times as much work before the next."""
ABANDONED: Final = 3_600.0
"""Seconds after which nobody is still making one."""
_MAKING: Final = ".making"


class Reached(NamedTuple):
    """How far rows are folded."""

    version: int
    clock: int


Copy = Callable[[Path], Reached]
"""Writes rows into a new file, as of one commit; says which."""


class Checkpoint(NamedTuple):
    """A copy of the rows at one version, and the shop's clock there."""

    version: int
    clock: int
    file: Path


class Checkpoints:
    """Those of one history in a directory, which is made when the first is left. Use it in one thread at a time.
    `worked` is how many seconds the process had a processor."""

    def __init__(
        self, place: Path, epoch: str, *, spacing: int = SPACING, worked: Callable[[], float] = time.process_time
    ) -> None:
        self._place = place
        self._epoch = epoch
        self._spacing = spacing
        self._worked = worked
        self._not_before = float("-inf")

    def newest_first(self) -> list[Checkpoint]:
        """All that there are."""
        found = []
        for file in self._files():
            parts = file.stem.split("-")
            if len(parts) == 3 and parts[0] == self._epoch and parts[1].isdecimal() and parts[2].isdecimal():
                found.append(Checkpoint(int(parts[1]), int(parts[2]), file))
        return sorted(found, reverse=True)

    def _files(self) -> list[Path]:
        return sorted(self._place.glob("*.db")) if self._place.is_dir() else []

    def leave(self, version: int, newest: int, copy: Copy) -> bool:
        """Have a checkpoint of rows at about `version` when one is due there; `newest` is how long the log is. Says whether
        one was made. A disk that refuses leaves things as they are."""
        began = self._worked()
        if began < self._not_before or not self._due(version, newest):
            return False
        making = self._place / f"{os.getpid()}-{threading.get_ident()}{_MAKING}"
        try:
            self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
            making.unlink(missing_ok=True)
            reached = copy(making)
            if shutil.disk_usage(self._place).free < ROOM * making.stat().st_size:
                return False
            os.replace(making, self._place / f"{self._epoch}-{reached.version}-{reached.clock}.db")
            self._thin(newest)
        except (OSError, StorageFailed):
            return False
        finally:
            with contextlib.suppress(OSError):
                making.unlink(missing_ok=True)
            ended = self._worked()
            self._not_before = ended + PATIENCE * (ended - began)
        return True

    def _due(self, version: int, newest: int) -> bool:
        before = next((each.version for each in self.newest_first() if each.version <= version), 0)
        return version - before >= widest(newest - version, self._spacing)

    def _thin(self, newest: int) -> None:
        """Remove what is not needed, and of the rest every other one while they are too large together."""
        self._clear()
        present = self.newest_first()
        gone = set(surplus([each.version for each in present], newest, self._spacing))
        kept = [each for each in present if each.version not in gone]
        while len(kept) > 1 and sum(each.file.stat().st_size for each in kept) > BYTES_MOST:
            gone |= {each.version for each in kept[1::2]}
            kept = kept[::2]
        for each in present:
            if each.version in gone:
                self.drop(each)

    def _clear(self) -> None:
        """Remove those of another history, and what a killed process left half made."""
        for file in self._files():
            if not file.stem.startswith(f"{self._epoch}-"):
                file.unlink(missing_ok=True)
        for part in self._place.glob(f"*{_MAKING}*"):
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink(missing_ok=True)

    def drop(self, checkpoint: Checkpoint) -> None:
        """Remove one that is of no use."""
        checkpoint.file.unlink(missing_ok=True)


def widest(age: int, spacing: int) -> int:
    """How many events may lie between two checkpoints that many events before now."""
    return max(spacing, age // SHARE)


def surplus(versions: Sequence[int], newest: int, spacing: int) -> list[int]:
    """Those of the versions, newest first, without which the others are still near enough. The ends always stay."""
    gone: list[int] = []
    if not versions:
        return gone
    later = versions[0]
    for version, older in pairwise(versions[1:]):
        if later - older <= widest(newest - older, spacing):
            gone.append(version)
        else:
            later = version
    return gone
