"""Several processes are one server for everybody outside."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockwire.core.events import RuleObserved
from stockwire.log.sqlite import SqliteLog
from stockwire.testing import Receiver
from tests.running import Running, event, running, snapshot, stockwire
from tests.workers.crew import Crew, Screen, alive, at_each_worker, eventually


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = (
        tmp_path_factory.mktemp("workers") / "a-directory-whose-name-is-longer-than-the-address-of-a-socket-may-be"
    )
    directory.mkdir()
    with running(directory / "data", "--clock", "events", "--workers", "2") as server:
        server.post(*(snapshot(f"SKU-{number}", number) for number in range(20)))
        yield server


def test_every_worker_gives_the_same_frames_for_the_same_cursor(server: Running) -> None:
    base = Screen(server).ask().until(server.get("/api/v1/status")["version"])
    base.close()
    for amount in range(5):
        version = server.post(*(snapshot(f"SKU-{number}", 100 + amount) for number in range(amount, 20)))["version"]
    for screen in at_each_worker(server):
        screen.ask().until(version)
        screen.close()
    given = []
    for screen in at_each_worker(server):
        screen.receiver = copy.deepcopy(base.receiver)
        screen.ask(base.receiver.cursor("stock"))
        while (frame := screen.take())["type"] != "delta":
            assert frame["type"] != "reset"
        screen.close()
        given.append({name: value for name, value in frame.items() if name != "time"})
    assert given[0] == given[1]
    assert given[0]["to"] == version
    assert len(given[0]["upsert"]) == 20


def test_a_cursor_goes_on_at_another_worker_without_a_reset(server: Running) -> None:
    reader, used = Receiver(), []
    for turn in range(6):
        version = server.post(snapshot("SKU-1", 500 + turn), snapshot(f"NEW-{turn}", turn))["version"]
        here, there = sorted(at_each_worker(server), key=lambda screen: screen.worker or 0)
        chosen, other = (here, there) if turn % 2 else (there, here)
        other.close()
        chosen.receiver = reader
        chosen.ask(reader.cursor("stock")).until(version)
        chosen.close()
        used.append(chosen.worker)
    assert len(set(used)) == 2
    assert "reset" not in reader.seen
    shown = {row["sku"]: row["on_hand"] for row in reader.rows("stock").values()}
    assert shown == {row["sku"]: row["on_hand"] for row in server.get("/api/v1/inventory", limit=1000)["rows"]}


def test_a_receipt_is_a_version_that_the_same_worker_shows_at_once_and_any_other_when_asked_for(
    server: Running,
) -> None:
    with httpx.Client(base_url=server.url, headers=server.headers, timeout=30) as one:
        for number in range(20):
            version = one.post("/api/v1/events", json=[snapshot("OWN", number)]).json()["version"]
            assert one.get("/api/v1/inventory", params={"sku": "OWN"}).json()["version"] >= version
            elsewhere = server.get("/api/v1/inventory", sku="OWN", at_least=version)
            assert elsewhere["rows"][0]["on_hand"] == number


def test_a_bad_batch_is_refused_alike_whichever_worker_takes_it(server: Running) -> None:
    for _ in range(6):
        answer = httpx.post(f"{server.url}/api/v1/events", json=[snapshot("MUG", 10**15)], headers=server.headers)
        assert answer.status_code == 400
        assert answer.json()["problems"][0]["index"] == 0


def test_connections_are_counted_over_all_workers(server: Running) -> None:
    screens = at_each_worker(server)
    eventually(lambda: server.get("/api/v1/status")["connections"] == 2, "both are counted")
    for screen in screens:
        screen.close()
    eventually(lambda: server.get("/api/v1/status")["connections"] == 0, "none is left")


def test_every_worker_tells_the_rate_of_all_events(server: Running) -> None:
    server.post(*(snapshot("RATE", number) for number in range(50)))

    def told() -> int:
        return min(int(server.get("/api/v1/status")["events_per_minute"]) for _ in range(8))

    eventually(lambda: told() >= 50, "whoever is asked knows of all")


def test_a_sign_in_link_works_once_and_its_session_at_every_worker(server: Running) -> None:
    token = server.link().partition("#")[2]
    origin = {"Origin": server.url}
    with httpx.Client(base_url=server.url) as browser:
        assert browser.post("/api/v1/session", json={"token": token}, headers=origin).status_code == 200
        cookies = dict(browser.cookies)
    for _ in range(6):
        assert httpx.get(f"{server.url}/api/v1/session", cookies=cookies).status_code == 200
        again = httpx.post(f"{server.url}/api/v1/session", json={"token": token}, headers=origin)
        assert again.status_code == 401


def test_a_second_server_is_told_that_directory_and_port_are_taken(server: Running) -> None:
    def start(*options: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "stockwire", "serve", "--workers", "2", *options],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 3
        assert "Traceback" not in done.stderr
        return " ".join(done.stderr.split())

    crew = Crew(server)
    directory = str(server.data_dir)
    assert f"process {crew.writer} owns the data directory" in start("--data-dir", directory, "--port", "0")
    assert "cannot be listened on" in start("--data-dir", directory, "--port", str(server.port))
    assert len(crew.everybody) == 3


def test_without_a_writer_screens_stay_and_readiness_says_so_until_there_is_one(server: Running) -> None:
    crew = Crew(server)
    version = server.get("/api/v1/status")["version"]
    os.kill(server.pid, signal.SIGSTOP)  # so that nobody heals
    try:
        os.kill(crew.writer, signal.SIGKILL)
        eventually(lambda: httpx.get(f"{server.url}/readyz").status_code == 503, "not ready")
        told = httpx.get(f"{server.url}/readyz").json()["problems"]
        assert told == [{"detail": "the writer does not run"}]
        screen = Screen(server).ask().until(version)
        screen.close()
        assert server.get("/api/v1/inventory", limit=1)["version"] == version
    finally:
        os.kill(server.pid, signal.SIGCONT)
    eventually(lambda: httpx.get(f"{server.url}/readyz").status_code == 200, "ready")
    assert sent(server, snapshot("AFTER", 1)) > version


def sent(server: Running, event: dict[str, Any]) -> int:
    """Send an event until it is acknowledged, as a sender does; gives the version."""
    while True:
        try:
            answer = httpx.post(f"{server.url}/api/v1/events", json=event, headers=server.headers, timeout=30)
        except httpx.HTTPError:
            continue
        if answer.status_code == 200:
            return int(answer.json()["version"])
        assert answer.status_code == 503, answer.text


def test_sighup_puts_new_processes_in_place_and_neither_an_event_nor_a_cursor_is_lost(server: Running) -> None:
    crew = Crew(server)
    before = crew.everybody
    screen = Screen(server).ask().until(1)
    os.kill(server.pid, signal.SIGHUP)
    posted = 0
    while before & crew.everybody or len(crew.everybody) != 3:
        version = sent(server, snapshot("ROLLING", posted))
        posted += 1
    assert screen.dismissed() == "drain"
    again = Screen(server, screen.receiver).ask(screen.receiver.cursor("stock")).until(version)
    assert "reset" not in again.receiver.seen
    assert again.receiver.rows("stock")[("ROLLING", "main")]["on_hand"] == posted - 1
    screen.close()
    again.close()


def test_stopping_says_bye_ends_everybody_and_leaves_a_sound_log(tmp_path: Path) -> None:
    server = Running(tmp_path / "data", "--workers", "2").start()
    try:
        crew = Crew(server)
        everybody = crew.everybody
        version = server.post(snapshot("MUG", 3))["version"]
        screen = Screen(server).ask().until(version)
        os.kill(server.pid, signal.SIGTERM)
        assert screen.dismissed() == "drain"
        screen.close()
        assert server.stop() == 0
    finally:
        server.kill()
    assert not any(alive(pid) for pid in everybody)
    assert stockwire("verify", "--data-dir", str(tmp_path / "data"))
    log = SqliteLog(tmp_path / "data", reading=True)
    assert log.load().inventory[("MUG", "main")].on_hand == 3_000
    log.close()


def test_what_the_watch_sees_is_told_once_and_shown_by_every_worker(tmp_path: Path) -> None:
    data, silent = tmp_path / "data", ("--set", "source_late_seconds=1", "--set", "source_silent_seconds=1")
    with running(data, "--currency", "EUR", "--workers", "2", *silent) as server:
        rule = {"kind": "metric", "name": "Any", "metric": "orders_placed", "period": "last_7_days", "comparison": "above",
                "threshold": 0}  # fmt: skip
        server.post(snapshot("MUG", 5))
        made = httpx.post(f"{server.url}/api/v1/rules", json=rule, headers=server.headers, timeout=60)
        assert made.is_success, made.text
        line = {"sku": "MUG", "quantity": 1, "unit_price": "5"}
        server.post(event("order.placed", source="shop", order_id="1", currency="EUR", lines=[line]))
        seen = ["metric/orders_placed/last_7_days", "source/shop", "source/test"]
        told = []
        for screen in at_each_worker(server):
            screen.follow("notifications")
            while not {row["subject"] for row in screen.rows("notifications").values()}.issuperset(seen):
                screen.take()
            rows = [row for row in screen.rows("notifications").values() if row["subject"] in seen]
            told.append(sorted((row["subject"], row["notification_id"], row["occurrences"]) for row in rows))
            screen.close()
        assert told[0] == told[1]
        assert [(subject, occurrences) for subject, _, occurrences in told[0]] == [(subject, 1) for subject in seen]
    log = SqliteLog(data, reading=True)
    written = [record.event.data for record in log.records(0, 1_000) if isinstance(record.event.data, RuleObserved)]
    log.close()
    assert sorted((each.about, each.met) for each in written) == [(about, True) for about in seen]


def test_nobody_outlives_the_process_that_watches(tmp_path: Path) -> None:
    server = Running(tmp_path / "data", "--workers", "2").start()
    try:
        everybody = Crew(server).everybody
        server.post(snapshot("MUG", 3))
        server.kill()
        eventually(lambda: not any(alive(pid) for pid in everybody), "all ended")
        server.start()
        assert server.get("/api/v1/inventory")["rows"][0]["on_hand"] == 3
    finally:
        server.kill()
