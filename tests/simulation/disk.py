"""A disk that can lose its power: an apsw VFS over real files that knows which writes were synced.

A write is on the `synced` image only after its file was synced. When the power goes, each write since then survives
or not by the dice, torn in sectors of 512 bytes; `image` makes the directory as it is found afterwards. A killed
process loses nothing: the system has what was written. After `stop` nothing of the old process reaches the disk.

It can also refuse: `refuse` is asked before every write and sync, `refuse_read` before every read, and may raise one of
apsw's errors.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
_BASE = "unix"
_NAME = "stockwire-test-disk"


class _Contents:
    """What one file holds: the image that survives, and the writes since its last sync."""

    def __init__(self, held: bytes = b"") -> None:
        self.synced = bytearray(held)
        self.unsynced: list[tuple[int, bytes | None]] = []

    def sync(self) -> None:
        for offset, data in self.unsynced:
            _apply(self.synced, offset, data)
        self.unsynced.clear()

    def now(self) -> bytearray:
        found = bytearray(self.synced)
        for offset, data in self.unsynced:
            _apply(found, offset, data)
        return found

    def after_power_failure(self, dice: random.Random) -> bytearray:
        """The synced image with some of what came after it."""
        found = bytearray(self.synced)
        kept = dice.choice((0.0, 0.0, 0.3, 0.9))
        for offset, data in self.unsynced:
            if data is None:
                if dice.random() < kept:
                    _apply(found, offset, None)
                continue
            for start in range(0, len(data), SECTOR):
                if dice.random() < kept:
                    _apply(found, offset + start, data[start : start + SECTOR])
        return found


def _apply(image: bytearray, offset: int, data: bytes | None) -> None:
    """Write `data` at `offset`; None cuts the file there."""
    if data is None:
        del image[offset:]
        return
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


class Disk:
    """The files below any directory, as `synced` and as written. `refuse(what, path)` may raise before it happens."""

    def __init__(self) -> None:
        self.files: dict[str, _Contents] = {}
        self.refuse: Callable[[str, str], None] | None = None
        self.refuse_read: Callable[[str, str], None] | None = None
        self.stopped: set[str] = set()
        self.syncs = 0

    def before(self, what: str, path: str) -> None:
        """Raises what the disk refuses."""
        if str(Path(path).parent) in self.stopped:
            raise apsw.IOError("the power is gone")
        if self.refuse is not None:
            self.refuse(what, path)

    def stop(self, directory: Path) -> None:
        """From now on nothing reaches the files of `directory`."""
        self.stopped.add(str(directory))

    def image(self, old: Path, new: Path, dice: random.Random | None = None) -> None:
        """Make `new` the directory that a restart finds: with `dice` after a loss of power, else after a kill."""
        new.mkdir(mode=0o700)
        for path, contents in list(self.files.items()):
            if Path(path).parent != old:
                continue
            del self.files[path]
            if path.endswith("-shm"):
                continue
            found = contents.now() if dice is None else contents.after_power_failure(dice)
            (new / Path(path).name).write_bytes(found)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__(_BASE, name, flags)
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name or "")
        self._contents: _Contents | None = None
        if flags[0] & (apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL):
            if self._path not in disk.files:
                disk.files[self._path] = _Contents(Path(self._path).read_bytes())
            self._contents = disk.files[self._path]

    def excepthook(self, *_: Any) -> None:
        """What the disk refuses is told by SQLite."""

    def xRead(self, amount: int, offset: int) -> bytes:
        if self._disk.refuse_read is not None:
            self._disk.refuse_read("read", self._path)
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:
        if self._contents is not None:
            self._disk.before("write", self._path)
            self._contents.unsynced.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        if self._contents is not None:
            self._disk.before("write", self._path)
            self._contents.unsynced.append((size, None))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        if self._contents is not None:
            self._disk.before("sync", self._path)
            self._disk.syncs += 1
            self._contents.sync()


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(_NAME, _BASE, makedefault=True, iVersion=3)

    def excepthook(self, *_: Any) -> None:
        """What the disk refuses is told by SQLite."""

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self._disk, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:
        self._disk.before("write", name)
        self._disk.files.pop(name, None)
        super().xDelete(name, sync)


@contextmanager
def lossy_disk() -> Iterator[Disk]:
    """For as long as the block runs, every database that is opened by its name is on such a disk."""
    disk = Disk()
    vfs = _Vfs(disk)
    try:
        yield disk
    finally:
        apsw.set_default_vfs(_BASE)
        vfs.unregister()
