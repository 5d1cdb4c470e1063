"""What only the log on disk can show: restarts, kills, full disks, second processes, older and newer schemas."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import msgspec
import pytest

from stockwire.core.errors import DataDirectoryBusy, SchemaTooNew, StorageFailed
from stockwire.core.fold import Fold
from stockwire.core.rows import InventoryRow, LineState, OrderRow
from stockwire.core.wire import FIELD
from stockwire.engine.recorder import Receipt, Recorder
from stockwire.engine.state import fold_state, ready
from stockwire.engine.verify import verify_directory
from stockwire.log import codec, database
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import FILE, SqliteLog
from tests.log.history import RECORDED, Shop, busy_day, filled, order, receipt


def test_everything_is_there_after_a_restart_and_another(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    shop, epoch = filled(log), log.epoch
    log.close()
    for _ in range(2):
        log = SqliteLog(tmp_path)
        assert (log.epoch, log.version) == (epoch, len(busy_day()))
        loaded = log.load()
        assert loaded.inventory == shop.state.inventory.rows
        assert loaded.metrics == shop.state.metrics.rows
        log.close()


def test_the_rows_alone_are_copied_beside_who_writes(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "one")
    filled(log)
    (tmp_path / "two").mkdir()
    assert log.copy_rows(tmp_path / "two" / FILE) == (log.version, log.load().clock)
    copy = SqliteLog(tmp_path / "two")
    assert msgspec.structs.replace(copy.load(), tombstones={}) == msgspec.structs.replace(log.load(), tombstones={})
    assert (copy.records(), copy.movements("MUG", "main", 9), copy.counts().events) == ([], [], 0)
    copy.close()
    log.close()


def test_two_logs_have_two_epochs_unless_one_is_given(tmp_path: Path) -> None:
    logs = [SqliteLog(tmp_path / name) for name in "ab"] + [SqliteLog(tmp_path / "c", epoch="00000000000000ff")]
    assert len({log.epoch for log in logs}) == 3 and logs[2].epoch == "00000000000000ff"
    for log in logs:
        log.close()


def test_a_duplicate_is_known_across_a_restart(tmp_path: Path) -> None:
    for expected in (Receipt(2, 0, 2, (1, 2)), Receipt(0, 2, 2, (1, 2))):
        log = SqliteLog(tmp_path)
        assert Recorder(log, log.load(), lambda: RECORDED).record([[receipt(1), receipt(2)]]).outcomes == [expected]
        log.close()


def test_commits_reach_the_disk_before_they_return(tmp_path: Path) -> None:
    connection = database.open_writing(tmp_path / FILE)
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2
    connection.close()


WRITER = """
import sys
from pathlib import Path
from stockwire.engine.recorder import Recorder, Receipt
from stockwire.log.sqlite import SqliteLog
from tests.log.history import RECORDED, order, receipt

log = SqliteLog(Path(sys.argv[1]))
recorder = Recorder(log, log.load(), lambda: RECORDED)
number = log.version
while True:
    batch = [receipt(number + step) for step in range(50)] + [order(number + step) for step in range(50)]
    number += 100
    (told,) = recorder.record([batch]).outcomes
    assert isinstance(told, Receipt), told
    print(told.version, flush=True)
"""


def writer(directory: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE, text=True, env=environment
    )


def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    acknowledged = 0
    for lines in (1, 4, 9):
        process = writer(tmp_path)
        assert process.stdout is not None
        for _ in range(lines):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.stdout.close()
        process.wait()
        acknowledged = int(rest[-1]) if rest else acknowledged
        log = SqliteLog(tmp_path)
        assert log.version >= acknowledged
        assert [record.version for record in log.records(0, 100_000)] == list(range(1, log.version + 1))
        assert log.version % 100 == 0, "a batch is there whole or not at all"
        log.close()
        assert verify_directory(tmp_path).sound


def test_a_second_process_is_told_who_owns_the_directory(tmp_path: Path) -> None:
    process = writer(tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(DataDirectoryBusy, match=f"process {process.pid} owns"):
        SqliteLog(tmp_path)
    reading = SqliteLog(tmp_path, reading=True)
    assert reading.version >= 100
    reading.close()
    process.kill()
    process.stdout.close()
    process.wait()
    SqliteLog(tmp_path).close()


def test_a_log_that_is_only_being_made_is_not_read(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with pytest.raises(StorageFailed, match="only being made"):
        SqliteLog(tmp_path, reading=True)


def test_two_logs_of_one_process_cannot_share_a_directory(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    with pytest.raises(DataDirectoryBusy):
        SqliteLog(tmp_path)
    log.close()
    SqliteLog(tmp_path).close()


def test_a_log_opened_for_reading_follows_the_writer_and_writes_nothing(tmp_path: Path) -> None:
    shop = Shop(SqliteLog(tmp_path))
    shop.write(receipt(1))
    reading = SqliteLog(tmp_path, reading=True)
    still = SqliteLog(tmp_path, reading=True, still=True)
    assert (reading.version, still.version) == (1, 1)
    changes = shop.write(receipt(2))
    assert (reading.version, still.version, len(still.records())) == (2, 1, 1)
    with pytest.raises(StorageFailed):
        reading.commit([], changes)
    for log in (reading, still):
        log.close()
    shop.log.close()


def test_reading_where_there_is_no_log_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="there is no log"):
        SqliteLog(tmp_path, reading=True)


def test_a_full_disk_refuses_commits_keeps_reading_and_recovers(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    recorder = Recorder(log, log.load(), lambda: RECORDED)
    recorder.record([[receipt(n) for n in range(100)]])
    connection = log._writer()
    connection.pragma("max_page_count", connection.pragma("page_count") + 2)
    (told,) = recorder.record([[order(n, note="x" * 500) for n in range(200)]]).outcomes
    assert isinstance(told, StorageFailed) and told.status == 503
    assert (log.version, log.counts().orders) == (100, 0)
    assert log.load().inventory[("MUG", "main")].on_hand == 100_000
    connection.pragma("max_page_count", 1_000_000)
    (told,) = recorder.record([[order(n, note="x" * 500) for n in range(200)]]).outcomes
    assert isinstance(told, Receipt) and told.versions == tuple(range(101, 301))
    log.close()
    assert verify_directory(tmp_path).sound


class Failing(apsw.VFS):
    """A file system whose writes or syncs can be made to fail."""

    def __init__(self) -> None:
        super().__init__("failing", "")
        self.failing = ""

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return FailingFile(self, name, flags)


class FailingFile(apsw.VFSFile):
    def __init__(self, vfs: Failing, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._vfs = vfs

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._vfs.failing == "write":
            raise apsw.IOError
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._vfs.failing == "sync":
            raise apsw.IOError
        super().xSync(flags)


@pytest.mark.parametrize("failing", ["write", "sync"])
def test_an_input_output_error_stores_nothing_that_a_retry_would_store_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    disk = Failing()
    opened = apsw.Connection

    def through(path: str, **options: object) -> apsw.Connection:
        return opened(path, vfs="failing", **options)  # type: ignore[arg-type]

    monkeypatch.setattr(apsw, "Connection", through)
    log = SqliteLog(tmp_path)
    recorder = Recorder(log, log.load(), lambda: RECORDED)
    recorder.record([[receipt(1)]])
    disk.failing = failing
    (told,) = recorder.record([[receipt(2)]]).outcomes
    assert isinstance(told, StorageFailed)
    assert log.load().version in (1, 2)
    disk.failing = ""
    (told,) = recorder.record([[receipt(2), receipt(3)]]).outcomes
    assert isinstance(told, Receipt) and told.versions == (2, 3)
    log.close()
    monkeypatch.undo()
    disk.unregister()
    assert verify_directory(tmp_path).sound
    log = SqliteLog(tmp_path)
    assert log.load().inventory[("MUG", "main")].on_hand == 3_000
    log.close()


def test_a_directory_that_cannot_be_made_is_a_storage_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot be made"):
        SqliteLog(tmp_path / "file" / "data")


def test_a_file_that_is_no_database_is_a_storage_failure_and_frees_the_directory(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, and long enough to have a header" * 40)
    with pytest.raises(StorageFailed):
        SqliteLog(tmp_path)
    (tmp_path / FILE).unlink()
    SqliteLog(tmp_path).close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO migrations VALUES (9999, '9999_later', 'x', 0)",
        "UPDATE migrations SET checksum = 'other' WHERE number = 1",
    ],
)
def test_a_schema_of_another_version_is_refused(tmp_path: Path, sql: str) -> None:
    SqliteLog(tmp_path).close()
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.execute(sql)
    connection.close()
    for reading in (False, True):
        with pytest.raises(SchemaTooNew):
            SqliteLog(tmp_path, reading=reading)


def test_a_failed_migration_leaves_the_schema_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteLog(tmp_path).close()
    known = database._migrations("migrations")
    broken = {**known, max(known) + 1: ("9998_broken", "CREATE TABLE half (a); SELECT * FROM nowhere;")}
    monkeypatch.setattr(database, "_migrations", lambda folder: broken)
    with pytest.raises(apsw.SQLError):
        SqliteLog(tmp_path)
    monkeypatch.undo()
    log = SqliteLog(tmp_path)
    with log._readers.borrow() as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").get == 0
        assert connection.execute("SELECT max(number) FROM migrations").get == max(known)
    log.close()


def test_lists_by_time_read_an_index_and_not_every_order(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    with log._readers.borrow() as connection:
        plan = list(
            connection.execute(
                "EXPLAIN QUERY PLAN SELECT row FROM orders WHERE TRUE ORDER BY placed_at, order_id LIMIT 5"
            )
        )
        assert "USING INDEX orders_placed" in plan[0][3]
        backwards = "EXPLAIN QUERY PLAN SELECT row FROM orders WHERE TRUE ORDER BY placed_at DESC, order_id LIMIT 5"
        assert "USING INDEX orders_placed" in next(connection.execute(backwards))[3]
    log.close()


def test_no_field_of_a_row_is_forgotten_on_disk() -> None:
    assert set(codec.ORDER) == set(OrderRow.__struct_fields__)
    assert set(codec.LINE) == set(LineState.__struct_fields__)
    assert set(codec.INVENTORY) == set(InventoryRow.__struct_fields__) - {"sold_units"}, "the sum of `sold`"
    for names, row in (
        (codec.PRODUCT, codec.ProductRow),
        (codec.MINUTE, codec.MinuteSales),
        (codec.HOUR, codec.HourRow),
        (codec.SOURCE, codec.SourceRow),
        (codec.MOVEMENT, codec.Movement),
        (codec.TIMELINE, codec.TimelineEntry),
        (codec.OCCASION, codec.Occasion),
    ):
        assert set(names) == set(row.__struct_fields__)


def test_the_columns_of_an_order_are_what_its_fields_show() -> None:
    shop = filled(MemoryLog())
    shop.write(order(70, discount="1.25", shipping="3", tax="0.4",
                     lines=[{"sku": "A", "quantity": 2, "unit_price": "9.99", "discount": "1", "tax": "0.15"}]))  # fmt: skip
    for _, row in shop.log.rows("orders"):
        shown = tuple(FIELD["orders"][name].get(row) for name in codec.ORDER_COLUMNS)
        assert codec.order_columns(row) == shown
    assert set(codec.ORDER_COLUMNS) == set(FIELD["orders"]) - {"skipped", "derived"}


def test_a_log_from_before_orders_told_when_they_moved_is_brought_up_to_date(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    filled(log)
    expected = log.load().journeys
    log.close()
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.execute("DROP INDEX orders_reached; ALTER TABLE orders DROP COLUMN reached_at")
    connection.execute("DELETE FROM migrations WHERE number = 2")
    connection.close()
    log = SqliteLog(tmp_path)
    assert expected and log.load().journeys == expected
    log.close()


def test_a_log_from_before_cover_is_folded_again_from_its_events(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    shop, epoch = filled(log), log.epoch
    log.close()
    connection = apsw.Connection(str(tmp_path / FILE))
    for table, column in (
        *(("inventory", column) for column in ("since", "sold_days", "sold")),
        *(("minutes", column) for column in ("units_fulfilled", "on_hand_change", "counts", "counts_exact")),
    ):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute("DELETE FROM migrations WHERE number = 4")
    connection.close()
    log = SqliteLog(tmp_path)
    assert log.load().inventory == {} and log.epoch != epoch
    loaded = ready(log)
    assert loaded.inventory == shop.state.inventory.rows and loaded.version == len(busy_day())
    log.close()
    assert verify_directory(tmp_path).sound


def test_a_start_that_was_cut_short_folds_on_where_it_was(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    filled(log)
    whole = dict(log.rows("inventory"))
    fresh = SqliteLog(tmp_path / "again")
    records = log.records(0, 10)
    fresh.commit(records, Fold(fold_state(fresh)).apply(records))
    rest = log.records(10)
    unfolded = Fold(fold_state(fresh)).apply(())
    fresh.commit(rest, msgspec.structs.replace(unfolded, version=10))
    assert fresh.version == 10
    assert ready(fresh).version == len(busy_day()) and dict(fresh.rows("inventory")) == whole
    for each in (log, fresh):
        each.close()
