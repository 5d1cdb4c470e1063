"""A real wholesaler's year and a real marketplace's orders: what is in the log afterwards equals the published totals.

The year is imported by a process that is killed half-way and by a second one that goes on, so the totals hold for both.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stockwire.core.errors import StockwireError
from stockwire.core.rows import MinuteSales, OrderRow
from stockwire.core.values import amount_text, moment, moment_datetime
from stockwire.log.sqlite import SqliteLog
from tests.importing.files import DATA, OPENING, YEAR, needs_data

pytestmark = needs_data

PATIENCE = 600.0


def command(data_dir: Path, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "stockwire", *map(str, arguments), "--data-dir", str(data_dir)]


def year(data_dir: Path) -> list[str]:
    return command(data_dir, "import", YEAR, "--format", "online-retail", "--opening-stock", OPENING)


def killed_half_way(data_dir: Path) -> int:
    """Begin importing the year and kill it somewhere in the middle; gives how many events were kept."""
    process = subprocess.Popen(year(data_dir), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline and process.poll() is None and kept(data_dir) < 18_000:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    return kept(data_dir)


def kept(data_dir: Path) -> int:
    if not (data_dir / "stockwire.toml").exists() or not (data_dir / "log.db").exists():
        return 0
    try:
        log = SqliteLog(data_dir, reading=True)
    except StockwireError:  # the process is about to make it
        return 0
    try:
        return log.version
    finally:
        log.close()


def finished(arguments: Sequence[str]) -> tuple[str, int]:
    """What the program printed, and its greatest memory in bytes."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    said, complaint = process.stdout.read().decode(), process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    assert process.returncode == 0, said + complaint
    return said, usage.ru_maxrss * 1024


class Imported:
    """A data directory after an import that was killed and run again."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.survived = killed_half_way(data_dir)
        self.said, self.memory = finished(year(data_dir))
        self.log = SqliteLog(data_dir, reading=True)


@pytest.fixture(scope="module")
def wholesaler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    imported = Imported(tmp_path_factory.mktemp("wholesaler") / "data")
    yield imported
    imported.log.close()


def oracle(name: str) -> Any:
    return json.loads((DATA / name).read_text())


def count(said: str, what: str) -> int:
    line = next(line for line in said.splitlines() if line.startswith(what))
    return int(line.removeprefix(what).split()[0].replace(",", ""))


def months(log: SqliteLog, zone: str, names: Sequence[str]) -> dict[str, MinuteSales]:
    """The sums of each month of a time zone."""
    starts = [datetime.fromisoformat(f"{name}-01").replace(tzinfo=ZoneInfo(zone)) for name in names]
    last = starts[-1]
    starts.append(last.replace(year=last.year + last.month // 12, month=last.month % 12 + 1))
    boundaries = [moment(start.isoformat()) for start in starts]
    return dict(zip(names, log.sales(boundaries), strict=True))


def test_an_import_that_was_killed_goes_on_where_it_stopped(wholesaler: Imported) -> None:
    assert 0 < wholesaler.survived < 37_000
    accepted, known = count(wholesaler.said, "accepted"), count(wholesaler.said, "known already")
    assert accepted + known == 37_312
    assert known >= wholesaler.survived - 1  # the settings are an event too


def test_every_month_equals_the_published_totals(wholesaler: Imported) -> None:
    expected = oracle("oracle_online_retail_dev.json")["per_month"]
    found = months(wholesaler.log, "Europe/London", [each["month"] for each in expected])
    for month in expected:
        sums = found[month["month"]]
        assert sums.orders_placed == month["orders"]
        assert sums.units_sold == month["units_sold"] * 1_000
        assert Decimal(amount_text(sums.gross_sales)) == Decimal(month["revenue_sales_gbp"])
        assert Decimal(amount_text(-sums.returns)) == Decimal(month["revenue_cancelled_gbp"])
        net = Decimal(amount_text(sums.gross_sales - sums.returns))
        assert net == Decimal(month["revenue_net_sales_plus_cancellations_gbp"])


def test_every_closing_stock_equals_the_published_one(wholesaler: Imported) -> None:
    found = {row.sku: row.on_hand for row in wholesaler.log.load().inventory.values()}
    with gzip.open(OPENING, "rt", newline="") as file:
        expected = {row["StockCode"]: int(row["derived_closing_stock"]) * 1_000 for row in csv.DictReader(file)}
    assert len(expected) == 4_567
    assert {sku: found.get(sku) for sku in expected} == expected


def test_no_shelf_was_ever_below_nothing(wholesaler: Imported) -> None:
    tracked = {row.key for row in wholesaler.log.load().inventory.values() if row.tracked}
    negative = [
        (move.sku, move.version)
        for _, move in wholesaler.log.rows("movements")
        if move.on_hand_after < 0 and (move.sku, move.location) in tracked
    ]
    assert negative == []


def test_importing_the_year_again_changes_nothing(wholesaler: Imported) -> None:
    version = wholesaler.log.version
    said, _ = finished(year(wholesaler.data_dir))
    assert (count(said, "accepted"), count(said, "known already")) == (0, 37_312)
    assert wholesaler.log.version == version


def test_the_year_is_imported_in_bounded_memory(wholesaler: Imported) -> None:
    assert wholesaler.memory < 1 << 30


def test_folding_the_year_again_finds_no_difference(wholesaler: Imported) -> None:
    said, _ = finished(command(wholesaler.data_dir, "verify"))
    assert "0 differences" in said


@pytest.fixture(scope="module")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[OrderRow]]:
    data_dir = tmp_path_factory.mktemp("marketplace") / "data"
    timeline = DATA / "olist_timeline_dev.csv.gz"
    beside = ("--items", DATA / "olist_items_dev.csv.gz", "--orders", DATA / "olist_orders_dev.csv.gz")
    finished(command(data_dir, "import", timeline, "-f", "olist", *beside))
    log = SqliteLog(data_dir, reading=True)
    yield [row for _, row in log.rows("orders")]
    log.close()


def test_every_order_stands_where_its_events_brought_it(marketplace: list[OrderRow]) -> None:
    expected = oracle("oracle_olist_dev.json")
    statuses = Counter(order.status for order in marketplace)
    assert len(marketplace) == expected["orders_rows"]
    assert statuses["delivered"] == expected["orders_per_final_status"]["delivered"]
    assert statuses["shipped"] == expected["orders_per_final_status"]["shipped"]
    assert statuses["cancelled"] == expected["orders_per_final_status"]["canceled"]
    held = [order for order in marketplace if order.hold is not None]
    assert len(held) == expected["orders_per_final_status"]["unavailable"]


def test_the_marketplaces_money_equals_the_published_sums(marketplace: list[OrderRow]) -> None:
    expected = oracle("oracle_olist_dev.json")
    assert Decimal(amount_text(sum(order.gross for order in marketplace))) == Decimal(expected["items_value_brl"])
    assert sum(order.shipping for order in marketplace) == Decimal(expected["freight_brl"]) * 10_000


def test_the_medians_between_stages_equal_the_published_ones(marketplace: list[OrderRow]) -> None:
    expected = oracle("oracle_olist_dev.json")
    zone = ZoneInfo("America/Sao_Paulo")
    stages = {"approved": "confirmed", "carrier": "shipped"}
    for name, hours in expected["median_hours"].items():
        first, last = (stages.get(stage, stage) for stage in name.split("_to_"))
        distances = []
        for order in marketplace:
            # The published figures are distances on the local clock, which summer time bends.
            at = {status: moment_datetime(when).astimezone(zone).replace(tzinfo=None) for status, when in order.reached}
            if first in at and last in at:
                distances.append((at[last] - at[first]).total_seconds() / 3_600)
        assert len(distances) == expected["n_pairs"][name]
        assert round(statistics.median(distances), 3) == hours
