"""Backups are whole however busy the server is, and what is restored is another history."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stockwire.core.errors import DataDirectoryBusy, Invalid, StorageFailed
from stockwire.engine.backup import back_up, restore
from stockwire.engine.verify import verify_directory
from stockwire.log.sqlite import FILE, SqliteLog
from tests.log.history import Shop, filled, receipt
from tests.running import Running, running, snapshot, stockwire


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    log = SqliteLog(tmp_path / "data")
    filled(log)
    log.close()
    return tmp_path / "data"


def epoch_of(directory: Path) -> str:
    log = SqliteLog(directory, reading=True)
    try:
        return log.epoch
    finally:
        log.close()


def test_a_backup_under_load_is_a_whole_log_of_one_moment(directory: Path, tmp_path: Path) -> None:
    log = SqliteLog(directory)
    shop = Shop(log)
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            shop.write(*(receipt(100_000 + shop.state.version + at) for at in range(20)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [back_up(directory, tmp_path / f"copy-{number}") for number in range(3)]
    finally:
        done.set()
        writer.join()
    log.close()
    assert copies[0].version <= copies[1].version <= copies[2].version
    for number in range(3):
        assert verify_directory(tmp_path / f"copy-{number}").sound
        assert sorted(path.name for path in (tmp_path / f"copy-{number}").iterdir()) == [FILE]


def test_what_is_restored_is_the_backup_under_another_epoch(directory: Path, tmp_path: Path) -> None:
    copied = back_up(directory, tmp_path / "copy")
    restored = restore(tmp_path / "copy", tmp_path / "other")
    assert restored.version == copied.version
    assert restored.epoch != copied.epoch
    assert verify_directory(tmp_path / "other").sound
    log = SqliteLog(tmp_path / "other")
    assert log.epoch == restored.epoch, "it is no further history after a start"
    log.close()


def test_what_is_backed_up_and_restored_is_its_owners_alone(directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    back_up(directory, tmp_path / "copy")
    restore(tmp_path / "copy", elsewhere)
    for file in (tmp_path / "copy" / FILE, elsewhere / FILE):
        assert file.stat().st_mode & 0o077 == 0


def test_a_log_that_is_there_gives_way_only_when_told_so(directory: Path, tmp_path: Path) -> None:
    back_up(directory, tmp_path / "copy")
    first = epoch_of(directory)
    with pytest.raises(Invalid, match="already"):
        restore(tmp_path / "copy", directory)
    assert epoch_of(directory) == first
    assert restore(tmp_path / "copy", directory, replace=True).epoch != first


def test_nothing_is_restored_under_a_server(directory: Path, tmp_path: Path) -> None:
    back_up(directory, tmp_path / "copy")
    log = SqliteLog(directory)
    with pytest.raises(DataDirectoryBusy):
        restore(tmp_path / "copy", directory, replace=True)
    log.close()


def test_a_backup_is_not_made_over_another_nor_of_nothing(directory: Path, tmp_path: Path) -> None:
    back_up(directory, tmp_path / "copy")
    with pytest.raises(Invalid, match="new name"):
        back_up(directory, tmp_path / "copy")
    with pytest.raises(StorageFailed, match="no log"):
        back_up(tmp_path / "nothing", tmp_path / "other")
    with pytest.raises(Invalid, match="no backup"):
        restore(tmp_path / "nothing", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_damaged_backup_is_not_restored(directory: Path, tmp_path: Path) -> None:
    back_up(directory, tmp_path / "copy")
    with (tmp_path / "copy" / FILE).open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 8192)
    with pytest.raises((Invalid, StorageFailed)):
        restore(tmp_path / "copy", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_commands_back_up_a_running_server_and_restore_it_elsewhere(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        server.post(snapshot("MUG", 3))
        said = stockwire("backup", str(tmp_path / "copy"), "--data-dir", str(tmp_path / "data"))
        assert "2 events" in said or "3 events" in said
        refused = subprocess.run(
            [sys.executable, "-m", "stockwire", "restore", str(tmp_path / "copy"), "--replace", "--data-dir",
             str(tmp_path / "data")],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert refused.returncode == 3 and f"process {server.pid}" in refused.stderr
        key = server.key
    stockwire("restore", str(tmp_path / "copy"), "--data-dir", str(tmp_path / "other"))
    other = Running(tmp_path / "other")
    other.key = key
    other.start()
    assert other.get("/api/v1/inventory")["rows"][0]["on_hand"] == 3, "the keys came along"
    assert other.stop() == 0
