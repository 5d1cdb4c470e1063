"""The program as processes: a replay that outlives its server, an import over HTTP, and the demo."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from stockwire.log.sqlite import SqliteLog
from tests.importing.files import RETAIL, table
from tests.running import PATIENCE, free_port, running, stockwire

LINES = 600


def year(tmp_path: Path) -> Path:
    """An hour of small invoices, six seconds apart."""
    rows = [
        (
            str(100_000 + each),
            "10002",
            "GLOBE",
            "2",
            f"2010-07-01 10:{each // 10:02d}:{each % 10 * 6:02d}",
            "0.85",
            "",
            "France",
        )
        for each in range(LINES)
    ]
    return table(tmp_path / "year.csv", RETAIL, rows)


def replaying(file: Path, url: str, key: str, speed: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "stockwire", "replay", str(file), "-f", "online-retail", "--speed", speed]
    return subprocess.Popen(
        [*arguments, "--url", url, "--key", key], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def sold(data_dir: Path) -> tuple[int, int]:
    """How many orders there are, and how many units left."""
    log = SqliteLog(data_dir, reading=True)
    try:
        orders = sum(1 for _ in log.rows("orders"))
        return orders, -sum(row.on_hand for row in log.load().inventory.values()) // 1_000
    finally:
        log.close()


def test_a_replay_outlives_a_server_that_is_killed_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--clock", "events", "--currency", "GBP") as server:
        replay = replaying(year(tmp_path), server.url, server.key, "600")
        deadline = time.monotonic() + PATIENCE
        while server.get("/api/v1/status")["version"] < LINES // 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        server.kill()
        server.start()
        said, complaint = replay.communicate(timeout=PATIENCE + 60)
        assert replay.returncode == 0, complaint
        server.stop()
    assert "sending the same events again" in complaint
    assert re.search(r"events +601 ", said)
    assert sold(tmp_path / "data") == (LINES, LINES * 2)


def test_an_import_over_http_is_the_same_as_into_the_directory(tmp_path: Path) -> None:
    file = year(tmp_path)
    with running(tmp_path / "data", "--currency", "GBP") as server:
        arguments = ("import", str(file), "-f", "online-retail", "--url", server.url, "--key", server.key)
        assert re.search(r"accepted +601\b", stockwire(*arguments))
        assert re.search(r"known already +601\b", stockwire(*arguments))
        server.stop()
    assert sold(tmp_path / "data") == (LINES, LINES * 2)


def test_a_replay_of_old_data_to_a_clock_on_the_wall_gets_a_hint(tmp_path: Path) -> None:
    file = table(tmp_path / "year.csv", RETAIL, [("1", "10002", "GLOBE", "2", "2010-07-01 10:00:00", "0.85", "", "")])
    with running(tmp_path / "data") as server:
        replay = replaying(file, server.url, server.key, "max")
        _, complaint = replay.communicate(timeout=PATIENCE)
    assert replay.returncode == 0
    assert "--shift-to-now" in complaint


def test_the_demo_shows_a_moving_simulated_shop_and_stops_when_asked(tmp_path: Path) -> None:
    port = free_port()
    arguments = [sys.executable, "-m", "stockwire", "demo", "--data-dir", str(tmp_path / "demo"), "--port", str(port)]
    demo = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        said = ""
        while "Sign in" not in said:
            line = demo.stdout.readline()
            assert line, demo.communicate()[1]
            said += line
        assert "simulated" in said and "/sign-in#" in said
        key = stockwire("key", "create", "test", "--scope", "read", "--data-dir", str(tmp_path / "demo")).strip()
        reader = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, trust_env=False
        )
        with reader:
            status = reader.get("/api/v1/status").json()
            assert status["shop"]["simulated"] is True
            moved = reader.get(
                "/api/v1/inventory", params={"at_least": status["version"] + 3, "wait": 25, "limit": 1}, timeout=30
            )
            assert moved.json()["version"] >= status["version"] + 3
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 0


def test_an_import_that_is_interrupted_keeps_what_it_has_and_says_how_to_go_on(tmp_path: Path) -> None:
    rows = [
        (str(each), "10002", "GLOBE", "2", "2010-07-01 10:00:00", "0.85", "", "") for each in range(100_000, 200_000)
    ]
    file = table(tmp_path / "year.csv", RETAIL, rows)
    arguments = [
        sys.executable,
        "-m",
        "stockwire",
        "import",
        str(file),
        "-f",
        "online-retail",
        "-d",
        str(tmp_path / "data"),
    ]
    importing = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "data" / "log.db-wal").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    while (tmp_path / "data" / "log.db-wal").stat().st_size < 1_000_000 and time.monotonic() < deadline:
        time.sleep(0.02)
    importing.send_signal(signal.SIGINT)
    said, complaint = importing.communicate(timeout=PATIENCE)
    assert importing.returncode == 130, complaint
    assert "The same command goes on from here" in complaint and "accepted" in said
    orders, units = sold(tmp_path / "data")
    assert 0 < orders < 100_000 and units == 2 * orders
