"""What a delivered frame costs others: Stockwire beside the servers that people use for this, all in one run.

    .venv/bin/python bench/peers.py [--repeat 3] [--seconds 5] [--only NAME ...]

Each server broadcasts 200 bytes to 1,000 connections ten times a second and to 10,000 once a second; Stockwire sends
its own frames, which are larger. Server on core 0, load generator and publisher on core 1, one after the other; of
several repeats the cheapest counts, because what else the machine does can only add. The peers come from the
registries, at the versions of requirements/bench.txt and bench/peers/package-lock.json, into `.bench`; Nchan comes from
Debian (`apt-get download`, unpacked beside it). A peer that cannot be had is left out and the reason printed.

Writes bench/results/peers.json, docs/images/fan-out.svg, and the table of docs/explanation/fan-out.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from tests.running import free_port  # noqa: E402

import drawing  # noqa: E402
import rounds  # noqa: E402
from fanout import RESULTS, build, floor, load, pinned  # noqa: E402

FOLDER = ROOT / ".bench"
PEERS = ROOT / "bench" / "peers"
PAGE = ROOT / "docs" / "explanation" / "fan-out.md"
PICTURE = ROOT / "docs" / "images" / "fan-out.svg"
SIZES = rounds.SIZES
FLOOR = rounds.FLOOR
OURS = {rounds.SHORT: "metrics", rounds.OURS: "inventory"}
"""The feeds that ours are measured with: one of short rows, one of long ones."""


class Peer(NamedTuple):
    """A server: its name, the program and file it runs by, what holds its version, and how it is spoken to."""

    name: str
    program: str
    file: str
    package: str
    kind: str = "ws"
    path: str = "/ws"
    publish: str = "/publish"
    beside: int = 0
    """How far its publishing port is from its own."""
    more: tuple[str, ...] = ()


PYTHON, NODE, NGINX = "python", "node", "nginx"
_EIO: dict[str, Any] = {"path": "/socket.io/?EIO=4&transport=websocket", "more": ("--eio",)}
ALL = (
    Peer("picows", PYTHON, "picows_server.py", "picows", beside=1),
    Peer("Nchan", NGINX, "nchan.conf", "nchan", path="/stream"),
    Peer("Nchan", NGINX, "nchan.conf", "nchan", kind="sse", path="/stream"),
    Peer("ws", NODE, "ws_server.mjs", "ws"),
    Peer("aiohttp", PYTHON, "aiohttp_server.py", "aiohttp"),
    Peer("websockets", PYTHON, "websockets_server.py", "websockets", beside=1),
    Peer("Socket.IO", NODE, "socketio_server.mjs", "socket.io", **_EIO),
    Peer("python-socketio", PYTHON, "python_socketio_server.py", "python-socketio", **_EIO),
    Peer("sse-starlette", PYTHON, "sse_starlette_server.py", "sse-starlette", kind="sse", path="/sse"),
)


# --- getting them ---------------------------------------------------------------------------------------------------


def get(program: str) -> None:
    """Have what a kind of peer needs. Raises what went wrong."""
    FOLDER.mkdir(exist_ok=True)
    {PYTHON: _get_python, NODE: _get_node, NGINX: _get_nchan}[program]()


def _run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def _get_python() -> None:
    """A Python environment with the locked peers."""
    lock = (ROOT / "requirements" / "bench.txt").read_bytes()
    stamp = FOLDER / "python" / "locked"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    _run("scripts/make-venv", str(FOLDER / "python"))
    _run(str(FOLDER / "python/bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r",
         "requirements/bench.txt")  # fmt: skip
    stamp.write_bytes(lock)


def _get_node() -> None:
    """The locked packages beside the servers that import them."""
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=PEERS)


def _get_nchan() -> None:
    """Debian's module, unpacked and not installed, for the nginx that is there."""
    if _nginx() is None:
        raise RuntimeError("there is no nginx")
    if _module() is None:
        (FOLDER / "nchan").mkdir(exist_ok=True)
        _run("apt-get", "download", "libnginx-mod-nchan", cwd=FOLDER / "nchan")
        [package] = (FOLDER / "nchan").glob("*.deb")
        _run("dpkg", "-x", str(package), str(FOLDER / "nchan"))


def _nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def _module() -> Path | None:
    return next((FOLDER / "nchan").rglob("ngx_nchan_module.so"), None)


def version_of(peer: Peer) -> str:
    """The version that runs."""
    if peer.program == PYTHON:
        code = f"from importlib.metadata import version; print(version('{peer.package}'))"
        return _run(str(FOLDER / "python/bin/python"), "-c", code).strip()
    if peer.program == NODE:
        return str(json.loads((PEERS / "node_modules" / peer.package / "package.json").read_text())["version"])
    [package] = (FOLDER / "nchan").glob("*.deb")
    return package.name.split("_")[1].replace("%3a", ":").split(":")[-1]


# --- measuring ------------------------------------------------------------------------------------------------------


def measured(peer: Peer, fanload: Path, options: argparse.Namespace) -> Any:
    """One load on a peer."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(pinned(0, *_command(peer, port, Path(folder))), cwd=PEERS)
        try:
            rounds.until_answering(port)
            pub = (
                f"{fanload} pub --port {port + peer.beside} --path {peer.publish} --rate {options.rate} -d 120 "
                "--body 't:%T %P' --payload 180"
            )
            return load(fanload, peer.kind, port, peer.path, server.pid, pub, options, "--marker", "t:", *peer.more)
        finally:
            server.terminate()
            server.wait()


def _command(peer: Peer, port: int, folder: Path) -> list[str]:
    if peer.program == PYTHON:
        return [str(FOLDER / "python/bin/python"), peer.file, str(port)]
    if peer.program == NODE:
        return ["node", peer.file, str(port)]
    text = (PEERS / peer.file).read_text()
    for name, value in (("PORT", port), ("MODULE", _module()), ("FOLDER", folder)):
        text = text.replace(f"@{name}@", str(value))
    (folder / "nginx.conf").write_text(text)
    return [str(_nginx()), "-p", str(folder), "-c", str(folder / "nginx.conf")]


class Contender(NamedTuple):
    """Something to be measured."""

    name: str
    kind: str
    version: str
    run: Callable[[Path, argparse.Namespace], Any]


def contenders(binary: Path, only: list[str]) -> list[Contender]:
    """The floor, Stockwire, and every peer that can be had."""
    found = []
    for kind in ("ws", "sse"):
        found.append(
            Contender(FLOOR, kind, "", lambda fanload, options, kind=kind: floor(binary, fanload, kind, options))
        )
        for name, feed in OURS.items():
            run = lambda fanload, options, kind=kind, feed=feed: rounds.ours(fanload, kind, options, feed=feed)  # noqa: E731
            found.append(Contender(name, kind, "", run))
    missing: dict[str, str] = {}
    for program in dict.fromkeys(peer.program for peer in ALL):
        try:
            get(program)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            missing[program] = str(error)
    for peer in ALL:
        if peer.program in missing:
            print(f"{peer.name} is left out: {missing[peer.program]}", flush=True)
        elif not only or peer.name in only:
            run = lambda fanload, options, peer=peer: measured(peer, fanload, options)  # noqa: E731
            found.append(Contender(peer.name, peer.kind, version_of(peer), run))
    return found


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Everybody at every size, in turn, `repeat` times."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        fanload, binary = build(Path(made))
        everybody = contenders(binary, options.only)
        for _ in range(options.repeat):
            for connections, rate in SIZES:
                size = argparse.Namespace(connections=connections, rate=rate, seconds=options.seconds)
                for each in everybody:
                    try:
                        raw = each.run(fanload, size)
                    except (RuntimeError, subprocess.SubprocessError) as error:
                        print(f"{each.name} {each.kind} {connections:,}: {error}", flush=True)
                        continue
                    rows.append(_row(each, raw))
                    print(json.dumps(rows[-1]), flush=True)
    return rows


def _row(each: Contender, raw: Any) -> dict[str, Any]:
    return {
        "server": each.name, "version": each.version, "transport": each.kind, "connections": raw["n"],
        "connected": raw["connected"], "us_per_frame": raw["server"]["cpu_us_per_msg"],
        "kib_per_connection": round(raw["server"]["pss_per_conn_b"] / 1024, 1), "messages": raw["messages"],
        "bytes_per_frame": round(raw["payload_bytes"] / max(1, raw["frames"])), "latency_ms": raw["latency_ms"],
        "seconds": raw["seconds"], "core_busy_s": raw["core_busy_s"],
    }  # fmt: skip


# --- telling --------------------------------------------------------------------------------------------------------


def best(rows: list[dict[str, Any]], name: str, kind: str, connections: int) -> dict[str, Any] | None:
    """The cheapest of the repeats."""
    found = [
        row for row in rows
        if (row["server"], row["transport"], row["connections"]) == (name, kind, connections) and row["messages"]
    ]  # fmt: skip
    return min(found, key=lambda row: row["us_per_frame"]) if found else None


def everybody(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Names and transports, cheapest first at the smaller size, WebSocket before event streams."""
    pairs = {(row["server"], row["transport"]) for row in rows}
    return sorted(pairs, key=lambda pair: (pair[1] != "ws", _cost(rows, *pair, SIZES[0][0]) or 1e9))


def _cost(rows: list[dict[str, Any]], name: str, kind: str, connections: int) -> float | None:
    found = best(rows, name, kind, connections)
    return found["us_per_frame"] if found else None


def table(rows: list[dict[str, Any]]) -> str:
    """The results in one table."""
    lines = [
        "| | transport | 1,000 x 10/s | of the floor | 10,000 x 1/s | of the floor | KiB a connection | bytes a frame |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, kind in everybody(rows):
        cells = []
        for connections, _ in SIZES:
            found, least = best(rows, name, kind, connections), _cost(rows, FLOOR, kind, connections)
            if found is None or not least:
                cells += ["not all served", ""]
                continue
            some = "" if found["connected"] == connections else f" ({found['connected']:,} connected)"
            cells += [f"{found['us_per_frame']:.1f} us{some}", f"{found['us_per_frame'] / least:.2f}"]
        some = best(rows, name, kind, SIZES[1][0]) or best(rows, name, kind, SIZES[0][0])
        assert some is not None
        label = f"{name} {some['version']}".strip()
        label = f"**{label}**" if name in OURS else label
        cells += [f"{some['kib_per_connection']:.1f}", str(some["bytes_per_frame"])]
        lines.append(f"| {label} | {'WebSocket' if kind == 'ws' else 'SSE'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(rows: list[dict[str, Any]]) -> str:
    """The results as bars."""
    groups = []
    for connections, rate in SIZES:
        group = []
        for name, kind in everybody(rows):
            cost = _cost(rows, name, kind, connections)
            if cost:
                sort = "floor" if name == FLOOR else "ours" if name in OURS else "bar"
                group.append(drawing.Bar(f"{name}, {'WebSocket' if kind == 'ws' else 'SSE'}", cost, sort))
        groups.append((f"{connections:,} connections, {rate:g} updates a second", group))
    return drawing.bars("CPU microseconds of the server per delivered frame", groups, "us")


def write(rows: list[dict[str, Any]], before: float) -> None:
    """Results, picture and page."""
    about = {
        "command": "bench/peers.py " + " ".join(sys.argv[1:]), "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "Stockwire": version("stockwire"), "Python": platform.python_version(),
        "Node": _run("node", "--version").strip().removeprefix("v"), "Linux": platform.release(),
        "cores": os.cpu_count(), "load average before": round(before, 1),
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "peers.json").write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    PICTURE.write_text(picture(rows))
    said = " · ".join(f"{name} {value}" for name, value in about.items() if name not in ("command", "at"))
    text = f"`{about['command'].strip()}`, {about['at'][:10]} · {said}\n\n{table(rows)}\n"
    measured = r"(<!-- measured -->\n).*?(<!-- /measured -->)"
    page = re.sub(measured, lambda found: f"{found[1]}\n{text}\n{found[2]}", PAGE.read_text(), flags=re.S)
    PAGE.write_text(page)
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="these peers alone, beside the floor and Stockwire")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    began = time.monotonic()
    write(measure(options), before)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
