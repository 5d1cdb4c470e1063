"""Verifying: a sound log has no differences, and every planted one is found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from stockwire.core.events import Event
from stockwire.core.values import DAY, SECOND, moment_text
from stockwire.engine.verify import Verified, verify, verify_directory
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import FILE, SqliteLog
from tests.core.ledger import at, event
from tests.log.history import Shop, configured, filled, order, receipt


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


def long_history(chance: random.Random) -> Iterator[list[Event]]:
    """Seventy days of a shop, in batches of many sizes: more closed orders than a feed shows, late counts, old sales."""
    day_start, number = at("2026-01-01T00:00:00Z"), 0
    waiting: list[Event] = [configured()]
    for day in range(70):
        for _ in range(18):
            number += 1
            moment = day_start + day * DAY + chance.randrange(DAY // SECOND) * SECOND
            late = moment_text(max(day_start, moment - chance.choice((0, 0, 0, 65 * DAY, 2 * DAY))))
            sku = chance.choice("ABCDE")
            waiting.append(order(number, moment_text(moment), chance.choice(("placed", "completed", "completed")),
                                 lines=[{"sku": sku, "quantity": 2, "unit_price": "3.5"}]))  # fmt: skip
            waiting.append(event("order.updated", late, f"u{number}", order_id=f"{chance.randrange(1, number + 1):04}",
                                 lines=[{"line": "9", "sku": "E", "quantity": 1, "unit_price": "0.01"}]))  # fmt: skip
            waiting.append(event("stock.counted", late, f"n{number}", sku=sku, location="main", quantity=50))
            waiting.append(event("order.status_changed", moment_text(moment + 60 * SECOND), f"d{number}",
                                 order_id=f"{chance.randrange(1, number + 1):04}", status="delivered"))  # fmt: skip
            if len(waiting) > chance.randrange(400):
                yield waiting
                waiting = []
    yield waiting


def test_a_long_history_with_restarts_folds_to_what_is_stored(tmp_path: Path) -> None:
    chance = random.Random(7)
    shop = Shop(SqliteLog(tmp_path))
    for batch in long_history(chance):
        shop.write(*batch)
        if chance.random() < 0.3:
            shop.log.close()
            shop.restart(SqliteLog(tmp_path))
    assert len(shop.log.load().tombstones["orders"]) > 20
    assert shop.log.counts().orders > 1_200
    shop.log.close()
    assert told(verify_directory(tmp_path)) == []
