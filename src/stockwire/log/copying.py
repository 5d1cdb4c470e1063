"""A copy of a log's rows alone, without the events and without what is only ever appended."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from stockwire.log import database

KEPT: Final = (
    "inventory", "products", "locations", "orders", "metrics", "minutes", "hours", "sources", "rules", "notifications",
    "people", "conditions", "facts",
)  # fmt: skip
"""The tables that folding builds on."""


def copy_rows(file: Path, to: Path) -> tuple[int, int]:
    """Make `to` a log that has the rows of `file` as of one commit; gives the version and the clock of that. The log may be
    in use. Raises StorageFailed, and leaves a part then."""
    with database.storage_errors():
        reached = _copied(file, to)
    database.sync(to)
    return reached


def _copied(file: Path, to: Path) -> tuple[int, int]:
    target = apsw.Connection(str(to), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI)
    try:
        target.set_busy_timeout(5_000)
        target.pragma("journal_mode", "memory")
        target.pragma("synchronous", "off")  # synced once, at the end
        database.migrate(target, "migrations", 0)
        target.execute("ATTACH ? AS now", (f"{file.absolute().as_uri()}?mode=ro",))
        with database.transaction(target):
            for table in KEPT:
                target.execute(f"REPLACE INTO main.{table} SELECT * FROM now.{table}")
            return _fact(target, "version"), _fact(target, "clock")
    finally:
        target.close()


def _fact(connection: apsw.Connection, name: str) -> int:
    return int(connection.execute("SELECT value FROM main.facts WHERE name = ?", (name,)).get)
