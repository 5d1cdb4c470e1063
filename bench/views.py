"""What a change costs against how many views are looked at and how many rows there are, and what absence costs.

    .venv/bin/python bench/views.py [--repeat 5]

In one process, without network: a hub over the inventory, so many distinct views held by somebody, and batches of one
changed row. The views ask for one product each, for one location each (all of them differ by a limit), or for a level.
Then readers who slept through 1,000,000 events over 10,000 rows come back. And how many bytes an update takes at each
pace, beside sending every change to everybody. CPU time, the least of the repeats. Results go to bench/results/views.json
and views.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.core.shop import Shop, changes, stock  # noqa: E402

from stockwire.core.rows import InventoryRow  # noqa: E402
from stockwire.core.session import Session  # noqa: E402
from stockwire.core.views import parse_view  # noqa: E402
from stockwire.core.wire import Frame  # noqa: E402
from stockwire.engine.forms import Form, shaped  # noqa: E402
from stockwire.engine.shelves import KEEP_VIEW  # noqa: E402

RESULTS = ROOT / "bench" / "results"
ROWS = (1_000, 10_000, 100_000, 400_000)
VIEWS = (1, 100, 10_000)
LOCATIONS = 4
BATCHES = 20
LOOKS_MOST = 20_000_000
"""Rows looked at to open all views of a measurement; what would need more is left out."""
KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "one product each": lambda number: {"filter": {"sku": f"SKU{number}"}},
    "one location each": lambda number: {
        "filter": {"location": f"place{number % LOCATIONS}", "on_hand": {"gte": number}}
    },
    "a level each": lambda number: {"filter": {"on_hand": {"gte": number}}},
    "first 20 of a product": lambda number: {"filter": {"sku": f"SKU{number}"}, "limit": 20},
}


def stocked(count: int) -> Shop:
    """A shop with so many rows in four places."""
    shop = Shop()
    shop.version = count
    shop.rows = {(row.sku, row.location): row for row in (_row(number + 1, number) for number in range(count))}
    shop.restart()
    return shop


def _row(version: int, number: int, on_hand: int = 5) -> InventoryRow:
    return stock(version, f"SKU{number // LOCATIONS}", on_hand, f"place{number % LOCATIONS}")


def least(repeat: int, work: Callable[[], None]) -> float:
    """CPU seconds of the cheapest of several goes."""
    found = []
    for _ in range(repeat):
        gc.collect()
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def change_cost(shop: Shop, views: int, kind: str, repeat: int) -> float:
    """CPU microseconds of a batch of one row while so many views are held, and no others."""
    held = [parse_view({"feed": "inventory", **KINDS[kind](number)}) for number in range(views)]
    shop.seconds += KEEP_VIEW + 1
    for view in held:
        shop.hub.open(view)
    chance = random.Random(1)
    rows = list(shop.rows)

    def work() -> None:
        for _ in range(BATCHES):
            shop.version += 1
            number = chance.randrange(len(rows))
            row = _row(shop.version, number, chance.randrange(100))
            shop.hub.publish(changes(shop.version, inventory={rows[number]: row}))

    gc.freeze()
    try:
        assert shop.hub.views == views
        return least(repeat, work) / BATCHES * 1e6
    finally:
        gc.unfreeze()
        for view in held:
            shop.hub.close(view)


# --- absence --------------------------------------------------------------------------------------------------------


def absence(readers: int = 1_000, rows: int = 10_000, events: int = 1_000_000) -> dict[str, Any]:
    """Readers that come back to what changed a hundred times over."""
    shop = stocked(rows)
    view = parse_view({"feed": "inventory"})
    cursor = f"v1.{shop.hub.epoch}.{shop.version:016d}.{view.name}"
    numbers = list(range(rows))
    for _ in range(events // rows):
        random.Random(shop.version).shuffle(numbers)
        batch = {}
        for number in numbers:
            shop.version += 1
            row = _row(shop.version, number, shop.version % 90)
            batch[row.sku, row.location] = row
        shop.hub.publish(changes(shop.version, inventory=batch))

    def come_back() -> list[Frame]:
        session = Session("reader", shop.hub, heartbeat=20.0, now=shop.seconds)
        session.open()
        session.subscribe({"id": "a", "feed": "inventory", "cursor": cursor}, shop.seconds)
        return list(session.pull(shop.seconds))

    began = time.process_time()
    first = come_back()
    one = time.process_time() - began
    others = [come_back() for _ in range(readers - 1)]
    all_ = time.process_time() - began
    assert all(mine is theirs for other in others for mine, theirs in zip(first, other, strict=True))
    return {
        "readers": readers, "rows": rows, "events": events, "first_ms": round(one * 1e3, 1),
        "each_other_us": round((all_ - one) / (readers - 1) * 1e6, 1), "frames": len(first),
        "rows_got": sum(len(json.loads(each.body).get("upsert", [])) for each in first),
        "bytes": sum(len(each.body) for each in first), "bytes_every_message": events * len(_one_change(rows)),
    }  # fmt: skip


def _one_change(version: int) -> bytes:
    """The frame of one changed row."""
    shop = Shop()
    shop.version = version
    shop.hub.publish(changes(version, inventory={}))
    shop.write(SKU1=5)
    [sent] = shop.hub.delta(shop.hub.open(parse_view({"feed": "inventory"})), 0) or ()
    return sent.body


# --- bytes at each pace ---------------------------------------------------------------------------------------------


def paces(seconds: int = 120, rate: int = 100, rows: int = 1_000) -> list[dict[str, Any]]:
    """Bytes to one reader for so many seconds of a shop that changes `rate` rows a second, a few of them often."""
    found = []
    for interval in (0, 1_000, 5_000, 30_000):
        shop = stocked(rows)
        session = Session("reader", shop.hub, heartbeat=20.0, now=shop.seconds)
        session.open()
        session.subscribe({"id": "a", "feed": "inventory", "interval": interval}, shop.seconds)
        list(session.pull(shop.seconds))
        chance = random.Random(7)
        sizes, packed, every = 0, 0, 0
        for _ in range(seconds * rate):
            shop.seconds += 1 / rate
            shop.version += 1
            row = _row(shop.version, min(rows - 1, int(chance.paretovariate(0.5))), chance.randrange(100))
            shop.hub.publish(changes(shop.version, inventory={(row.sku, row.location): row}))
            live = shop.hub.open(parse_view({"feed": "inventory"}))
            [alone] = shop.hub.delta(live, shop.version - 1) or ()
            every += len(shaped(Form.TEXT, alone))
            for sent in session.pull(shop.seconds):
                sizes += len(shaped(Form.TEXT, sent))
                packed += len(shaped(Form.DEFLATED, sent))
        changed = seconds * rate
        found.append({
            "interval": interval, "bytes_per_change": round(sizes / changed, 1), "packed": round(packed / changed, 1),
            "every_message": round(every / changed, 1),
        })  # fmt: skip
    return found


# --- telling --------------------------------------------------------------------------------------------------------


def table(
    about: dict[str, Any], costs: list[dict[str, Any]], away: dict[str, Any], bytes_: list[dict[str, Any]]
) -> str:
    """Everything in words."""
    said = " · ".join(f"{name} {value}" for name, value in about.items())
    lines = ["# Views", "", said, "", "CPU microseconds of a batch of one changed row:", ""]
    lines += ["| distinct views | rows | " + " | ".join(KINDS) + " |", "|---:|---:|" + "---:|" * len(KINDS)]
    for views in VIEWS:
        for rows in ROWS:
            found = {
                each["kind"]: f"{each['us']:.0f}" for each in costs if (each["views"], each["rows"]) == (views, rows)
            }
            cells = [found.get(kind, "") for kind in KINDS]
            lines.append(f"| {views:,} | {rows:,} | {' | '.join(cells)} |")
    first, other = f"{away['first_ms']:.0f} ms for the first", f"{away['each_other_us']:.0f} us for each other"
    lines += [
        "",
        f"{away['readers']:,} readers who missed {away['events']:,} events over {away['rows']:,} rows get "
        f"{away['rows_got']:,} rows in {away['bytes'] / 2**20:.1f} MiB (as every message: "
        f"{away['bytes_every_message'] / 2**20:,.0f} MiB): {first}, {other}, "
        "who get the very same frames.",
        "", "Bytes per change to one reader, when 100 rows a second change, a few of them often:", "",
        "| pace | bytes | compressed | every change sent |", "|---|---:|---:|---:|",
    ]  # fmt: skip
    for each in bytes_:
        pace = "live" if not each["interval"] else f"every {each['interval'] // 1_000} s"
        lines.append(
            f"| {pace} | {each['bytes_per_change']:.0f} | {each['packed']:.0f} | {each['every_message']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    costs = []
    for rows in ROWS:
        shop = stocked(rows)
        for kind in KINDS:
            for views in VIEWS:
                if rows * views > LOOKS_MOST and "product" not in kind:
                    continue
                cost = change_cost(shop, views, kind, options.repeat)
                costs.append({"kind": kind, "views": views, "rows": rows, "us": round(cost, 1)})
                print(costs[-1], flush=True)
    away, bytes_ = absence(), paces()
    about = {
        "command": "`bench/views.py " + " ".join(sys.argv[1:]).strip() + "`",
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "Python": platform.python_version(),
        "cores": os.cpu_count(), "load average": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    found = {"about": about, "costs": costs, "absence": away, "paces": bytes_}
    (RESULTS / "views.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "views.md").write_text(table(about, costs, away, bytes_))
    print((RESULTS / "views.md").read_text())


if __name__ == "__main__":
    main()
