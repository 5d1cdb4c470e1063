"""A restart in any state of a notification changes nothing of what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stockwire.core.events import Event
from stockwire.engine.verify import verify
from stockwire.log.base import TableName, Writer
from stockwire.log.memory import MemoryLog
from stockwire.log.sqlite import SqliteLog
from tests.core.ledger import event
from tests.log.history import Shop

TABLES: tuple[TableName, ...] = ("rules", "notifications", "people", "conditions", "occasions", "parked")


class Script:
    """Events of one shelf and of what people do, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def internal(self, type_: str, time: str, **data: Any) -> Script:
        return self._add(type_, time, "stockwire", data)

    def level(self, time: str, on_hand: int) -> Script:
        return self._add("stock.snapshot", time, "till", {"sku": "MUG", "on_hand": on_hand})

    def act(self, what: str, time: str, **more: Any) -> Script:
        return self.internal(f"notification.{what}", time, notification_id="r/stock/MUG/main@3", by="ann", **more)

    def _add(self, type_: str, time: str, source: str, data: dict[str, Any]) -> Script:
        self.events.append(event(type_, time, f"e{len(self.events)}", source, **data))
        return self


def begun(**rule: Any) -> Script:
    """A rule, and a shelf that runs empty under it (the third event)."""
    wanted = {"rule_id": "r", "by": "ann", "kind": "out_of_stock", "name": "Empty", **rule}
    script = Script().internal("rule.defined", "09:00", **wanted)
    return script.level("09:30", 5).level("10:00", 0)


STATES = {
    "pending": begun(for_seconds=3_600),
    "firing": begun(),
    "acknowledged": begun().act("acknowledged", "10:05"),
    "snoozed": begun().act("snoozed", "10:05", until="2026-03-02T12:00:00Z"),
    "kept on": begun(keep_seconds=7_200).level("10:05", 3),
    "fired again within the quiet": begun(cooldown_seconds=7_200).level("10:05", 3).level("10:10", 0),
    "resolved": begun(cooldown_seconds=7_200).level("10:05", 3),
    "resolved by hand": begun().act("resolved", "10:05"),
}
AFTERWARDS = Script().internal("clock.ticked", "13:00").level("13:10", 0).level("14:00", 2)
AFTERWARDS.internal("clock.ticked", "20:00").level("21:00", 0)


def played(log: Writer, events: Sequence[Event]) -> dict[str, Any]:
    """What comes of the events and of what follows them."""
    shop = Shop(log)
    shop.write(*events)
    for number, each in enumerate(AFTERWARDS.events):
        shop.write(_renamed(each, number))
    return kept(log)


def kept(log: Writer) -> dict[str, Any]:
    """All that the log has of notices."""
    return {table: list(log.rows(table)) for table in TABLES}


def _renamed(each: Event, number: int) -> Event:
    return Event(each.source, f"after{number}", each.type, each.time, each.data, each.body)


@pytest.mark.parametrize("state", STATES)
def test_a_restart_in_any_state_changes_nothing(state: str, tmp_path: Path) -> None:
    events = STATES[state].events
    first = SqliteLog(tmp_path)
    Shop(first).write(*events)
    row = first.load().notifications[("r/stock/MUG/main@3",)]
    assert row.state == {"kept on": "firing", "fired again within the quiet": "firing"}.get(state, state.split()[0])
    first.close()
    again = SqliteLog(tmp_path)
    shop = Shop(again)
    for number, each in enumerate(AFTERWARDS.events):
        shop.write(_renamed(each, number))
    assert kept(again) == played(MemoryLog(), events)
    assert again.occasions(0, 1)
    fresh = SqliteLog(tmp_path / "fresh", durable=False)
    assert verify(again, fresh).differences == []
    fresh.close()
    again.close()


@pytest.mark.parametrize("make", [lambda path: MemoryLog(), SqliteLog], ids=["memory", "sqlite"])
def test_occasions_are_read_on_by_whole_versions(make: Any, tmp_path: Path) -> None:
    log = make(tmp_path)
    shop = Shop(log)
    shop.write(*begun().events)
    shop.write(*[_renamed(each, number) for number, each in enumerate(AFTERWARDS.events)])
    everything = log.occasions(0, 1_000)
    assert [told[0].order for told in everything] == sorted(told[0].order for told in everything)
    read: list[Any] = []
    while found := log.occasions(read[-1][0].version if read else 0, 1):
        assert len({told[0].version for told in found}) == 1
        read += found
    assert read == everything
    log.close()
