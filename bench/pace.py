"""What a slower pace saves: `python bench/pace.py [--seconds 60]`.

One server, 200 products of which 100 rows change each second, and 20 readers of the whole inventory over WebSocket, all
at one pace; each pace in turn, and once nobody. Counted: the bytes that reach each reader, by a proxy that only counts, and
the processor time of the server beyond what taking the events in costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import websockets

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from tests.connection.faults import FaultProxy, faulty  # noqa: E402
from tests.running import Running, event, running, snapshot  # noqa: E402

RESULTS = ROOT / "bench" / "results"
PRODUCTS, RATE, READERS, BATCHES = 200, 100, 20, 5
PACES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("live", {"interval": 0}), ("1 s", {"interval": 1_000}), ("5 s", {"interval": 5_000}),
    ("30 s", {"interval": 30_000}), ("paused", {"interval": 0, "paused": True}),
)  # fmt: skip


def busy(pid: int) -> float:
    """Seconds of processor time that a process used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def read(server: Running, proxy: FaultProxy, pace: dict[str, Any]) -> None:
    """Be one reader until cancelled."""
    address = f"ws://127.0.0.1:{proxy.port}/api/v1/ws"
    async with websockets.connect(
        address, subprotocols=[websockets.Subprotocol("stockwire.v1")], additional_headers=server.headers, max_size=None
    ) as socket:
        for frame in (
            {"type": "hello", "protocol": 1, "client": "pace/1"},
            {"type": "pace", "paused": False, "reason": "chosen", **pace},
            {"type": "subscribe", "id": "all", "feed": "inventory"},
        ):
            await socket.send(json.dumps(frame))
        async for _ in socket:
            pass


async def sell(server: Running, seconds: float) -> None:
    """Change `RATE` rows a second."""
    began, turn = time.monotonic(), 0
    async with httpx.AsyncClient(headers=server.headers) as client:
        for batch in range(round(seconds * BATCHES)):
            numbers = [(turn + step) % PRODUCTS for step in range(RATE // BATCHES)]
            turn += len(numbers)
            events = [
                event("stock.adjusted", sku=f"SKU-{number:03}", quantity=-1, reason="correction") for number in numbers
            ]
            (await client.post(f"{server.url}/api/v1/events", json=events)).raise_for_status()
            await asyncio.sleep(max(0.0, began + (batch + 1) / BATCHES - time.monotonic()))


async def measure(server: Running, pace: dict[str, Any] | None, seconds: float) -> dict[str, float]:
    """Bytes per reader and second, and processor time in per cent of one core."""
    with faulty(server.port) as proxy:
        readers = [asyncio.create_task(read(server, proxy, pace)) for _ in range(READERS if pace is not None else 0)]
        await sell(server, 3)
        brought, used, began = proxy.brought, busy(server.pid), time.monotonic()
        await sell(server, seconds)
        took = time.monotonic() - began
        found = {
            "bytes": (proxy.brought - brought) / max(1, len(readers)) / took,
            "busy": 100 * (busy(server.pid) - used) / took,
        }
        for reader in readers:
            reader.cancel()
        ended = await asyncio.gather(*readers, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as place, running(Path(place) / "data", "--currency", "EUR") as server:
        server.post(*(snapshot(f"SKU-{number:03}", 1_000_000) for number in range(PRODUCTS)))
        nobody = asyncio.run(measure(server, None, seconds))
        found = {}
        for name, pace in PACES:
            found[name] = asyncio.run(measure(server, pace, seconds))
            print(name, found[name], flush=True)
    live = found["live"]
    rows = [
        f"| {name} | {one['bytes']:,.0f} | {100 * one['bytes'] / live['bytes']:.1f} "
        f"| {max(0.0, one['busy'] - nobody['busy']):.1f} |"
        for name, one in found.items()
    ]
    about = (
        f"{datetime.now(UTC).isoformat(timespec='seconds')}, Python {platform.python_version()}, Linux"
        f" {platform.release()}, {os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f} at the end"
    )
    (RESULTS / "pace.json").write_text(json.dumps({"nobody": nobody, "paces": found, "about": about}, indent=2) + "\n")
    (RESULTS / "pace.md").write_text(
        "# What a slower pace saves\n\n"
        f"`python bench/pace.py --seconds {seconds:g}`: {PRODUCTS} products of which {RATE} rows change each second,"
        f" {READERS} readers of all of them over WebSocket. {about}. Taking the events in alone kept the server busy for"
        f" {nobody['busy']:.1f} % of a core; the last column is what the readers add.\n\n"
        "| pace | bytes per reader and second | of live, % | server, % of a core |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


if __name__ == "__main__":
    main()
