"""The data directory from the command line: who owns it, writing into it when nobody does, and verifying it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockwire.core.errors import DataDirectoryBusy
from stockwire.engine.checkpoints import PLACE, Checkpoints, Reached
from stockwire.engine.ingest import Ingest
from stockwire.engine.state import ready
from stockwire.importing.bringing import Sent
from stockwire.log.sqlite import FILE, SqliteLog

if TYPE_CHECKING:
    from stockwire.core.events import Event
    from stockwire.importing.rows import Format
    from stockwire.settings import Loaded, Settings


def owner(directory: Path) -> str | None:
    """The id of the process that owns the data directory; None when nobody does."""
    try:
        lock = os.open(directory / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
    else:
        return None
    finally:
        os.close(lock)


def newest_record(directory: Path) -> int:
    """When the newest event was recorded (a moment); 0 when there is no log or no event."""
    if not (directory / FILE).exists():
        return 0
    log = SqliteLog(directory, reading=True)
    try:
        return log.recorded_at()
    finally:
        log.close()


def suited(loaded: Loaded, format_made: Format, reload: Callable[[], Loaded], tell: Callable[[str], Any]) -> Loaded:
    """The settings for a file of that format.

    A format may know the file's currency and time zone. A data directory that has no settings yet is made for
    them; one that has others is left as it is, and `tell` hears what will not be counted.
    """
    settings = loaded.settings
    known = {
        name: value
        for name, value in (("timezone", format_made.timezone), ("currency", format_made.currency))
        if value is not None and getattr(settings, name) != value
    }
    if not known:
        return loaded
    is_new = not (settings.data_dir / FILE).exists() and not settings.config_file.exists()
    if is_new and all(loaded.origins[name] == "default" for name in known):
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = "".join(f'{name} = "{value}"\n' for name, value in known.items())
        settings.config_file.write_text(
            "# Written by the first import: what the file's format is known to be in.\n" + text
        )
        said = ", ".join(f"{name} {value}" for name, value in known.items())
        tell(f"New data directory: wrote {settings.config_file} with {said}, which this format is in.")
        return reload()
    if "currency" in known:
        tell(
            f"[yellow]The file's money is {known['currency']} and the shop's is {settings.currency}[/]: "
            "its orders will count, but not in sums of money."
        )
    return loaded


class Directory:
    """A sink that is a data directory: its own one writer, as in the server. `log` is for looking. Checkpoints are left on
    the way, so that whoever looks back into what is written here need not wait."""

    def __init__(self, log: SqliteLog, ingest: Ingest, checkpoints: Checkpoints) -> None:
        self.log = log
        self._ingest = ingest
        self._checkpoints = checkpoints

    def send(self, events: Sequence[Event]) -> Sent:
        """Have the events stored; returns when they are durable."""
        receipt = self._ingest.submit_blocking(events)
        self._checkpoints.leave(receipt.version, receipt.version, lambda to: Reached(*self.log.copy_rows(to)))
        return Sent(receipt.accepted, receipt.duplicates, receipt.version)


@contextmanager
def writing(settings: Settings) -> Iterator[Directory]:
    """The data directory, to write into; made when it is not there. What was accepted is finished at the end.

    Raises DataDirectoryBusy, SchemaTooNew or StorageFailed.
    """
    from stockwire.writing import configuration

    try:
        log = SqliteLog(settings.data_dir, now=moment_now())
    except DataDirectoryBusy as error:
        raise DataDirectoryBusy(f"{error.detail} (--url {settings.server_url} --key KEY)") from None
    try:
        ingest = Ingest(log, ready(log), configuration(settings), now=moment_now)
        try:
            ingest.start_blocking()
            yield Directory(log, ingest, Checkpoints(settings.data_dir / PLACE, log.epoch))
        finally:
            ingest.stop_blocking()
    finally:
        log.close()


def moment_now() -> int:
    """The wall's clock as a moment."""
    return time.time_ns() // 1_000
