"""Verifying: a sound log has no differences, and every planted one is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from stockwire.engine.verify import Verified, verify, verify_directory
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import FILE, SqliteLog
from tests.log.history import Shop, filled, receipt


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    log = SqliteLog(tmp_path)
    filled(log)
    log.close()
    yield tmp_path


def told(verified: Verified) -> list[str]:
    return [str(each) for each in verified.differences]


def tamper(directory: Path, sql: str) -> None:
    connection = apsw.Connection(str(directory / FILE))
    connection.execute(sql)
    connection.close()


def test_a_sound_log_folds_to_what_is_stored(directory: Path) -> None:
    seen: list[tuple[int, int]] = []
    verified = verify_directory(directory, lambda done, of: seen.append((done, of)))
    assert verified.sound and told(verified) == []
    assert seen[-1] == (verified.events, verified.events) and verified.events > 40


def test_either_adapter_can_hold_the_refold(directory: Path) -> None:
    log = SqliteLog(directory, reading=True)
    assert verify(log, MemoryLog()).sound
    assert verify(filled(MemoryLog(), 1).log, MemoryLog()).sound
    log.close()


@pytest.mark.parametrize(
    ("sql", "finds"),
    [
        ("UPDATE inventory SET on_hand = on_hand + 1 WHERE sku = 'MUG' AND location = 'main'", "inventory MUG / main: on_hand is"),
        ("DELETE FROM inventory WHERE sku = 'LAMP' AND location = 'north'", "inventory LAMP / north: missing"),
        ("UPDATE orders SET row = (SELECT row FROM orders WHERE order_id = '0002') WHERE order_id = '0001'", "orders 0001: "),
        ("UPDATE products SET name = 'Cup'", "products MUG: name is 'Cup', should be 'Mug'"),
        ("UPDATE locations SET name = 'Elsewhere'", "locations main: is 'Elsewhere', should be 'Main Street'"),
        ("UPDATE minutes SET tax = 1 WHERE minute = (SELECT min(minute) FROM minutes)", "minutes "),
        ("UPDATE hours SET orders_open = 99 WHERE start = (SELECT max(start) FROM hours)", "hours "),
        ("INSERT INTO sources VALUES ('ghost', 1, 1, 1, 1)", "sources ghost: should not be there"),
        ("DELETE FROM metrics WHERE metric = 'orders_open'", "metrics orders_open / now: missing"),
        ("DELETE FROM movements WHERE version = 8", "movements 8 / "),
        ("UPDATE movements SET note = 'x' WHERE version = 9 AND step = 0", "movements 9 / 0: note is 'x', should be None"),
        ("DELETE FROM timeline WHERE version = 8", "timeline 8 / 0002: missing"),
        ("INSERT INTO parked VALUES (3, 'why')", "parked 3: should not be there"),
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_a_planted_difference_is_found_and_named(directory: Path, sql: str, finds: str) -> None:
    tamper(directory, sql)
    found = told(verify_directory(directory))
    assert len(found) == 1 and found[0].startswith(finds), found


def test_a_planted_event_shows_in_the_rows_it_would_have_changed(directory: Path) -> None:
    other = """CAST(replace(CAST(body AS TEXT), '"safety_stock":2', '"safety_stock":3') AS BLOB)"""
    tamper(directory, f"UPDATE events SET body = {other} WHERE id = 's1'")
    assert any(
        text.startswith("inventory MUG / main: safety_stock is 2000, should be 3000")
        for text in told(verify_directory(directory))
    )


def test_verifying_beside_a_writer_sees_one_moment(directory: Path) -> None:
    log = SqliteLog(directory)
    shop = Shop(log)
    told_again = verify_directory(directory, lambda done, of: shop.write(receipt(100 + shop.state.version)) and None)
    assert told_again.sound
    assert told_again.events < log.version
    log.close()
