"""Importing and verifying: what is written, what is told, and what a second run changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stockwire.engine.checkpoints import PLACE, SPACING
from stockwire.log.lock import DirectoryLock
from stockwire.log.sqlite import SqliteLog
from tests.cli.program import Ended, stockwire
from tests.importing.files import RETAIL, table

HEADER = ("sku", "location", "on_hand")
EIGHT = "2026-03-02T08:00:00Z"


def stock_file(tmp_path: Path, *rows: tuple[str, ...]) -> Path:
    return table(tmp_path / "stock.csv", HEADER, rows or [("A-1", "main", "3"), ("A-2", "main", "4")])


def bring(tmp_path: Path, file: Path | str, *more: str | Path, said: bytes | None = None) -> Ended:
    return stockwire("import", file, "-f", "inventory", "--time", EIGHT, "-d", tmp_path / "data", *more, said=said)


def on_hand(tmp_path: Path) -> dict[str, int]:
    log = SqliteLog(tmp_path / "data", reading=True)
    try:
        return {row.sku: row.on_hand // 1_000 for row in log.load().inventory.values()}
    finally:
        log.close()


def said(ended: Ended, what: str) -> int:
    line = next(line for line in ended.out.splitlines() if line.startswith(what))
    return int(line.removeprefix(what).split()[0].replace(",", ""))


def test_a_file_is_in_the_log_afterwards(tmp_path: Path) -> None:
    ended = bring(tmp_path, stock_file(tmp_path))
    assert (ended.code, said(ended, "accepted")) == (0, 2)
    assert on_hand(tmp_path) == {"A-1": 3, "A-2": 4}


def test_an_import_leaves_checkpoints_to_look_back_from(tmp_path: Path) -> None:
    bring(tmp_path, stock_file(tmp_path, *((f"A-{number}", "main", "1") for number in range(SPACING + 1))))
    assert len(list((tmp_path / "data" / PLACE).glob("*.db"))) == 1


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    bring(tmp_path, stock_file(tmp_path))
    again = bring(tmp_path, stock_file(tmp_path))
    assert (said(again, "accepted"), said(again, "known already")) == (0, 2)


def test_a_dry_run_reads_everything_and_writes_nothing(tmp_path: Path) -> None:
    ended = bring(tmp_path, stock_file(tmp_path), "--dry-run")
    assert (ended.code, said(ended, "stock.snapshot")) == (0, 2)
    assert not (tmp_path / "data").exists()


def test_a_bad_row_is_named_and_nothing_after_it_is_written(tmp_path: Path) -> None:
    file = stock_file(tmp_path, ("A-1", "main", "3"), ("A-2", "main", "many"), ("A-3", "main", "5"), ("", "main", "5"))
    ended = bring(tmp_path, file)
    assert ended.code == 1
    assert "row 3: on_hand `many` is not a number" in ended.err and "row 5: the row needs a sku" in ended.err
    assert on_hand(tmp_path) == {"A-1": 3}


def test_bad_rows_can_be_skipped(tmp_path: Path) -> None:
    file = stock_file(tmp_path, ("A-1", "main", "3"), ("A-2", "main", "many"), ("A-3", "main", "5"))
    assert bring(tmp_path, file, "--skip-bad-rows").code == 1
    assert on_hand(tmp_path) == {"A-1": 3, "A-3": 5}


def test_a_time_in_the_future_is_a_bad_row_and_moves_no_clock(tmp_path: Path) -> None:
    ended = bring(tmp_path, stock_file(tmp_path), "--time", "9926-03-02T08:00:00Z")
    assert ended.code == 1 and "row 2" in ended.err and "ahead of this machine's clock" in ended.err
    assert said(ended, "accepted") == 0


def test_stdin_is_a_file_too(tmp_path: Path) -> None:
    assert bring(tmp_path, "-", said=stock_file(tmp_path).read_bytes()).code == 0
    assert on_hand(tmp_path) == {"A-1": 3, "A-2": 4}


def test_a_busy_data_directory_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    lock = DirectoryLock(tmp_path / "data")
    ended = bring(tmp_path, stock_file(tmp_path))
    lock.release()
    assert ended.code == 3
    assert "owns the data directory" in ended.err and "--url" in ended.err


def test_no_server_at_the_address_says_so(tmp_path: Path) -> None:
    ended = bring(tmp_path, stock_file(tmp_path), "--url", "http://127.0.0.1:1")
    assert (ended.code, "stockwire serve" in ended.err) == (3, True)


@pytest.mark.parametrize(
    "more",
    [
        ("none.csv", "-f", "inventory"),
        ("stock.csv", "-f", "inventroy"),
        ("stock.csv", "-f", "orders"),
        ("stock.csv", "-f", "inventory", "--items", "stock.csv"),
    ],
)
def test_what_cannot_be_read_is_usage(tmp_path: Path, more: tuple[str, ...]) -> None:
    stock_file(tmp_path)
    arguments = [tmp_path / each if each.endswith(".csv") else each for each in more]
    assert stockwire("import", *arguments, "-d", tmp_path / "data").code == 2


def test_a_new_data_directory_takes_the_files_own_currency_and_zone(tmp_path: Path) -> None:
    rows = [("1", "10002", "GLOBE", "2", "2010-07-01 10:00:00", "0.85", "", "France")]
    file = table(tmp_path / "year.csv", RETAIL, rows)
    ended = stockwire("import", file, "-f", "online-retail", "-d", tmp_path / "data")
    assert ended.code == 0 and "GBP" in ended.err
    shown = stockwire("settings", "-d", tmp_path / "data").out
    assert "currency = GBP" in shown and "timezone = Europe/London" in shown


def test_a_shop_of_another_currency_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stockwire.toml").write_text('currency = "USD"\n')
    file = table(tmp_path / "year.csv", RETAIL, [])
    ended = stockwire("import", file, "-f", "online-retail", "-d", tmp_path / "data")
    assert "The file's money is GBP and the shop's is USD" in ended.err
    assert "currency = USD" in stockwire("settings", "-d", tmp_path / "data").out


def test_verify_finds_nothing_in_a_sound_log(tmp_path: Path) -> None:
    bring(tmp_path, stock_file(tmp_path))
    ended = stockwire("verify", "-d", tmp_path / "data")
    assert (ended.code, "0 differences" in ended.out) == (0, True)


def test_verify_lists_a_row_that_was_changed_behind_its_back(tmp_path: Path) -> None:
    bring(tmp_path, stock_file(tmp_path))
    with sqlite3.connect(tmp_path / "data" / "log.db") as database:
        database.execute("UPDATE inventory SET on_hand = on_hand + 1000 WHERE sku = 'A-1'")
    database.close()
    ended = stockwire("verify", "-d", tmp_path / "data")
    assert ended.code == 1
    assert "A-1" in ended.out and "1 difference" in ended.out
