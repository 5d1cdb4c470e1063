"""What rules cost the fold: processor time of a shop's busy day with none, the built-in ones and 10,000, in one process.

Run as `python bench/rules.py`. The same events are folded with each set of rules, in turn, several times; the least time of each
counts, so that what else the machine does matters little. Most of the 10,000 look at one SKU, many at one place, and hundreds at
everything with thresholds of their own. Writes bench/results/rules.json and rules.md.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import time
from pathlib import Path
from typing import Any, Final

from stockwire import __version__
from stockwire.core.events import INTERNAL_SOURCE, Event, Record, parse_event
from stockwire.core.fold import Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.rules import BUILT_IN, RULES_MOST
from stockwire.core.values import SECOND, moment, moment_text

HERE = Path(__file__).resolve().parent
SKUS: Final = 2_000
PLACES: Final = ("main", "north", "south")
EVENTS: Final = 20_000
BATCH: Final = 500
ROUNDS: Final = 5
START: Final = moment("2026-03-02T08:00:00Z")


class Nothing:
    """No movements of before."""

    def deltas_after(self, sku: str, location: str, moment: int) -> dict[str, int]:
        return {}


def told(number: int, type_: str, source: str, **data: Any) -> Event:
    at = moment_text(START + number * SECOND)
    return parse_event({"id": str(number), "source": source, "type": type_, "time": at, "data": data}, internal=True)


def stocked(dice: random.Random) -> list[Event]:
    """Every product at every place, with a reorder point."""
    found = []
    for number in range(SKUS):
        sku = f"SKU-{number:05}"
        found.append(
            told(0, "product.updated", "erp", sku=sku, name=f"Product {number}", reorder_point=dice.randint(2, 20))
        )
        found += [
            told(0, "stock.snapshot", "erp", sku=sku, location=place, on_hand=dice.randint(0, 60)) for place in PLACES
        ]
    return found


def day(dice: random.Random) -> list[Event]:
    """Orders, most of which ship, and deliveries that keep the shelves filled."""
    found: list[Event] = []
    while len(found) < EVENTS:
        number = len(found) + 1
        place, sku = dice.choice(PLACES), f"SKU-{int(SKUS * dice.random() ** 2):05}"
        if dice.random() < 0.25:
            found.append(told(number, "stock.received", "erp", sku=sku, location=place, quantity=dice.randint(5, 40)))
            continue
        lines = [{"sku": sku, "quantity": dice.randint(1, 3), "unit_price": "6.95"}]
        order = {"order_id": str(number), "currency": "EUR", "location": place, "lines": lines}
        found.append(told(number, "order.placed", "shop", **order))
        found.append(told(number + 1, "order.status_changed", "shop", order_id=str(number), status="shipped"))
    return found[:EVENTS]


def many(dice: random.Random) -> list[dict[str, Any]]:
    """10,000 rules of which a busy day meets few."""
    rules: list[dict[str, Any]] = []
    for number in range(RULES_MOST - len(BUILT_IN)):
        kind = ("low_stock", "out_of_stock", "low_stock", "large_order", "order_status")[number % 5]
        rule: dict[str, Any] = {"rule_id": f"r{number}", "by": "bench", "kind": kind, "name": f"Rule {number}"}
        rule |= {"cooldown_seconds": 86_400, "group_by": "rule"}
        if kind == "large_order":
            rule |= {"threshold": 1_000 + number, "scope": {"location": dice.choice(PLACES)}}
        elif kind == "order_status":
            rule |= {"scope": {"statuses": ["returned" if number % 2 else "expired"], "location": dice.choice(PLACES)}}
        elif number % 50 == 0:
            rule |= {"threshold": -1_000 - number}
        else:
            rule |= {"threshold": dice.randint(1, 3), "scope": {"sku": f"SKU-{dice.randrange(SKUS):05}"}}
        rules.append(rule)
    return rules


def folded(rules: list[dict[str, Any]] | None, goods: list[Event], events: list[Event]) -> tuple[float, int]:
    """Processor seconds for the day, and how often something fired. `rules` None: not even the built-in ones."""
    state = FoldState(Nothing())
    version = 0

    def take(some: list[Event]) -> int:
        nonlocal version
        records = [Record(version + step, START, each) for step, each in enumerate(some, 1)]
        changes = Fold(state).apply(records)
        version += len(some)
        state.commit(changes)
        return sum(occasion.happened == "fired" for occasion, _ in changes.occasions)

    defined = [("rule.removed", {"rule_id": rule.rule_id, "by": "bench"}) for rule in BUILT_IN] if rules is None else []
    defined += [("rule.defined", rule) for rule in rules or []]
    take([told(0, "clock.ticked", INTERNAL_SOURCE)])
    if defined:
        take([told(0, type_, INTERNAL_SOURCE, **data) for type_, data in defined])
    take(goods)
    fired = 0
    gc.collect()
    gc.disable()
    began = time.process_time()
    for start in range(0, len(events), BATCH):
        fired += take(events[start : start + BATCH])
    seconds = time.process_time() - began
    gc.enable()
    return seconds, fired


def main() -> None:
    goods, events = stocked(random.Random(1)), day(random.Random(2))
    sets: dict[str, list[dict[str, Any]] | None] = {
        "none": None,
        "built-in": [],
        f"{RULES_MOST:,}": many(random.Random(3)),
    }
    found: dict[str, dict[str, Any]] = {name: {"seconds": float("inf"), "fired": 0} for name in sets}
    for _ in range(ROUNDS):
        for name, rules in sets.items():
            seconds, fired = folded(rules, goods, events)
            found[name] = {"seconds": min(seconds, found[name]["seconds"]), "fired": fired}
    none = found["none"]["seconds"]
    for each in found.values():
        each["ratio"] = round(each["seconds"] / none, 3)
        each["microseconds_an_event"] = round(each["seconds"] / EVENTS * 1e6, 1)
    result = {
        "command": "python bench/rules.py",
        "versions": {"stockwire": __version__, "python": platform.python_version()},
        "processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "events": EVENTS, "rounds": ROUNDS,
        "sets": found,
    }  # fmt: skip
    (HERE / "results" / "rules.json").write_text(json.dumps(result, indent=2) + "\n")
    (HERE / "results" / "rules.md").write_text(table(result))
    print(table(result))


def table(result: dict[str, Any]) -> str:
    """The result as a page."""
    said = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    lines = [
        "# What rules cost",
        "",
        f"`{result['command']}`: {result['events']:,} events of orders and deliveries over {SKUS:,} products at "
        f"{len(PLACES)} places, folded in batches of {BATCH}; processor time, the least of {result['rounds']} rounds in turn. "
        f"{said}; {result['processors']} processors, load average {result['load']} at the end. The fold alone: storing costs "
        "as much again, the same with and without rules.",
        "",
        "| rules | µs an event | against none | fired |",
        "|---|---|---|---|",
    ]
    for name, each in result["sets"].items():
        lines.append(f"| {name} | {each['microseconds_an_event']} | {each['ratio']} | {each['fired']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
