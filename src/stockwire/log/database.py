"""SQLite through apsw: connections, named statements, migrations, and what its errors mean here.

apsw's wheel carries its own SQLite, so a fix in SQLite is a release of ours and not of the system's. Everything that
is durable is written with `synchronous=FULL` in WAL mode: with NORMAL a loss of power loses commits that were
acknowledged.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import apsw

from stockwire.core.errors import SchemaTooNew, StorageFailed

_BUSY_MILLISECONDS: Final = 5_000

REFUSALS: Final = (
    apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.BusyError, apsw.LockedError,
    apsw.CorruptError, apsw.NotADBError, apsw.PermissionsError, apsw.NoMemError, apsw.ProtocolError,
)  # fmt: skip
"""What apsw raises when the disk, not the statement, is at fault."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns what the disk refuses into StorageFailed; mistakes in statements stay what they are."""
    try:
        yield
    except REFUSALS as error:
        raise StorageFailed(_meaning(error)) from error


def _meaning(error: Exception) -> str:
    """What happened, what it means for the data, and what to do."""
    match error:
        case apsw.FullError():
            return (
                "the disk that holds the data directory is full; what was acknowledged is safe; make room, and writing goes "
                "on by itself"
            )
        case apsw.CorruptError() | apsw.NotADBError():
            return (
                f"the database is damaged ({error}); stop the server, keep a copy of the data directory, and restore the "
                "newest backup: `stockwire restore BACKUP --replace`"
            )
        case apsw.ReadOnlyError() | apsw.CantOpenError() | apsw.PermissionsError():
            return (
                f"the database cannot be opened for that ({error}); what was acknowledged is safe; check that the data "
                "directory and its files belong to this user and that the disk is not mounted read-only"
            )
        case apsw.IOError():
            return (
                f"the disk failed ({error}); what was acknowledged before is safe if the disk keeps it; look at the system's "
                "log for the disk's errors; it is tried again with every request"
            )
        case _:
            return f"the database could not be used ({error}); what was acknowledged is safe; try again"


def statements(name: str) -> dict[str, str]:
    """The named statements of `sql/<name>.sql`."""
    text = files("stockwire.log.sql").joinpath(f"{name}.sql").read_text("utf-8")
    blocks = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    bodies = (re.sub(r"^--.*$", "", body, flags=re.MULTILINE).strip() for body in blocks[2::2])
    return dict(zip(blocks[1::2], bodies, strict=True))


def make_directory(directory: Path) -> None:
    """Have the data directory there; one that is made is its owner's alone. Raises StorageFailed."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"the data directory {directory} cannot be made: {error.strerror}") from error


def open_writing(path: Path, *, checkpoint_pages: int = 4_000, durable: bool = True) -> apsw.Connection:
    """A connection that may write; the file is made when it is not there. Use it in one thread at a time.

    `durable` false leaves syncing to the system: for what can be made anew, such as a refold.
    """
    with storage_errors():
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(_BUSY_MILLISECONDS)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full" if durable else "off")
        connection.pragma("wal_autocheckpoint", checkpoint_pages)
        connection.pragma("cache_size", -64 * 1024)
        connection.pragma("temp_store", "memory")
        return connection


def open_reading(path: Path) -> apsw.Connection:
    """A connection that only reads, and never checkpoints."""
    with storage_errors():
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_NOMUTEX)
        connection.set_busy_timeout(_BUSY_MILLISECONDS)
        connection.pragma("query_only", True)
        connection.pragma("cache_size", -16 * 1024)
        connection.pragma("temp_store", "memory")
        connection.create_scalar_function("casefold", _casefold, 1, deterministic=True)
        return connection


def sync(place: Path) -> None:
    """Have a file, or the names in a directory, on the disk when this returns."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _casefold(*values: Any) -> Any:
    (value,) = values
    return value.casefold() if isinstance(value, str) else value


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """All or nothing: commits at the end, rolls back when anything is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def migrate(connection: apsw.Connection, folder: str, now: int) -> None:
    """Bring the schema up to this version, one transaction each; what was applied before must be what it was then.

    Raises SchemaTooNew when the database knows a migration that this version does not, or another one of its number.
    """
    with storage_errors():
        with transaction(connection):
            connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                "checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT"
            )
        for number, (name, script) in _migrations(folder).items():
            _migrate_one(connection, number, name, script, now)
    check_schema(connection, folder)


def check_schema(connection: apsw.Connection, folder: str) -> None:
    """Raises SchemaTooNew when the schema is another than this version's."""
    known = _migrations(folder)
    with storage_errors():
        rows = list(connection.execute("SELECT number, name, checksum FROM migrations ORDER BY number"))
    for number, name, checksum in rows:
        if number not in known:
            raise SchemaTooNew(f"migration {name} is not of this Stockwire; start the newer version that wrote it")
        if checksum != _checksum(known[number][1]):
            raise SchemaTooNew(f"migration {name} was applied in another form; start the version that wrote it")


def _migrate_one(connection: apsw.Connection, number: int, name: str, script: str, now: int) -> None:
    with transaction(connection):
        if connection.execute("SELECT 1 FROM migrations WHERE number = ?", (number,)).get is None:
            connection.execute(script)
            connection.execute("INSERT INTO migrations VALUES (?, ?, ?, ?)", (number, name, _checksum(script), now))


def _migrations(folder: str) -> dict[int, tuple[str, str]]:
    found = {}
    for file in files("stockwire.log.sql").joinpath(folder).iterdir():
        if file.name.endswith(".sql"):
            found[int(file.name[:4])] = (file.name.removesuffix(".sql"), file.read_text("utf-8"))
    return dict(sorted(found.items()))


def _checksum(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()


class Readers:
    """A few reading connections for however many threads; who finds none free waits for one.

    `still` keeps one and the same transaction over all borrowings, so that everything is read as of one commit.
    """

    def __init__(self, open_one: Callable[[], apsw.Connection], most: int = 4, *, still: bool = False) -> None:
        self._open_one = open_one
        self._still = still
        self._free: list[apsw.Connection] = []
        self._room = threading.Semaphore(most)
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self) -> Iterator[apsw.Connection]:
        """A connection that nobody else uses meanwhile."""
        with self._room, storage_errors():
            with self._lock:
                connection = self._free.pop() if self._free else None
            if connection is None:
                connection = self._open_one()
                if self._still:
                    connection.execute("BEGIN")
            try:
                yield connection
            except REFUSALS:
                connection.close(True)
                raise
            except BaseException:
                self._give_back(connection)
                raise
            self._give_back(connection)

    def _give_back(self, connection: apsw.Connection) -> None:
        if connection.in_transaction and not self._still:
            connection.execute("ROLLBACK")
        with self._lock:
            self._free.append(connection)

    def close(self) -> None:
        """Close the connections that are free; nobody may be using one."""
        with self._lock:
            while self._free:
                self._free.pop().close()
