"""A witness beside the log: whether it is the one that was here before, or a copy that somebody put back.

A copy has the log's epoch, so cursors given out after it was made would be resumed in a history that never had their
rows. Two small files tell, because no copy carries them truly:

* `origin` is made once and never touched. The log keeps its inode and the moment of its last change, which the system
  alone sets: whoever copies a directory makes another file of it.
* `newest` has the newest version committed. A log that is behind it was exchanged under it.

Neither is synced: after a loss of power `newest` may be behind, never ahead. A disk image that is rolled back as a
whole cannot be told from inside; `stockwire restore` is for that. A directory that is moved to another file system,
or whose owner is changed, counts as a copy: its readers get their content anew, once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_FORM: Final = b"%019d\n"


class Witness:
    """The witness of one data directory, for the process that may write. Raises OSError when it cannot be made."""

    def __init__(self, directory: Path) -> None:
        self._origin = _opened(directory / "origin")
        self._newest = _opened(directory / "newest")

    @property
    def origin(self) -> str:
        """What tells this directory from every copy of it."""
        seen = os.fstat(self._origin)
        return f"{seen.st_ino}.{seen.st_ctime_ns}"

    def vouches(self, origin: str | None, version: int) -> bool:
        """Whether a log that says it has that origin and version is the one that was here; without an origin, nobody knows."""
        return origin in (None, self.origin) and version >= self._seen()

    def _seen(self) -> int:
        text = os.pread(self._newest, 20, 0)
        return int(text) if len(text) == 20 and text[:19].isdigit() else 0

    def saw(self, version: int) -> None:
        """Note that a version was committed."""
        os.pwrite(self._newest, _FORM % version, 0)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._origin)
        os.close(self._newest)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
