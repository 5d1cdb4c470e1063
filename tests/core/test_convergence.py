"""Any pattern of writes, skipped turns, lost links, duplicates and resumes ends at the same table (P3.5, P5.3 to P5.8).

The model is a dictionary of rows with the filter, order and limit written out naively; the receiver checks the
protocol's invariants on
every frame on the way.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stockwire.core.session import Session
from stockwire.testing import Receiver
from tests.core.shop import Shop

SKUS = st.sampled_from([f"SKU{number}" for number in range(8)])
LEVELS = st.one_of(st.none(), st.integers(-3, 12))
ASKED: list[dict[str, Any]] = [
    {"id": "all", "feed": "inventory"},
    {"id": "few", "feed": "inventory", "filter": {"available": {"lt": 4}}},
    {"id": "top", "feed": "inventory", "order": ["-on_hand"], "limit": 3},
    {"id": "low", "feed": "inventory", "filter": {"on_hand": {"gte": 0}}, "order": ["available", "sku"], "limit": 2},
]


def expected(id_: str, shop: Shop) -> dict[tuple[str, ...], int]:
    """What the view holds by the naive model: key to whole units on hand."""
    rows = {key: row.on_hand // 1000 for key, row in shop.rows.items()}
    if id_ == "few":
        return {key: level for key, level in rows.items() if level < 4}
    if id_ == "top":
        return dict(sorted(rows.items(), key=lambda item: (-item[1], item[0]))[:3])
    if id_ == "low":
        fit = [(key, level) for key, level in rows.items() if level >= 0]
        return dict(sorted(fit, key=lambda item: (item[1], item[0]))[:2])
    return rows


class Convergence(RuleBasedStateMachine):
    """One shop, one reader that comes and goes."""

    @initialize(asked=st.lists(st.sampled_from(ASKED), min_size=1, max_size=4, unique_by=lambda each: each["id"]))
    def begin(self, asked: list[dict[str, Any]]) -> None:
        self.shop = Shop()
        self.receiver = Receiver()
        self.asked = asked
        self.session: Session | None = None
        self.restarted = False

    @rule(levels=st.dictionaries(SKUS, LEVELS, min_size=1, max_size=4))
    def write(self, levels: dict[str, int | None]) -> None:
        self.shop.write(
            **{sku: level for sku, level in levels.items() if level is not None or (sku, "main") in self.shop.rows}
        )

    @precondition(lambda self: self.session is None)
    @rule()
    def connect(self) -> None:
        self.session = Session("s", self.shop.hub, heartbeat=20.0, now=self.shop.seconds)
        self.receiver.take(self.session.open().body)
        for asked in self.asked:
            self.receiver.take(self.session.subscribe(asked | self._cursor(asked["id"]), self.shop.seconds).body)

    def _cursor(self, id_: str) -> dict[str, Any]:
        cursor = self.receiver.cursor(id_)
        return {} if cursor is None else {"cursor": cursor}

    @precondition(lambda self: self.session is not None)
    @rule(taken=st.integers(0, 6))
    def turn(self, taken: int) -> None:
        """The reader takes a turn; the link may be cut after some frames."""
        frames = self.session.pull(self.shop.seconds)
        for number, frame in enumerate(frames):
            if number == taken and taken < 6:
                self.cut()
                return
            self.receiver.take(frame.body)

    @precondition(lambda self: self.session is not None)
    @rule()
    def cut(self) -> None:
        self.session.close()
        self.session = None

    @rule(seconds=st.sampled_from([0.1, 1.0, 6.0, 25.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.shop.seconds += seconds

    @precondition(lambda self: self.session is None)
    @rule()
    def restart_server(self) -> None:
        """Without deletions before it: what was deleted is the log's to remember, and this shop has no log."""
        if set(self.shop.hub.feeds["inventory"].tombstones):
            return
        self.shop.restart()

    @invariant()
    def resets_are_only_windows(self) -> None:
        if hasattr(self, "receiver"):
            for held in self.receiver.views.values():
                assert set(held.resets) <= {"window"}

    def teardown(self) -> None:
        if not hasattr(self, "shop"):
            return
        if self.session is None:
            self.connect()
        for frame in self.session.pull(self.shop.seconds):
            self.receiver.take(frame.body)
        for asked in self.asked:
            have = {key: row["on_hand"] for key, row in self.receiver.rows(asked["id"]).items()}
            assert have == expected(asked["id"], self.shop)
            held = self.receiver.views[self.receiver.ids[asked["id"]]]
            live = self.session.reading.held[held.view].live
            assert (len(live.entries), live.checksum()) == (len(held.rows), held.checksum())


TestConvergence = Convergence.TestCase
TestConvergence.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
