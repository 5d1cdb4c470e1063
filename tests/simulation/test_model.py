"""Any order of writing, repeating, reading, losing, forgetting, compacting and restarting ends at what a dictionary says.

The same parts as in the simulator without its clock and network, so that a failure shrinks to the few steps that matter.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from stockwire.core.events import Event, parse_event
from stockwire.core.rights import EVERYTHING, Rights
from stockwire.core.rows import Key
from stockwire.core.session import Session
from stockwire.core.values import DAY, QUANTITY_SCALE, SECOND
from stockwire.core.wire import Frame
from stockwire.engine.freshness import Freshness
from stockwire.engine.hub import Hub
from stockwire.engine.recorder import Receipt, Recorder
from stockwire.engine.state import feeds
from stockwire.log.memory import MemoryLog
from stockwire.testing import Receiver
from tests.simulation.truth import ASKED, MAIN_ONLY, Asked, Truth
from tests.simulation.world import BEGIN, SETTINGS, copied

VIEWS = [each for each in ASKED if each.feed in ("inventory", "orders")]
MOVES = st.tuples(
    st.sampled_from(["A", "B", "C"]), st.sampled_from(["main", "north"]), st.integers(-5, 30).filter(bool)
)


class Shop(RuleBasedStateMachine):
    """A log, what is served from it, and one reader of two views."""

    @initialize()
    def begin(self) -> None:
        self.seconds = 0.0
        self.log = MemoryLog()
        self.model: dict[Key, int] = {}
        self.sent: list[tuple[list[Event], tuple[int, ...]]] = []
        self.numbers = count(1)
        self.orders: list[str] = []
        self.receiver = Receiver()
        self.asked: dict[str, Asked] = {"one": VIEWS[0], "other": VIEWS[3]}
        self.session: Session | None = None
        self.rights: Rights = EVERYTHING
        self.allowed = {"window"}
        self.backup: tuple[MemoryLog, dict[Key, int], int] | None = None
        self.restart()

    def now(self) -> int:
        return BEGIN + int(self.seconds * SECOND)

    def _event(self, type_: str, **data: Any) -> Event:
        number = next(self.numbers)
        time = "2026-03-02T09:00:00Z"
        return parse_event({"id": str(number), "source": "till", "type": type_, "time": time, "data": data})

    def _record(self, events: list[Event]) -> Receipt:
        recorded = self.recorder.record([events])
        for changes in recorded.changes:
            self.hub.publish(changes)
        (told,) = recorded.outcomes
        assert isinstance(told, Receipt)
        return told

    # What the shop does

    @rule(moves=st.lists(MOVES, min_size=1, max_size=5))
    def receive_stock(self, moves: list[tuple[str, str, int]]) -> None:
        events = [
            self._event("stock.adjusted", sku=sku, location=place, quantity=quantity) for sku, place, quantity in moves
        ]
        told = self._record(events)
        assert (told.accepted, told.duplicates) == (len(events), 0)
        self.sent.append((events, told.versions))
        for sku, place, quantity in moves:
            self.model[sku, place] = self.model.get((sku, place), 0) + quantity * QUANTITY_SCALE

    @rule()
    def place_an_order(self) -> None:
        order_id = f"{next(self.numbers):04}"
        self.orders.append(order_id)
        lines = [{"sku": "A", "location": "main", "quantity": 1, "unit_price": 3}]
        self._record([self._event("order.placed", order_id=order_id, currency="GBP", lines=lines)])
        self.model.setdefault(("A", "main"), 0)

    @precondition(lambda self: self.orders)
    @rule(at=st.integers(0, 10))
    def call_an_order_off(self, at: int) -> None:
        order_id = self.orders.pop(at % len(self.orders))
        self._record([self._event("order.status_changed", order_id=order_id, status="cancelled")])

    @precondition(lambda self: self.sent)
    @rule(at=st.integers(0, 50))
    def send_again(self, at: int) -> None:
        events, versions = self.sent[at % len(self.sent)]
        told = self._record(events)
        assert (told.accepted, told.versions) == (0, versions)

    # What befalls the server

    @rule()
    def restart(self) -> None:
        self.session = None
        loaded = self.log.load()
        self.recorder = Recorder(self.log, loaded, self.now)
        self.hub = Hub(
            feeds(loaded), epoch=self.log.epoch, version=loaded.version, horizon=loaded.horizon, now=self.now,
            monotonic=lambda: self.seconds, freshness=Freshness(), describe=dict,
        )  # fmt: skip
        for changes in self.recorder.configure(SETTINGS):
            self.hub.publish(changes)

    @rule()
    def compact(self) -> None:
        self.hub.forget(self.log.compact(self.now() + DAY, 0))
        self.allowed.add("horizon")

    @rule()
    def restore_a_copy(self) -> None:
        """Take a copy; the next time, go back to it."""
        if self.backup is None:
            self.backup = (copied(self.log, f"{next(self.numbers):016x}"), dict(self.model), len(self.sent))
            return
        self.log, self.model, kept = self.backup
        self.sent = self.sent[:kept]
        self.orders.clear()
        self.backup = None
        self.allowed |= {"epoch", "expected"}
        self.restart()

    # What befalls the reader

    @precondition(lambda self: self.session is None)
    @rule()
    def connect(self) -> None:
        self.session = Session("s", self.hub, heartbeat=20.0, now=self.seconds, rights=self.rights)
        cursors = {id_: self.receiver.cursor(id_) for id_ in self.asked}
        self._take(self.session.open())
        for id_, asked in self.asked.items():
            self._ask(id_, asked, cursors[id_])

    @precondition(lambda self: self.session is not None)
    @rule(most=st.integers(0, 5))
    def take_a_turn(self, most: int) -> None:
        """The link may be cut after some frames."""
        assert self.session is not None
        for number, frame in enumerate(self.session.pull(self.seconds)):
            if number == most and most < 5:
                self._leave()
                return
            self._take(frame)

    @precondition(lambda self: self.session is not None)
    @rule(asked=st.sampled_from(VIEWS), with_old_cursor=st.booleans())
    def ask_for_another_view(self, asked: Asked, with_old_cursor: bool) -> None:
        """Under the same id; sometimes with the cursor of the view before, which must not be resumed."""
        cursor = self.receiver.cursor("other") if with_old_cursor else None
        self.asked["other"] = asked
        if cursor is not None:
            self.allowed.add("view")
        self._ask("other", asked, cursor)

    @rule(rights=st.sampled_from([EVERYTHING, MAIN_ONLY]))
    def change_the_rights(self, rights: Rights) -> None:
        """The reader may see less, or everything again, and comes back with the cursors it has."""
        if rights != self.rights:
            self.rights = rights
            self.allowed.add("view")
            self._leave()

    @rule()
    def lose_everything(self) -> None:
        self.receiver = Receiver()
        self._leave()

    def _leave(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None

    def _ask(self, id_: str, asked: Asked, cursor: str | None) -> None:
        assert self.session is not None
        more = {} if cursor is None else {"cursor": cursor}
        self._take(self.session.subscribe({**asked.frame, "id": id_, **more}, self.seconds))

    def _take(self, frame: Frame) -> None:
        """Apply a frame, which may name nothing outside the reader's rights."""
        told = self.receiver.take(frame.body)
        if "view" not in told or told["type"] == "subscribed":
            return
        held = self.receiver.views[told["view"]]
        feed = next(self.asked[id_].feed for id_, name in self.receiver.ids.items() if name == held.view)
        keys = [held.key_of(row) for row in told.get("rows", told.get("upsert", ()))]
        for key in (*keys, *map(tuple, told.get("remove", ()))):
            assert self.rights.allow(feed, key)

    @rule(seconds=st.sampled_from([0.5, 6.0, 30.0, 90_000.0]))
    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def teardown(self) -> None:
        if not hasattr(self, "log"):
            return
        if self.session is None:
            self.connect()
        self.take_a_turn(5)
        truth = Truth(self.log.epoch, self.log.load())
        for id_, asked in self.asked.items():
            held = self.receiver.views[self.receiver.ids[id_]]
            assert held.rows == truth.holds(asked, self.rights, truth.version)
            assert set(held.resets) <= self.allowed
        rows = self.log.load().inventory
        assert {key: row.on_hand for key, row in rows.items()} == self.model


TestShop = Shop.TestCase
TestShop.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
