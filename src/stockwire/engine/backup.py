"""Backup and restore: a copy of a data directory as of one moment, and a data directory made from it.

A backup is a directory with a copy of the log and of who may come in, taken through SQLite, so it is consistent however
busy the server is, and complete without any of SQLite's side files. It is only there once it is whole.

A restored log is another history: readers may have seen what came after the backup. It therefore begins a new epoch,
and every reader gets its content anew, once.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import Final

import apsw
import msgspec

from stockwire.core.errors import Invalid, StorageFailed
from stockwire.log import access, database, deliveries
from stockwire.log.lock import DirectoryLock
from stockwire.log.sqlite import FILE, SqliteLog

_FILES: Final = (FILE, access.FILE, deliveries.FILE)
_SIDE_FILES: Final = ("-wal", "-shm", "-journal")


class Copied(msgspec.Struct, frozen=True):
    """What was copied: the log's newest version, its epoch, and the bytes of all files."""

    version: int
    epoch: str
    size: int


def back_up(directory: Path, to: Path) -> Copied:
    """Copy the data directory to `to`, which must not be there yet. May run beside the server.

    Raises Invalid when `to` is there, StorageFailed when the disk refuses.
    """
    if to.exists():
        raise Invalid(f"{to} is there already; give a new name")
    if not (directory / FILE).exists():
        raise StorageFailed(f"there is no log in {directory}")
    making = to.with_name(f"{to.name}.{os.getpid()}.part")
    try:
        making.mkdir(mode=0o700, parents=True)
        for name in _FILES:
            if (directory / name).exists():
                copy_database(directory / name, making / name)
        copied = _looked_at(making)
        os.replace(making, to)
    except OSError as error:
        raise StorageFailed(f"the backup could not be written to {to}: {error.strerror}") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    database.sync(to.parent)
    return copied


def restore(backup: Path, directory: Path, *, replace: bool = False) -> Copied:
    """Make `directory` a data directory with what the backup has, under a new epoch. No server may own it.

    With `replace` a log that is there gives way; without, it is left alone. Raises Invalid when there is no sound
    backup or a log that may not be replaced, DataDirectoryBusy, StorageFailed.
    """
    if not (backup / FILE).exists():
        raise Invalid(f"there is no backup at {backup}")
    _looked_at(backup)
    database.make_directory(directory)
    if (directory / FILE).exists() and not replace:
        raise Invalid(f"there is a log in {directory} already; say so when it is to be replaced")
    lock = DirectoryLock(directory)
    try:
        _put_in_place(backup, directory)
    except OSError as error:
        raise StorageFailed(f"{directory} could not be written: {error.strerror}") from error
    finally:
        lock.release()
    return _looked_at(directory)


def _put_in_place(backup: Path, directory: Path) -> None:
    """Copy beside, then exchange: a loss of power leaves the old log or the new one."""
    making = {name: directory / f"{name}.part" for name in _FILES if (backup / name).exists()}
    for name, part in making.items():
        part.unlink(missing_ok=True)
        copy_database(backup / name, part)
    with database.storage_errors():
        log = apsw.Connection(str(making[FILE]))
        log.execute("UPDATE facts SET value = ? WHERE name = 'epoch'", (secrets.token_hex(8),))
        log.execute("DELETE FROM facts WHERE name = 'origin'")
        log.close()
    (directory / "newest").unlink(missing_ok=True)
    for name, part in making.items():
        for side in _SIDE_FILES:
            (directory / f"{name}{side}").unlink(missing_ok=True)
        os.replace(part, directory / name)
    database.sync(directory)


def copy_database(file: Path, to: Path) -> None:
    """A whole copy of a database as of one moment, its owner's alone, on disk when this returns.

    Raises StorageFailed, or OSError when the file cannot be made.
    """
    os.close(os.open(to, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with database.storage_errors():
        source = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        target = apsw.Connection(str(to))
        try:
            source.set_busy_timeout(5_000)
            with target.backup("main", source, "main") as step:
                while not step.done:
                    step.step()
            target.pragma("journal_mode", "delete")
        finally:
            target.close()
            source.close()
    database.sync(to)


def _looked_at(directory: Path) -> Copied:
    """What a directory holds, once SQLite has found nothing wrong with it. Raises Invalid."""
    log = SqliteLog(directory, reading=True, readers=1)
    try:
        if damage := log.check():
            raise Invalid(f"the log in {directory} is damaged: {damage[0]}")
        size = sum((directory / name).stat().st_size for name in _FILES if (directory / name).exists())
        return Copied(log.version, log.epoch, size)
    finally:
        log.close()
