"""A file as rows, and what a format makes of them.

`Input` opens a file (plain or gzip, `-` for stdin) as often as a format needs passes over it. A format's `read`
yields `Parsed` envelopes and `BadRow`s in the file's order; rows are numbered from 1, header included, as an editor
shows them.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from stockwire.core.errors import Invalid

Envelope: TypeAlias = dict[str, Any]
"""A public event (spec/events.md) with exact numbers: int, Decimal, or decimal text."""

MOST_LINES: Final = 1_000
"""How many lines one order event may carry."""


class Parsed(NamedTuple):
    """An event and the rows it stands for: the first one's number, and how many rows of the file were read by now."""

    row: int
    read: int
    envelope: Envelope


class BadRow(NamedTuple):
    """A row that cannot be understood, and why."""

    row: int
    detail: str


Item: TypeAlias = Parsed | BadRow


class Format(Protocol):
    """How to read one kind of file. `source` goes on every event.

    `timezone` and `currency` are the file's own, where the format knows them: what a shop made only of this file
    would choose.
    """

    @property
    def source(self) -> str: ...
    @property
    def timezone(self) -> str | None: ...
    @property
    def currency(self) -> str | None: ...

    def read(self, file: Input) -> Iterator[Item]:
        """The file's events in order. Raises Invalid when the file as a whole is of another form."""
        ...


class Input:
    """A file to read. `progress` is told the bytes read so far of this pass and the size of the file."""

    def __init__(self, path: Path, progress: Callable[[str, int, int], None] | None = None) -> None:
        """`path` must be a file that can be read again; `spooled` makes one of stdin. Raises Invalid when it is not there."""
        if not path.is_file():
            raise Invalid(f"there is no file {path}")
        self.path = path
        self.size = path.stat().st_size
        self._progress = progress

    @contextmanager
    def text(self, doing: str = "Reading") -> Iterator[io.TextIOBase]:
        """The file's text from the start; `doing` names this pass to the one who waits."""
        try:
            with self.path.open("rb") as raw:
                counted = _Counted(raw, lambda at: self._tell(doing, at))
                with self.path.open("rb") as packed:
                    is_gzip = packed.read(2) == b"\x1f\x8b"
                stream: Any = gzip.GzipFile(fileobj=counted) if is_gzip else io.BufferedReader(counted)
                yield io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
            raise Invalid(f"{self.path} cannot be read: {error}") from None
        except OSError as error:
            raise Invalid(f"{self.path} cannot be read: {error.strerror or error}") from None

    def _tell(self, doing: str, at: int) -> None:
        if self._progress is not None:
            self._progress(doing, at, self.size)


class _Counted(io.RawIOBase):
    """A raw file that tells how far it was read."""

    def __init__(self, raw: BinaryIO, told: Callable[[int], None]) -> None:
        self._raw = raw
        self._told = told
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        self._told(self._at)
        return len(data)


@contextmanager
def spooled(path: Path) -> Iterator[Path]:
    """A path that can be opened again: the file itself, or for `-` a temporary copy of stdin."""
    if str(path) != "-":
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="stockwire-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)


class Table:
    """A CSV file with a header: rows with their numbers, each as wide as the header or else a BadRow."""

    def __init__(self, text: io.TextIOBase, needed: Sequence[str], known: Sequence[str] | None = None) -> None:
        """`needed` columns must be there; with `known` no others may be. Raises Invalid."""
        self._rows = csv.reader(text, strict=True)
        try:
            header = next(self._rows, None)
        except csv.Error as error:
            raise Invalid(f"row 1: {error}") from None
        if not header:
            raise Invalid("the file is empty; its first row must name the columns")
        self.columns: list[str] = [name.strip() for name in header]
        missing = [name for name in needed if name not in self.columns]
        if missing:
            raise Invalid(f"row 1 must name the columns {', '.join(needed)}; missing: {', '.join(missing)}")
        unknown = [name for name in self.columns if known is not None and name not in known]
        if unknown:
            raise Invalid(f"row 1 names unknown columns: {', '.join(unknown)}; known are {', '.join(known or ())}")
        if len(set(self.columns)) != len(self.columns):
            raise Invalid("row 1 names a column twice")

    def index(self, name: str) -> int:
        """Where the column is."""
        return self.columns.index(name)

    def __iter__(self) -> Iterator[tuple[int, list[str] | None]]:
        """Each row with its number; None where it is not as wide as the header or not CSV."""
        width = len(self.columns)
        while True:
            try:
                for row in self._rows:
                    yield self._rows.line_num, row if len(row) == width else None
                return
            except csv.Error:
                yield self._rows.line_num, None

    def named(self) -> Iterator[tuple[int, dict[str, str] | None]]:
        """Each row as its non-empty fields by column."""
        for number, row in self:
            if row is None:
                yield number, None
            else:
                yield number, {name: text for name, text in zip(self.columns, row, strict=True) if text}


@lru_cache(maxsize=4096)
def local_time(text: str, zone: ZoneInfo) -> str:
    """A time from a file as RFC 3339: kept when it has an offset, else local time of `zone`.

    In the hour that a clock change repeats, the first of the two is meant. Raises ValueError.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text[:40]}` is not a date and time such as 2026-03-02 14:02:11") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def exact(text: str, noun: str) -> int | Decimal:
    """The exact number of a field, an int when whole. Raises ValueError."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{noun} `{text[:40]}` is not a number") from None
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise ValueError(f"{noun} `{text[:40]}` is not a number")
    return int(value) if value == value.to_integral_value() else value


def yes_or_no(text: str, noun: str) -> bool:
    """A flag of a field. Raises ValueError."""
    match text.strip().lower():
        case "true" | "yes" | "1":
            return True
        case "false" | "no" | "0":
            return False
        case _:
            raise ValueError(f"{noun} `{text[:40]}` is neither true nor false")


def digest(content: Mapping[str, Any]) -> str:
    """A short name for what an event says, for an id that differs when the content does."""
    told = "\x1f".join(f"{name}={content[name]}" for name in sorted(content))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def envelope(source: str, id_: str, type_: str, time: str, data: dict[str, Any]) -> Envelope:
    """One event in its public form."""
    return {"specversion": "1.0", "source": source, "id": id_, "type": type_, "time": time, "data": data}
