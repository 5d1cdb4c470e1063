"""One writing process per data directory: an advisory lock that the system lets go of however the process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from stockwire.core.errors import DataDirectoryBusy, StorageFailed


class DirectoryLock:
    """Holds the directory from its making until `release`. The lock file names the process that holds it.

    Raises DataDirectoryBusy with that process's id when another one does.
    """

    def __init__(self, directory: Path) -> None:
        try:
            self._file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageFailed(f"the data directory {directory} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise DataDirectoryBusy(
                f"process {holder} owns the data directory {directory}; stop it, or send to it over HTTP instead"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have the directory."""
        os.close(self._file)
