"""What delivering costs without log and ingest: the hub's rounds over real transports, beside the floor of `send()`.

    .venv/bin/python bench/rounds.py [--repeat 3]

For WebSocket and event streams, at 1,000 connections x 10 updates/s and 10,000 x 1: CPU microseconds of the server per
delivered frame, how long an update is under way, and memory per connection before anything is sent. Then 1,000 readers
of whom 50 stall, and 10,000 readers that all come back at once, to the floor as well. Server and floor run on core 0,
the load generator and publisher on core 1, one after the other. The floor sends the payload alone, ours the frame with
the whole row, of a metric or of the inventory; a second floor sends as many bytes as the latter. Results go to
bench/results/rounds.json and rounds.md. A repeat takes about five minutes, what follows two.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from tests.running import free_port  # noqa: E402

from fanout import RESULTS, SUBSCRIBE, build, floor, load, pinned  # noqa: E402
from stockwire.engine.volley import left_to_transports, volley  # noqa: E402

HELLO = json.dumps({"type": "hello", "protocol": 1, "client": "fanload/1"})
SIZES = ((1_000, 10.0), (10_000, 1.0))
FLOOR, SHORT = "send() floor", "Stockwire, a metric"
ALIKE, OURS = "send() of as many bytes", "Stockwire, an inventory row"
FRAME = 510
"""Bytes of ours, about."""


@contextmanager
def answering(*command: str, options: tuple[str, ...] = ()) -> Iterator[tuple[int, int]]:
    """A server on core 0, started by the command, a free port and the options; gives its port and process."""
    port = free_port()
    server = subprocess.Popen(pinned(0, *command, str(port), *options))
    try:
        until_answering(port)
        yield port, server.pid
    finally:
        server.kill()
        server.wait()


def served(feed: str) -> AbstractContextManager[tuple[int, int]]:
    """A server of the hub alone; gives its port and process."""
    return answering(sys.executable, str(ROOT / "bench" / "hubload.py"), options=("--feed", feed))


def until_answering(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def ours(fanload: Path, kind: str, options: argparse.Namespace, *more: str, feed: str = "inventory") -> Any:
    """One load on the hub."""
    with served(feed) as (port, pid):
        pub = f"{fanload} pub --port {port} --path /publish --rate {options.rate} -d 120 --body 't:%T %P' --payload 1"
        path = "/api/v1/ws" if kind == "ws" else f"/api/v1/stream?feed={feed}"
        says = ["--send", HELLO, "--send2", SUBSCRIBE.replace("inventory", feed)] if kind == "ws" else []
        return load(fanload, kind, port, path, pid, pub, options, "--marker", "t:", *says, *more)


def measure(repeat: int, seconds: int) -> list[dict[str, Any]]:
    """Every measurement, floor and hub in turn."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        fanload, binary = build(Path(made))
        for _ in range(repeat):
            for connections, rate in SIZES:
                options = argparse.Namespace(connections=connections, rate=rate, seconds=seconds)
                for kind in ("ws", "sse"):
                    for name, raw in (
                        (FLOOR, floor(binary, fanload, kind, options)),
                        (SHORT, ours(fanload, kind, options, feed="metrics")),
                        (OURS, ours(fanload, kind, options)),
                        (ALIKE, floor(binary, fanload, kind, options, FRAME)),
                    ):
                        rows.append({"what": "fan-out", "server": name, "transport": kind, "raw": raw})
                        print(name, kind, connections, raw["server"]["cpu_us_per_msg"], flush=True)
        crowd = argparse.Namespace(connections=1_000, rate=10.0, seconds=seconds)
        rows.append({"what": "stalled", "raw": ours(fanload, "ws", crowd, "--slow", "0.05", "--rcvbuf", "4096")})
        storm = argparse.Namespace(connections=10_000, rate=1.0, seconds=3)
        for kind in ("ws", "sse"):
            for name, raw in (
                (FLOOR, floor(binary, fanload, kind, storm, FRAME, "--storm")),
                ("Stockwire", ours(fanload, kind, storm, "--storm")),
            ):
                rows.append({"what": "storm", "server": name, "transport": kind, "raw": raw})
    return rows


def table(rows: list[dict[str, Any]], about: dict[str, Any]) -> str:
    """The results in words; of several repeats the cheapest counts, since what else the machine does can only add."""
    lines = [
        "# Delivering", "", " · ".join(f"{name} {value}" for name, value in about.items()), "",
        "| transport | connections x updates/s | server | bytes per frame | CPU us per frame | times the floor "
        "| times as many bytes | under way, p50 and p99 | KiB per idle connection |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for connections, rate in SIZES:
        for kind in ("ws", "sse"):
            runs = {
                name: [
                    row["raw"] for row in rows
                    if row["what"] == "fan-out" and (row["server"], row["transport"]) == (name, kind)
                    and row["raw"]["n"] == connections
                ]
                for name in (FLOOR, SHORT, ALIKE, OURS)
            }  # fmt: skip
            cost = {name: min(each["server"]["cpu_us_per_msg"] for each in found) for name, found in runs.items()}
            for name, found in runs.items():
                memory = min(each["server"]["pss_per_conn_b"] for each in found) / 1024
                size = found[0]["payload_bytes"] / found[0]["frames"]
                way = [min(each["latency_ms"][point] for each in found) for point in ("p50", "p99")]
                lines.append(
                    f"| {kind} | {connections:,} x {rate:g} | {name} | {size:.0f} | {cost[name]:.1f} "
                    f"| {cost[name] / cost[FLOOR]:.2f} | {cost[name] / cost[ALIKE]:.2f} "
                    f"| {way[0]:.1f} and {way[1]:.1f} ms | {memory:.1f} |"
                )
    [stalled] = [row["raw"] for row in rows if row["what"] == "stalled"]
    server = stalled["server"]
    lines += [
        "", f"50 of 1,000 readers stall for {stalled['seconds']:.0f} s at 10 updates/s: the server grows by "
        f"{server['pss_end_kb'] - server['pss_ready_kb']:,} KiB, the others get {stalled['msgs_per_s'] / 950:.2f} updates/s, "
        f"p99 {stalled['latency_ms']['p99']:.0f} ms; TCP memory of the machine {stalled['tcp_mem_kb'][-1]:,} KiB.", "",
    ]  # fmt: skip
    lines += [
        "10,000 readers drop and come back at once:", "",
        "| transport | server | all connected after | all current after | the server's CPU | retries |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        if row["what"] == "storm":
            storm = row["raw"]["storm"]
            lines.append(
                f"| {row['transport']} | {row['server']} | {storm['all_connected_s']:.1f} s | {storm['all_receiving_s']:.1f} s "
                f"| {storm['server_cpu_s']:.1f} s | {storm['retries']} |"
            )
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=6)
    options = parser.parse_args()
    before = os.getloadavg()[0]
    rows = measure(options.repeat, options.seconds)
    about = {
        "command": "`bench/rounds.py " + " ".join(sys.argv[1:]) + "`", "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "Python": platform.python_version(), "uvicorn": version("uvicorn"), "uvloop": version("uvloop"),
        "wsproto": version("wsproto"), "Linux": platform.release(), "cores": os.cpu_count(),
        "volley": "left to the transports" if volley is left_to_transports else "compiled",
        "load average before": f"{before:.1f}",
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rounds.json").write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    (RESULTS / "rounds.md").write_text(table(rows, about))
    print((RESULTS / "rounds.md").read_text())


if __name__ == "__main__":
    main()
