"""The way back: how soon 10,000 readers are connected and current once a server is there again.

    .venv/bin/python bench/restart.py [--repeat 3] [--readers 10000]

The program is killed and started again over its data, and when it answers all readers come at once, each with a hello and
a subscription. "Connected" is when the last has the answer to its handshake, "current" when the last has its view. Beside
it the hub alone (no log, no sign-in), and the floor: a C loop that answers the handshake and nothing else. Server on core
0, readers on core 1, one after the other; of several repeats the fastest counts. Results go to bench/results/restart.json
and restart.md. A repeat takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from tests.running import Running, event, snapshot  # noqa: E402

from fanout import RESULTS, SUBSCRIBE, build, pinned  # noqa: E402
from rounds import HELLO, answering, served  # noqa: E402

FLOOR, HUB, PROGRAM = "accept() floor", "the hub alone", "Stockwire, restarted"
PATHS = {"ws": "/api/v1/ws", "sse": "/api/v1/stream?feed=inventory"}
SAYS = {"ws": ["--send", HELLO, "--send2", SUBSCRIBE], "sse": []}
CURRENT = '"type":"snapshot"'


class Crowd:
    """Readers that all come at once."""

    def __init__(self, fanload: Path, readers: int) -> None:
        self._fanload = fanload
        self._readers = readers

    def come(self, kind: str, port: int, pid: int, *more: str) -> dict[str, Any]:
        """Connect all; gives the seconds until the last was ready, the CPU seconds of the server, and the retries."""
        before = cpu_seconds(pid)
        command = pinned(
            1, str(self._fanload), kind, "--port", str(port), "--path", PATHS[kind], "-n", str(self._readers),
            "--inflight", str(self._readers), "--settle", "0", "-d", "0.1", *SAYS[kind], *more,
        )  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
        told = json.loads(done.stdout.strip().splitlines()[-1])
        if told["connected"] != self._readers:
            raise RuntimeError(f"{told['connected']} of {self._readers} readers came")
        return {"seconds": told["connect_s"], "cpu": cpu_seconds(pid) - before, "retries": told["retries"]}


def cpu_seconds(pid: int) -> float:
    """What a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def restarted(program: Running) -> Iterator[tuple[int, int]]:
    """The program after it was killed; gives its port and process."""
    program.kill()
    program.start()
    subprocess.run(["taskset", "-apc", "0", str(program.pid)], check=True, capture_output=True)
    yield program.port, program.pid


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every server and transport, `repeat` times."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        fanload, binary = build(Path(made))
        crowd = Crowd(fanload, options.readers)
        room = [f"{name}={3 * options.readers}" for name in ("max_connections", "max_connections_each")]
        program = Running(Path(made) / "data", "--set", room[0], "--set", room[1])
        program.start()
        program.post(snapshot("S", 1), event("product.updated", sku="S", name="Lamp"))
        key = ["-H", f"Authorization: Bearer {program.key}"]
        try:
            for kind in [kind for _ in range(options.repeat) for kind in PATHS]:
                with answering(str(binary)) as server:
                    rows.append({"server": FLOOR, "transport": kind, "connected": crowd.come(kind, *server)})
                for name, there, more in (
                    (HUB, lambda: served("inventory"), []),
                    (PROGRAM, lambda: restarted(program), key),
                ):
                    with there() as server:
                        connected = crowd.come(kind, *server, *more)
                    with there() as server:
                        current = crowd.come(kind, *server, *more, "--ready-on", CURRENT)
                    rows.append({"server": name, "transport": kind, "connected": connected, "current": current})
                    print(json.dumps(rows[-1]), flush=True)
        finally:
            program.kill()
    return rows


def table(rows: list[dict[str, Any]], about: dict[str, Any], readers: int) -> str:
    """The results in words."""
    lines = [
        "# Coming back", "", " · ".join(f"{name} {value}" for name, value in about.items()), "",
        f"{readers:,} readers at once, once the server is there again:", "",
        "| transport | server | all connected after | all current after | the server's CPU | retries |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for kind in PATHS:
        for name in (FLOOR, HUB, PROGRAM):
            found = [row for row in rows if (row["server"], row["transport"]) == (name, kind)]
            connected = min((row["connected"] for row in found), key=lambda each: each["seconds"])
            current = min(
                (row["current"] for row in found if "current" in row), default=None, key=lambda each: each["seconds"]
            )
            last = current or connected
            after = f"{current['seconds']:.1f} s" if current else "-"
            lines.append(
                f"| {kind} | {name} | {connected['seconds']:.1f} s | {after} | {last['cpu']:.1f} s | {last['retries']} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--readers", type=int, default=10_000)
    options = parser.parse_args()
    before = os.getloadavg()[0]
    rows = measure(options)
    about = {
        "command": "`bench/restart.py " + " ".join(sys.argv[1:]) + "`", "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "Python": platform.python_version(), "uvicorn": version("uvicorn"), "uvloop": version("uvloop"),
        "httptools": version("httptools"), "Linux": platform.release(), "cores": os.cpu_count(),
        "load average before": f"{before:.1f}",
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "restart.json").write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    (RESULTS / "restart.md").write_text(table(rows, about, options.readers))
    print((RESULTS / "restart.md").read_text())


if __name__ == "__main__":
    main()
