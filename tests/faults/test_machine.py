"""When the machine fails: a clear word, reading goes on, nothing acknowledged is lost, and writing resumes by itself."""

from __future__ import annotations

import logging
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import httpx
import pytest

from stockwire.core.errors import StorageFailed
from stockwire.core.values import DAY, SECOND, moment_text
from stockwire.engine.recorder import Receipt, Recorder
from stockwire.engine.verify import verify
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import FILE, SqliteLog
from tests.log.history import RECORDED, SETTINGS, receipt
from tests.running import Running, event, running, snapshot, stockwire
from tests.simulation.disk import Disk, lossy_disk
from tests.workers.crew import Screen

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def disk() -> Iterator[Disk]:
    logging.disable(logging.CRITICAL)
    with lossy_disk() as disk:
        yield disk
    logging.disable(logging.NOTSET)


def failing(error: Callable[[], Exception], *when: str) -> Callable[[str, str], None]:
    def refuse(what: str, path: str) -> None:
        if what in when:
            raise error()

    return refuse


def serve_fails(data_dir: Path) -> str:
    """Start a server that cannot start; gives what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "stockwire", "serve", "--data-dir", str(data_dir), "--port", "0"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        (failing(lambda: apsw.FullError("full"), "write"), "is full; what was acknowledged is safe; make room"),
        (failing(lambda: apsw.IOError("failed"), "write"), "the disk failed"),
        (failing(lambda: apsw.IOError("failed"), "sync"), "the disk failed"),
    ],
    ids=["disk full", "writes fail", "syncs fail"],
)
def test_a_refusing_disk_acknowledges_nothing_reads_on_and_recovers(
    disk: Disk, tmp_path: Path, refuse: Callable[[str, str], None], said: str
) -> None:
    log = SqliteLog(tmp_path)
    recorder = Recorder(log, log.load(), lambda: RECORDED)
    recorder.configure(SETTINGS)
    recorder.record([[receipt(1)]])
    disk.refuse = refuse
    for _ in range(3):
        (told,) = recorder.record([[receipt(2)]]).outcomes
        assert isinstance(told, StorageFailed) and said in told.detail
        assert log.load().inventory[("MUG", "main")].on_hand >= 1_000
    disk.refuse = None
    (told,) = recorder.record([[receipt(2), receipt(3)]]).outcomes
    assert isinstance(told, Receipt) and told.versions == (3, 4)
    assert log.load().inventory[("MUG", "main")].on_hand == 3_000
    assert verify(log, MemoryLog()).sound
    log.close()


def test_a_disk_that_cannot_be_read_is_named_and_read_again_later(disk: Disk, tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    recorder = Recorder(log, log.load(), lambda: RECORDED)
    recorder.configure(SETTINGS)
    recorder.record([[receipt(1)]])
    disk.refuse_read = failing(lambda: apsw.IOError("failed"), "read")
    with pytest.raises(StorageFailed, match="the disk failed"):
        SqliteLog(tmp_path, reading=True).records()
    disk.refuse_read = None
    assert [record.version for record in log.records()] == [1, 2]
    log.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 6 MiB; where nothing may be mounted, a directory whose files cannot grow stands in for it."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", "size=6m", "none", str(place))
    yield SmallDisk(place, mounted=mounted)
    if mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


class SmallDisk:
    """A place that can be filled and freed under a running server."""

    def __init__(self, place: Path, *, mounted: bool) -> None:
        self.place = place
        self.mounted = mounted

    def fill(self, pid: int) -> None:
        if not self.mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            return
        with (self.place / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while ballast.write(bytes(4_096)):
                pass

    def free(self, pid: int) -> None:
        if self.mounted:
            (self.place / "ballast").unlink()
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, UNLIMITED)


def test_a_full_disk_that_is_freed_needs_no_restart_and_cost_nothing_acknowledged(small_disk: SmallDisk) -> None:
    data = small_disk.place / "data"
    with running(data) as server:
        acknowledged = server.post(*(snapshot(f"SKU-{number}", 1) for number in range(100)))["version"]
        small_disk.fill(server.pid)
        batch = [snapshot(f"SKU-{number}", 2) for number in range(100)]
        for _ in range(200):
            answer = httpx.post(f"{server.url}/api/v1/events", json=batch, headers=server.headers)
            if answer.status_code != 200:
                break
            acknowledged = answer.json()["version"]
            batch = [snapshot(f"SKU-{number}", 2) for number in range(100)]
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
        assert "what was acknowledged is safe" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0
        assert len(server.get("/api/v1/inventory", limit=1000)["rows"]) == 100
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        small_disk.free(server.pid)
        assert server.post(*batch)["version"] == acknowledged + 100
        assert server.stop() == 0
    stockwire("verify", "--data-dir", str(data))


def test_a_directory_on_a_disk_that_is_read_only_is_named(small_disk: SmallDisk) -> None:
    if small_disk.mounted:
        assert _mount("-o", "remount,ro", str(small_disk.place))
        said = serve_fails(small_disk.place)
        assert f"the data directory {small_disk.place} cannot be written: Read-only file system" in said
    else:
        assert "the data directory /sys cannot be written" in serve_fails(Path("/sys"))


def test_a_server_out_of_space_says_so_goes_on_reading_and_needs_no_restart(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        server.post(snapshot("MUG", 3))
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        refused = snapshot("MUG", 4)
        answer = httpx.post(f"{server.url}/api/v1/events", json=[refused], headers=server.headers)
        assert answer.status_code == 503
        assert answer.json()["code"] == "storage_failed"
        assert answer.headers["content-type"] == "application/problem+json"
        assert server.get("/api/v1/inventory")["rows"][0]["on_hand"] == 3
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        server.post(refused)
        assert server.get("/api/v1/inventory")["rows"][0]["on_hand"] == 4
        assert server.stop() == 0
    assert stockwire("verify", "--data-dir", str(tmp_path / "data"))


def test_a_second_process_is_told_who_owns_the_directory(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        assert f"process {server.pid} owns the data directory" in serve_fails(tmp_path / "data")
        server.post(snapshot("MUG", 3))


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert f"the data directory {tmp_path}/file/data cannot be made" in serve_fails(tmp_path / "file" / "data")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    assert f"the data directory {tmp_path} cannot be written" in serve_fails(tmp_path)


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"This is no database at all. " * 400)
    said = serve_fails(tmp_path)
    assert "the database is damaged" in said and "stockwire restore" in said


def damaged(path: Path, at: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * size)


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The data directory of a server that has stopped."""
    server = Running(tmp_path / "data").start()
    server.post(*(snapshot(f"SKU-{number}", number) for number in range(500)))
    assert server.stop() == 0
    return tmp_path / "data"


def said_by(*arguments: str) -> str:
    """What a command that finds damage says."""
    done = subprocess.run(
        [sys.executable, "-m", "stockwire", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (1, 3), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return " ".join((done.stdout + done.stderr).split())


def test_a_torn_page_is_found_and_named(stopped: Path) -> None:
    size = (stopped / FILE).stat().st_size
    damaged(stopped / FILE, size // 2 // 4096 * 4096, 4_096)
    assert "damaged" in said_by("verify", "--data-dir", str(stopped))


@pytest.mark.parametrize(
    ("at", "size"), [(0, 100), (16, 8), (100, 3_996)], ids=["all of it", "the sizes", "the tables"]
)
def test_a_torn_header_is_named_and_the_file_left_as_it_is(stopped: Path, at: int, size: int) -> None:
    damaged(stopped / FILE, at, size)
    before = (stopped / FILE).read_bytes()
    said = serve_fails(stopped)
    assert "the database is damaged" in said and "stockwire restore BACKUP --replace" in said
    assert (stopped / FILE).read_bytes() == before


@pytest.mark.parametrize("how", ["cut", "overwritten"])
def test_a_torn_write_ahead_log_leaves_a_sound_log_of_another_epoch(tmp_path: Path, how: str) -> None:
    server = Running(tmp_path / "data").start()
    for level in range(20):
        server.post(*(snapshot(f"SKU-{number}", level) for number in range(50)))
    before = server.get("/api/v1/status")
    server.kill()
    wal = tmp_path / "data" / f"{FILE}-wal"
    size = wal.stat().st_size
    if how == "cut":
        os.truncate(wal, size // 2)
    else:
        damaged(wal, size // 2, size - size // 2)
    server.start()
    after = server.get("/api/v1/status")
    assert after["version"] < before["version"], "what the disk destroyed is gone"
    assert after["epoch"] != before["epoch"], "so nobody may go on from a version that is not there any more"
    server.post(snapshot("MUG", 3))
    assert server.stop() == 0
    stockwire("verify", "--data-dir", str(tmp_path / "data"))


def test_a_clock_set_back_a_day_changes_nothing_in_the_order_of_things(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    now = [RECORDED]
    recorder = Recorder(log, log.load(), lambda: now[0])
    recorder.configure(SETTINGS)
    recorder.record([[receipt(1)]])
    now[0] -= DAY
    recorder.record([[receipt(2)]])
    assert [record.recorded_at for record in log.records()] == [RECORDED] * 3
    assert verify(log, MemoryLog()).sound
    log.close()


class Turned(Running):
    """A server on a machine whose clock is turned by as many seconds as `by` says."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self._by = data_dir.with_suffix(".clock")
        self.turn(0)

    def turn(self, seconds: int) -> None:
        """Written beside and renamed, so that it is never read half."""
        beside = self._by.with_suffix(".new")
        beside.write_text(str(seconds))
        beside.replace(self._by)

    def _command(self) -> list[str]:
        python, _, program, *rest = super()._command()
        assert program == "stockwire"
        return [python, "-m", "tests.faults.turned", str(self._by), *rest]


def test_a_server_whose_clock_is_set_back_a_day_names_it_reads_on_and_loses_nothing(tmp_path: Path) -> None:
    server = Turned(tmp_path / "data")
    server.start()
    try:
        before = server.post(snapshot("MUG", 3))["version"]
        screen = Screen(server).ask().until(before)
        server.turn(-DAY // SECOND)
        refused = httpx.post(f"{server.url}/api/v1/events", json=[snapshot("MUG", 4)], headers=server.headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
        assert "ahead of this server's clock" in refused.text
        assert server.get("/api/v1/inventory")["rows"][0]["on_hand"] == 3
        yesterday = moment_text(time.time_ns() // 1_000 - DAY)
        received = event("stock.received", time=yesterday, sku="MUG", location="main", quantity=2)
        belated = server.post(received)["version"]
        assert belated > before
        assert screen.until(belated).rows("stock")
        server.kill()
        server.start()
        assert server.get("/api/v1/status")["epoch"] == screen.receiver.epoch, "it is the same history"
        server.turn(0)
        newest = server.post(snapshot("MUG", 9))["version"]
        assert server.get("/api/v1/inventory", at_least=newest)["rows"][0]["on_hand"] == 9
        screen.close()
        assert server.stop() == 0
    finally:
        server.kill()
    stockwire("verify", "--data-dir", str(tmp_path / "data"))


def copy_of(directory: Path, to: Path) -> Path:
    """A copy as a person makes one, with the server stopped."""
    return Path(shutil.copytree(directory, to))


def filled(directory: Path, *numbers: int) -> str:
    """A log with those receipts added; gives its epoch."""
    log = SqliteLog(directory)
    recorder = Recorder(log, log.load(), lambda: RECORDED)
    for number in numbers:
        recorder.record([[receipt(number)]])
    epoch = log.epoch
    log.close()
    return epoch


def test_an_older_copy_put_in_place_of_the_log_is_another_history(tmp_path: Path) -> None:
    first = filled(tmp_path / "data", 1, 2)
    copy_of(tmp_path / "data", tmp_path / "copy")
    assert filled(tmp_path / "data", 3, 4, 5) == first
    shutil.copyfile(tmp_path / "copy" / FILE, tmp_path / "data" / FILE)
    restored = filled(tmp_path / "data", 6)
    assert restored != first
    assert filled(tmp_path / "data", 7) == restored


def test_a_directory_that_was_copied_back_is_another_history(tmp_path: Path) -> None:
    first = filled(tmp_path / "data", 1, 2)
    copy_of(tmp_path / "data", tmp_path / "copy")
    filled(tmp_path / "data", 3)
    shutil.rmtree(tmp_path / "data")
    copy_of(tmp_path / "copy", tmp_path / "data")
    restored = filled(tmp_path / "data")
    assert restored != first
    assert filled(tmp_path / "data", 3) == restored
