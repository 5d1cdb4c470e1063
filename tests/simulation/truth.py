"""What every row was at every version, noted as the log was written: the measure of whatever a reader is shown.

A view's content is worked out here from wire rows by plain loops over everything, without the product's views.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from stockwire.core.changes import Changes
from stockwire.core.rights import Rights
from stockwire.core.rows import FEEDS, FeedName, Key, Occasion
from stockwire.core.rules import BUILT_IN
from stockwire.core.values import SECOND, moment_text
from stockwire.core.wire import encode_row
from stockwire.log.base import Loaded

_QUIET = {rule.rule_id: rule.cooldown_seconds for rule in BUILT_IN}

Rows = dict[Key, dict[str, Any]]


class Place(Rights, frozen=True):
    """Rights to one location's stock, and to orders whose number ends evenly."""

    location: str = ""

    def allow(self, feed: FeedName, key: Key) -> bool:
        if feed == "people":
            return super().allow(feed, key)
        if feed == "inventory":
            return key[1] == self.location
        return feed != "orders" or key[0][-1] in "02468"


MAIN_ONLY = Place(name="main only", location="main")
PEOPLE = ("ann", "ben")
OWN_AND_ALL = tuple(Rights("everything", person) for person in PEOPLE)
"""What people see who see everything: all but each other's own."""


class Asked(NamedTuple):
    """A view that readers ask for: the subscribe frame's members, and plainly what it holds."""

    id: str
    feed: FeedName
    members: Mapping[str, Any]
    fits: Callable[[dict[str, Any]], bool] = lambda row: True
    order: Callable[[dict[str, Any]], Any] | None = None

    @property
    def frame(self) -> dict[str, Any]:
        return {"id": self.id, "feed": self.feed, **self.members}


ASKED = (
    Asked("stock", "inventory", {}),
    Asked("north", "inventory", {"filter": {"location": "north"}}, lambda row: row["location"] == "north"),
    Asked("short", "inventory", {"filter": {"available": {"lt": 20}}}, lambda row: row["available"] < 20),
    Asked("most", "inventory", {"order": ["-available"], "limit": 6}, order=lambda row: -row["available"]),
    Asked("least", "inventory", {"order": ["available", "sku"], "limit": 4, "filter": {"location": "main"}},
          lambda row: row["location"] == "main", lambda row: (row["available"], row["sku"])),
    Asked("orders", "orders", {}),
    Asked("waiting", "orders", {"filter": {"status": {"in": ["placed", "confirmed"]}}},
          lambda row: row["status"] in ("placed", "confirmed")),
    Asked("first", "orders", {"order": ["order_id"], "limit": 5}, order=lambda row: row["order_id"]),
    Asked("numbers", "metrics", {}),
    Asked("hours", "hours", {}),
    Asked("sources", "sources", {}),
    Asked("rules", "rules", {}),
    Asked("notices", "notifications", {}),
    Asked("mine", "people", {}),
)  # fmt: skip


class _Step(NamedTuple):
    """From the commit at `at` on, the key's row is this (None: gone)."""

    at: int
    row: Any


class Truth:
    """The history of one epoch's rows."""

    def __init__(self, epoch: str, loaded: Loaded) -> None:
        self.epoch = epoch
        self.version = loaded.version
        self._steps: dict[FeedName, dict[Key, list[_Step]]] = {feed: {} for feed in FEEDS}
        self._wire: dict[tuple[str, Key, int], dict[str, Any]] = {}
        self.told: dict[tuple[int, str, str], Occasion] = {}
        self.told_wrongly: list[str] = []
        self._lives: dict[str, Occasion] = {}
        self._whole = loaded.version == 0
        self._held: dict[tuple[str, str, int], Rows] = {}
        for feed, key, row in _everything(loaded):
            self._note(feed, key, loaded.version, row)

    def commit(self, changes: Changes) -> None:
        """Note what a commit changed."""
        at = self.version = changes.version
        self._tell(changes)
        hours = {(moment_text(start),): row for start, row in changes.hours.items()}
        tables: tuple[tuple[FeedName, Mapping[Key, Any]], ...] = (
            ("inventory", changes.inventory), ("metrics", changes.metrics), ("hours", hours), ("sources", changes.sources),
            ("rules", changes.rules), ("notifications", changes.notifications), ("people", changes.people),
            ("orders", {**changes.orders, **dict.fromkeys(changes.evicted)}),
        )  # fmt: skip
        for feed, changed in tables:
            for key, row in changed.items():
                self._note(feed, key, at, row)

    def _tell(self, changes: Changes) -> None:
        """Note what is to be told (I11): each once, that it is over only after that it fires, and that it fires not again before
        the rule's cool-down has passed."""
        for occasion, row in changes.occasions:
            if occasion.order in self.told:
                self.told_wrongly.append(f"{occasion.order} is to be told twice")
            self.told[occasion.order] = occasion
            before = self._lives.get(row.notification_id)
            if occasion.happened == "resolved" and before is None and self._whole:
                self.told_wrongly.append(f"{row.notification_id} is over before it fires")
            if occasion.happened == "fired":
                quiet = _QUIET[row.rule_id] * SECOND
                if before is not None and occasion.at < before.at + quiet:
                    self.told_wrongly.append(f"{row.notification_id} fires again within its quiet")
                self._lives[row.notification_id] = occasion

    def catch_up(self, loaded: Loaded) -> None:
        """Note what the log has beyond what was noted: a commit that nobody was told of."""
        if loaded.version == self.version:
            return
        self._whole = False
        found: dict[FeedName, set[Key]] = {feed: set() for feed in FEEDS}
        for feed, key, row in _everything(loaded):
            found[feed].add(key)
            steps = self._steps[feed].get(key)
            if steps is None or steps[-1].row is None or steps[-1].row.version != row.version:
                self._note(feed, key, loaded.version, row)
        for feed, keys in found.items():
            for key in self._steps[feed].keys() - keys:
                self._note(feed, key, loaded.version, None)
        self.version = loaded.version

    def _note(self, feed: FeedName, key: Key, at: int, row: Any) -> None:
        self._steps[feed].setdefault(key, []).append(_Step(at, row))
        if row is not None:
            self._wire.pop((feed, key, row.version), None)

    def row(self, feed: FeedName, key: Key, version: int) -> dict[str, Any] | None:
        """The row of that key with that version, as the wire has it; None when there never was one."""
        name = (feed, key, version)
        if name not in self._wire:
            for step in reversed(self._steps[feed].get(key, ())):
                if step.row is not None and step.row.version == version:
                    self._wire[name] = json.loads(encode_row(feed, step.row))
                    break
            else:
                return None
        return self._wire[name]

    def holds(self, asked: Asked, rights: Rights, at: int) -> Rows:
        """What the view holds at a version, for a reader with those rights."""
        name = (asked.id, rights.over(asked.feed).name, at)
        if name not in self._held:
            self._held[name] = self._work_out(asked, rights, at)
        return self._held[name]

    def _work_out(self, asked: Asked, rights: Rights, at: int) -> Rows:
        found: Rows = {}
        for key, steps in self._steps[asked.feed].items():
            place = bisect_right(steps, at, key=lambda step: step.at) - 1
            if place < 0 or steps[place].row is None or not rights.allow(asked.feed, key):
                continue
            row = self.row(asked.feed, key, steps[place].row.version)
            assert row is not None
            if asked.fits(row):
                found[key] = row
        if asked.order is not None:
            order = asked.order
            first = sorted(found.items(), key=lambda item: (order(item[1]), item[0]))[: asked.members["limit"]]
            return dict(first)
        return found


def _everything(loaded: Loaded) -> Iterable[tuple[FeedName, Key, Any]]:
    yield from (("inventory", key, row) for key, row in loaded.inventory.items())
    yield from (("orders", key, row) for key, row in loaded.orders.items())
    yield from (("metrics", key, row) for key, row in loaded.metrics.items())
    yield from (("hours", row.key, row) for row in loaded.hours.values())
    yield from (("sources", key, row) for key, row in loaded.sources.items())
    yield from (("rules", key, row) for key, row in loaded.rules.items())
    yield from (("notifications", key, row) for key, row in loaded.notifications.items())
    yield from (("people", key, row) for key, row in loaded.people.items())
