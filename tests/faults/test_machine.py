"""When the machine fails: a clear word, reading goes on, nothing acknowledged is lost, and writing resumes by itself."""

from __future__ import annotations

import logging
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import httpx
import pytest

from stockwire.core.errors import StorageFailed
from stockwire.core.values import DAY
from stockwire.engine.recorder import Receipt, Recorder
from stockwire.engine.verify import verify
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import FILE, SqliteLog
from tests.log.history import RECORDED, SETTINGS, receipt
from tests.running import Running, running, snapshot, stockwire
from tests.simulation.disk import Disk, lossy_disk

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
    "refuse",
    [
        failing(lambda: apsw.FullError("full"), "write"),
        failing(lambda: apsw.IOError("failed"), "write"),
        failing(lambda: apsw.IOError("failed"), "sync"),
    ],
    ids=["disk full", "writes fail", "syncs fail"],
)
def test_a_refusing_disk_acknowledges_nothing_reads_on_and_recovers(
    disk: Disk, tmp_path: Path, refuse: Callable[[str, str], None]
) -> None:
    log = SqliteLog(tmp_path)
    recorder = Recorder(log, log.load(), lambda: RECORDED)
    recorder.configure(SETTINGS)
    recorder.record([[receipt(1)]])
    disk.refuse = refuse
    for _ in range(3):
        (told,) = recorder.record([[receipt(2)]]).outcomes
        assert isinstance(told, StorageFailed) and "space and permissions" in told.detail
        assert log.load().inventory[("MUG", "main")].on_hand >= 1_000
    disk.refuse = None
    (told,) = recorder.record([[receipt(2), receipt(3)]]).outcomes
    assert isinstance(told, Receipt) and told.versions == (3, 4)
    assert log.load().inventory[("MUG", "main")].on_hand == 3_000
    assert verify(log, MemoryLog()).sound
    log.close()


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
    assert "the database could not be used" in serve_fails(tmp_path)


def test_damage_in_the_database_is_found_and_named(tmp_path: Path) -> None:
    server = Running(tmp_path / "data").start()
    server.post(*(snapshot(f"SKU-{number}", number) for number in range(500)))
    assert server.stop() == 0
    with (tmp_path / "data" / FILE).open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096)
    done = subprocess.run(
        [sys.executable, "-m", "stockwire", "verify", "--data-dir", str(tmp_path / "data")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


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
