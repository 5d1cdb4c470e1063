"""What a delivered update costs: CPU microseconds of the server per frame, beside the floor that `send()` alone sets.

    .venv/bin/python bench/fanout.py [--connections 1000] [--rate 10] [--seconds 10] [--repeat 3]

Server and floor run on core 0, the load generator (bench/fanload) and its publisher on core 1, one after the other
in one run, so that the
ratio is fair on a noisy machine. Each update is one event over HTTP, durable before it is delivered: what is
measured is the whole way,
so the cost of ingest is in it too (shared by all who read). Results go to bench/results/fanout.json and fanout.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.running import Running, event, free_port, snapshot  # noqa: E402

RESULTS = ROOT / "bench" / "results"
BODY = '{"id":"%N-%T","source":"bench","type":"product.updated","time":"{now}","data":{"sku":"S","name":"t:%T %P"}}'
SUBSCRIBE = '{"type":"subscribe","id":"a","feed":"inventory"}'


def build(folder: Path) -> tuple[Path, Path]:
    """Compile the load generator and the floor; gives their paths."""
    made = []
    for name in ("fanload", "floor"):
        made.append(folder / name)
        source = ROOT / "bench" / "fanload" / f"{name}.c"
        subprocess.run(["gcc", "-O2", "-o", str(made[-1]), str(source), "-lz", "-lm"], check=True)
    return made[0], made[1]


def pinned(core: int, *command: str) -> list[str]:
    """The command on one core, where the machine can do that."""
    return [*(["taskset", "-c", str(core)] if shutil.which("taskset") else []), *command]


def load(
    fanload: Path, kind: str, port: int, path: str, pid: int, pub: str, options: argparse.Namespace, *more: str
) -> Any:
    """One measurement of a running server; gives fanload's JSON."""
    command = pinned(
        1, str(fanload), kind, "--port", str(port), "--path", path, "-n", str(options.connections),
        "-d", str(options.seconds), "--pid", str(pid), "--on-ready", pub, *more,
    )  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    said = (line for line in done.stderr.splitlines() if line.startswith('{"mode":"pub"'))
    found["publisher"] = json.loads(next(said, "null"))
    return found


def floor(binary: Path, fanload: Path, kind: str, options: argparse.Namespace, size: int = 200, *more: str) -> Any:
    """The same load on a C loop that only calls send(), with about `size` bytes each."""
    port = free_port()
    server = subprocess.Popen(pinned(0, str(binary), str(port)))
    try:
        pub = (
            f"{fanload} pub --port {port} --path /pub --rate {options.rate} -d 60 "
            f"""--body '{{"t":%T,"pad":"%P"}}' --payload {size - 30}"""
        )
        return load(fanload, kind, port, "/", server.pid, pub, options, *more)
    finally:
        server.kill()
        server.wait()


def ours(fanload: Path, kind: str, options: argparse.Namespace, folder: Path) -> Any:
    """The load on Stockwire itself, from POST to frame."""
    server = Running(folder / f"data-{kind}-{free_port()}", "--set", "max_connections=30000")
    os.environ["PYTHONUNBUFFERED"] = "1"
    server.start()
    subprocess.run(pinned(0, "true"), check=True)
    if shutil.which("taskset"):
        subprocess.run(["taskset", "-apc", "0", str(server.pid)], check=True, capture_output=True)
    try:
        server.post(snapshot("S", 1), event("product.updated", sku="S", name="t:0"))
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        pub = (
            f"{fanload} pub --port {server.port} --path /api/v1/events --rate {options.rate} -d {options.seconds + 1} "
            f"-H 'Authorization: Bearer {server.key}' -H 'Content-Type: application/json' "
            f"--body '{BODY.replace('{now}', now)}' --payload 1"
        )
        key = f"Authorization: Bearer {server.key}"
        if kind == "ws":
            more = ["--send", json.dumps({"type": "hello", "protocol": 1, "client": "fanload/1"}), "--send2", SUBSCRIBE]
            path = "/api/v1/ws"
        else:
            more, path = [], f"/api/v1/stream?feed={quote('inventory')}"
        return load(fanload, kind, server.port, path, server.pid, pub, options, "-H", key, "--marker", "t:", *more)
    finally:
        server.kill()


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every kind, floor and ours in turn, `repeat` times."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        fanload, binary = build(folder)
        for _ in range(options.repeat):
            for kind in ("ws", "sse"):
                for name, result in (
                    ("send() floor", floor(binary, fanload, kind, options)),
                    ("Stockwire", ours(fanload, kind, options, folder)),
                ):
                    server = result["server"]
                    rows.append({
                        "server": name, "transport": kind, "us_per_frame": server["cpu_us_per_msg"],
                        "kib_per_connection": server["pss_per_conn_b"] / 1024, "raw": result,
                    })  # fmt: skip
                    print(
                        json.dumps({each: rows[-1][each] for each in ("server", "transport", "us_per_frame")}),
                        flush=True,
                    )
    return rows


def write(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """The results as JSON and as a table of the cheapest repeats."""
    RESULTS.mkdir(exist_ok=True)
    about = {
        "command": "bench/fanout.py " + " ".join(sys.argv[1:]), "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(), "kernel": platform.release(), "cores": os.cpu_count(),
    }  # fmt: skip
    (RESULTS / "fanout.json").write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    lines = [
        "# Fan-out", "",
        f"`{about['command']}` · {about['at']} · Python {about['python']} · Linux {about['kernel']} · {about['cores']} cores · "
        f"{options.connections} connections x {options.rate} updates/s, the least of {options.repeat}", "",
        "| transport | server | CPU us per frame | times the floor | KiB per connection |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for kind in ("ws", "sse"):
        least = {
            name: tuple(
                min(row[field] for row in rows if row["transport"] == kind and row["server"] == name)
                for field in ("us_per_frame", "kib_per_connection")
            )
            for name in ("send() floor", "Stockwire")
        }
        for name, (cost, memory) in least.items():
            ratio = cost / least["send() floor"][0]
            lines.append(f"| {kind} | {name} | {cost:.1f} | {ratio:.1f} | {memory:.1f} |")
    lines += ["", *map(_way, rows)]
    (RESULTS / "fanout.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def _way(row: dict[str, Any]) -> str:
    """How long an update was under way, from its posting."""
    delivered = row["raw"]["latency_ms"]
    reader = f"with a reader after {delivered['p50']:.1f} and {delivered['p99']:.1f} ms.\n"
    if row["server"] != "Stockwire":
        return f"From the posting of a message to the floor ({row['transport']}), p50 and p99: {reader}"
    publisher = row["raw"]["publisher"]
    acknowledged = publisher["ack_ms"] if publisher else {"p50": float("nan"), "p99": float("nan")}
    return (
        f"From the posting of an event ({row['transport']}), p50 and p99: acknowledged as durable after "
        f"{acknowledged['p50']:.1f} and {acknowledged['p99']:.1f} ms, {reader}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    write(measure(options), options)


if __name__ == "__main__":
    main()
