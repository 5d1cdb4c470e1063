"""Folding the log: the one place where the projections meet.

    state = FoldState(...)            # rows in memory, loaded by the log adapter at start
    changes = Fold(state).apply(records)   # pure: nothing in `state` moves yet
    ...store records and `changes` in one transaction...
    state.commit(changes)             # only after the transaction is durable

`Fold.apply` works on drafts over the state, so a batch that could not be stored leaves no trace. Each event folds
within a savepoint: one that a projection cannot digest is parked with its error and changes nothing else.
Projections know nothing of each other: orders give stock effects, inventory takes them; metrics and notices see only
rows before and after.

The shop's clock is the newest time of any event so far, and only rises. What depends on it (which orders are late, what
"today" is) changes with the event that moved it, so a log always folds to the same rows, in batches of any size. Only
the `version` of metrics rows depends on the batches, for they are worked out once in each.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import msgspec

from stockwire.core import lifecycle
from stockwire.core.changes import Changes, Parked
from stockwire.core.cover import day_of
from stockwire.core.deadlines import Deadlines
from stockwire.core.events import INTERNAL_SOURCE, LogVerified, OrderCredited, Record, ShopConfigured
from stockwire.core.fold_state import FoldState, journeys_of
from stockwire.core.noticeboard import Notices
from stockwire.core.projections import metrics
from stockwire.core.projections.inventory import STOCK_TYPES, Inventory
from stockwire.core.projections.journeys import heard_of
from stockwire.core.projections.metrics import (
    Gauges,
    Moment,
    PeriodJourneys,
    PeriodSales,
    PeriodStock,
    StockHeard,
    Verification,
)
from stockwire.core.projections.orders import ORDER_TYPES, credit_effects, fold_order, lateness_at, next_deadline
from stockwire.core.projections.periods import Period, Span, periods
from stockwire.core.projections.sales import NONE, Sums, credit_sales, minute_row, order_sales, plus
from stockwire.core.rows import (
    HourRow,
    InventoryRow,
    Key,
    MetricRow,
    MinuteSales,
    OrderRow,
    ProductRow,
    SourceRow,
    TimelineEntry,
)
from stockwire.core.subjects import Shop
from stockwire.core.tables import Draft, rows_of
from stockwire.core.values import HOUR, MINUTE

replace = msgspec.structs.replace

RECENT_CLOSED: Final = 1_000
"""How many closed orders the orders feed shows beside the open ones."""


class Fold:
    """Folds batches of records over a state, and changes nothing in it."""

    def __init__(self, state: FoldState) -> None:
        self._state = state

    def apply(self, records: Sequence[Record]) -> Changes:
        """All that the records, in order of version and newer than the state, change."""
        batch = _Batch(self._state)
        for record in records:
            batch.take(record)
        return batch.changes()


class _Batch:
    """One batch being folded: drafts over the state's tables, and what is kept beside them while it lasts."""

    def __init__(self, state: FoldState) -> None:
        self._state = state
        self._version = state.version
        self._clock = state.clock
        self._config = state.config
        self._config_body: bytes | None = None
        self._stock = state.stock_tally.copy()
        self._open = state.order_tally.copy()
        self._orders: Draft[Key, OrderRow] = Draft(state.orders, self._open.change)
        self._inventory = Inventory(
            Draft(state.inventory, self._stock.change),
            Draft(state.products),
            Draft(state.locations),
            state.places,
            state.history,
        )
        self._inventory.today = day_of(state.clock)
        self._has_orders = state.has_orders
        self._heard = state.heard
        self._stock_heard = state.stock_heard
        self._verified = state.verified
        self._timeline: list[TimelineEntry] = []
        self._parked: list[Parked] = []
        self._deadlines = Deadlines(state.deadlines)
        self._notices = Notices(state.board)
        self._step: tuple[OrderRow | None, OrderRow] | None = None
        self._minutes: dict[int, Sums] = {}
        self._hour_sums: dict[int, tuple[int, Sums]] = {}
        self._hours: Draft[int, HourRow] = Draft(state.hours)
        self._gauges = self._read_gauges()
        self._gauges_version: int | None = None
        self._sources: dict[Key, SourceRow] = {}

    def take(self, record: Record) -> None:
        """Fold one record in; park it when that fails."""
        event = record.event
        self._version = record.version
        self._notices.begin(record, self._clock)
        if event.time > self._clock:
            self._move_clock(record)
        self._hear(record)
        movements, parked = len(self._inventory.movements), len(self._parked)
        sums, moved = self._fold_or_park(record)
        if len(self._parked) == parked:
            self._notice(record, self._show, movements)
        if sums != NONE:
            self._sell(event.time, sums)
        if moved != NONE:
            self._move_stock(event.time, moved)
        self._note_gauges()

    def _fold_or_park(self, record: Record) -> tuple[Sums, Sums]:
        """What the event adds to the sums of its minute: sales, and how the stock moved."""
        movements, timeline = len(self._inventory.movements), len(self._timeline)
        self._savepoint()
        try:
            sums = self._fold(record)
            return sums, self._inventory.moved_by(record)
        except Exception as error:
            self._rollback(movements, timeline)
            self._parked.append(Parked(record.version, f"{type(error).__name__}: {error}"))
            return NONE, NONE

    def _drafts(self) -> tuple[Draft[Key, OrderRow], Draft[Key, InventoryRow], Draft[str, ProductRow], Draft[str, str]]:
        stock = self._inventory
        return self._orders, stock.rows, stock.products, stock.locations

    def _savepoint(self) -> None:
        for draft in self._drafts():
            draft.savepoint()

    def _rollback(self, movements: int, timeline: int) -> None:
        for draft in self._drafts():
            draft.rollback()
        del self._inventory.movements[movements:]
        del self._timeline[timeline:]

    def _fold(self, record: Record) -> Sums:
        """Let the projections take the event; what it adds to the sales of its minute."""
        event = record.event
        self._step = None
        if event.type in STOCK_TYPES:
            self._inventory.apply(record)
        elif event.type in ORDER_TYPES:
            return self._fold_order(record)
        elif isinstance(event.data, LogVerified):
            self._verified = Verification(record.recorded_at, event.data.differences)
        elif isinstance(event.data, ShopConfigured):
            ZoneInfo(event.data.timezone)  # an unknown time zone parks the event
            self._config, self._config_body = event.data, event.body
        return NONE

    def _fold_order(self, record: Record) -> Sums:
        data = record.event.data
        currency = self._config.currency
        sums = NONE
        if isinstance(data, OrderCredited):
            self._inventory.take(record, credit_effects(data))
            sums = credit_sales(data, currency)
            if data.order_id is None:
                return sums
        key = (cast(str, data.order_id),)  # type: ignore[attr-defined]
        before = self._orders.get(key)
        step = fold_order(before, record, self._clock, self._config.allowed_minutes)
        self._inventory.take(record, step.effects)
        self._orders.put(key, step.row)
        self._step = (before, step.row)
        self._timeline.append(step.entry)
        self._expect(step.row)
        sums = plus(sums, order_sales(before, step.row, currency))
        self._has_orders = True
        self._heard = heard_of(step.row, self._heard)
        return sums

    # Notices

    def _notice(self, record: Record, call: Callable[..., None], *more: Any) -> None:
        """Let the notices follow; where they cannot digest something, it is noted, and changes nothing else."""
        self._notices.savepoint()
        try:
            call(record, *more)
        except Exception as error:
            self._notices.rollback()
            if not self._parked or self._parked[-1].version != record.version:
                self._parked.append(Parked(record.version, f"notices: {type(error).__name__}: {error}"))

    def _show(self, record: Record, movements: int) -> None:
        """Show the notices what an event changed, and the event itself when it is about them."""
        notices, stock = self._notices, self._inventory
        notices.begin(record, self._clock)
        notices.stock(stock.rows.touched())
        if self._step is not None:
            notices.order(*self._step, self._config.currency)
        if len(stock.movements) > movements and notices.book.looks_at_movements:
            for movement in stock.movements[movements:]:
                notices.moved(movement, stock.rows.get)
        if record.event.source == INTERNAL_SOURCE:
            notices.take(record, self._shop())

    def _shop(self) -> Shop:
        differences = 0 if self._verified is None else self._verified.differences
        stock = rows_of(self._inventory.rows, self._state.inventory)
        return Shop(stock, rows_of(self._orders, self._state.orders), self._config.currency, differences)

    def _hear(self, record: Record) -> None:
        """Note that a source was heard of; Stockwire itself is none."""
        event = record.event
        if event.source == INTERNAL_SOURCE:
            return
        key = (event.source,)
        old = self._sources.get(key) or self._state.sources.get(key)
        self._sources[key] = SourceRow(
            version=record.version,
            source=event.source,
            newest_at=event.time if old is None else max(old.newest_at, event.time),
            recorded_at=record.recorded_at if old is None else max(old.recorded_at, record.recorded_at),
            events=1 if old is None else old.events + 1,
        )

    # The clock

    def _move_clock(self, record: Record) -> None:
        to = record.event.time
        hour = self._clock - self._clock % HOUR
        if to >= hour + HOUR and self._clock:
            self._pass_deadlines(record, hour + HOUR - 1)
            self._note_gauges()
            self._write_hours(hour)
        first = not self._clock
        if day_of(to) != self._inventory.today:
            self._inventory.pass_midnight(self._version, day_of(to), self._state.selling)
        since, self._clock = self._clock, to
        self._pass_deadlines(record, to)
        if self._notices.due(to):
            self._notice(record, self._notices.pass_time, since, to)
        if first or to >= hour + HOUR:
            self._gauges_version = self._version
            self._forget_hours(to - to % HOUR - metrics.HOURS_KEPT)

    def _pass_deadlines(self, record: Record, to: int) -> None:
        """Let the lateness of every order follow whose moment has come by `to`."""
        while (due := self._deadlines.take(to)) is not None:
            at, key = due
            row = self._orders.get(key)
            if row is not None and next_deadline(row) == at:
                lateness = lateness_at(at, row.at_risk_at, row.due_at)
                later = replace(row, lateness=lateness, version=self._version)
                self._orders.put(key, later)
                self._expect(later)
                self._notice(record, self._pass_order, at, row, later)

    def _pass_order(self, record: Record, at: int, row: OrderRow, later: OrderRow) -> None:
        """Show the notices that an order has come to be late, at that moment."""
        self._notices.pass_time(record, at, at)
        self._notices.begin(record, at)
        self._notices.lateness(row, later, self._config.currency)

    def _expect(self, row: OrderRow) -> None:
        at = next_deadline(row)
        if at is not None:
            self._deadlines.add(at, row.key)

    # Sums and hours

    def _sell(self, at: int, sums: Sums) -> None:
        minute, hour = at - at % MINUTE, at - at % HOUR
        self._minutes[minute] = plus(self._minutes.get(minute, NONE), sums)
        if hour >= self._clock - self._clock % HOUR - metrics.HOURS_KEPT:
            _, so_far = self._hour_sums.get(hour, (0, NONE))
            self._hour_sums[hour] = (self._version, plus(so_far, sums))

    def _move_stock(self, at: int, moved: Sums) -> None:
        minute = at - at % MINUTE
        self._minutes[minute] = plus(self._minutes.get(minute, NONE), moved)
        told = self._stock_heard
        self._stock_heard = StockHeard(told.leaving or moved.units_fulfilled > 0, told.counts or moved.counts > 0)

    def _read_gauges(self) -> Gauges:
        return metrics.gauges(self._open, self._stock, self._has_orders, self._config.currency)

    def _note_gauges(self) -> None:
        now = self._read_gauges()
        if now != self._gauges:
            self._gauges, self._gauges_version = now, self._version

    def _write_hours(self, now: int) -> None:
        """Write what happened into the hours it happened in, and into `now` how things stand."""
        for start, (version, sums) in self._hour_sums.items():
            if start != now:
                self._hours.put(start, metrics.hour_row(version, start, sums, None, self._hours.get(start)))
        version, sums = self._hour_sums.get(now, (0, NONE))
        version = max(version, self._gauges_version or 0)
        if version:
            self._hours.put(now, metrics.hour_row(version, now, sums, self._gauges, self._hours.get(now)))
        self._hour_sums.clear()
        self._gauges_version = None

    def _forget_hours(self, before: int) -> None:
        known = {**self._state.hours.rows, **self._hours.changed}
        for start, row in known.items():
            if start < before and row is not None:
                self._hours.delete(start)

    # The result

    def changes(self) -> Changes:
        """All that the batch changed."""
        if self._clock:
            self._write_hours(self._clock - self._clock % HOUR)
        stock = self._inventory
        return Changes(
            version=self._version,
            clock=self._clock,
            inventory=stock.rows.changed,
            products=stock.products.changed,
            locations=stock.locations.changed,
            orders=self._orders.changed,
            metrics=self._metric_changes(),
            minutes=self._minute_rows(),
            hours=self._hours.changed,
            sources=self._sources,
            movements=stock.movements,
            timeline=self._timeline,
            parked=self._parked,
            config=self._config_body,
            evicted=self._evicted(),
            rules=self._notices.rules.changed,
            notifications=self._notices.notifications.changed,
            people=self._notices.people.changed,
            conditions=self._notices.conditions.changed,
            occasions=self._notices.occasions,
        )

    def _minute_rows(self) -> dict[int, MinuteSales | None]:
        book = self._state.sales
        return {minute: minute_row(minute, plus(book.at(minute), by)) for minute, by in self._minutes.items()}

    def _metric_changes(self) -> dict[Key, MetricRow | None]:
        changed: dict[Key, MetricRow | None] = {}
        for row in self._metric_rows() if self._clock else ():
            old = self._state.metrics.get(row.key)
            if old is None or replace(row, version=old.version) != old:
                changed[row.key] = row
        return changed

    def _metric_rows(self) -> Iterator[MetricRow]:
        now = self._moment()
        if self._sales_moved():
            spans = periods(self._clock, self._config.timezone)
            for period in spans:
                yield from metrics.sales_rows(now, self._period_sales(period.name, period))
            yield metrics.pace_row(now, self._period_sales("pace", metrics.pace_period(spans[0])))
            yield from self._journey_rows(now, spans)
            for period in spans:
                yield from metrics.stock_rows(now, self._stock_heard, self._period_stock(period))
        yield from metrics.standing_rows(now, self._stock_heard, self._verified)

    def _journey_rows(self, now: Moment, spans: Sequence[Period]) -> list[MetricRow]:
        book = self._state.journeys
        end = spans[0].span.end
        with book.supposing(journeys_of(self._orders.changed)):
            rows: list[MetricRow] = []
            for period in spans:
                name, twin = period.name, period.name + " before"
                shipping = book.shipping(name, period.span), book.shipping(twin, period.twin)
                fates = book.fates(name, period.span), book.fates(twin, period.twin)
                rows += metrics.journey_rows(now, self._heard, PeriodJourneys(period, *shipping, *fates))
            lately = book.shipping("lately", Span(end - metrics.PACE_OF_SHIPPING, end))
            rows.append(metrics.backlog_row(now, self._heard, lately))
            return rows

    def _sales_moved(self) -> bool:
        """True when a metric of a period can be another than it was: a sale, an order's step, another minute, another
        shop."""
        before = self._state.clock // MINUTE
        return bool(
            self._minutes
            or self._orders.changed
            or self._clock // MINUTE != before
            or self._config_body is not None
            or self._has_orders != self._state.has_orders
        )

    def _period_sales(self, question: str, period: Period) -> PeriodSales:
        return PeriodSales(period, self._sums(question, period.span), self._sums(question + " before", period.twin))

    def _period_stock(self, period: Period) -> PeriodStock:
        _, sums, twin = self._period_sales(period.name, period)
        end = self._clock - self._clock % MINUTE + MINUTE
        since = self._sums(period.name + " since", Span(period.span.end, end))
        since_twin = self._sums(period.name + " since before", Span(period.twin.end, end))
        now = self._stock.on_hand
        return PeriodStock(period, sums, twin, now - since.on_hand_change, now - since_twin.on_hand_change)

    def _sums(self, question: str, span: Span) -> Sums:
        """The sums of a span, with what this batch adds to it."""
        sums = self._state.sales.between(question, *span)
        for minute, by in self._minutes.items():
            if span.start <= minute < span.end:
                sums = plus(sums, by)
        return sums

    def _moment(self) -> Moment:
        sources = {**self._state.sources.rows, **self._sources}
        return Moment(
            version=self._version,
            clock=self._clock,
            currency=self._config.currency,
            has_orders=self._has_orders,
            orders=self._open,
            stock=self._stock,
            oldest_awaited=self._oldest_awaited(),
            newest_heard=max((row.newest_at for row in sources.values()), default=None),
        )

    def _oldest_awaited(self) -> int | None:
        changed = self._orders.changed
        stored = next((at for at, key in self._state.awaited if key not in changed), None)
        times = [
            row.placed_at
            for row in changed.values()
            if row is not None and row.closed_at is None and row.status in lifecycle.AWAITED
        ]
        if stored is not None:
            times.append(stored)
        return min(times, default=None)

    def _evicted(self) -> dict[Key, int]:
        """The closed orders that the feed has no room for any more."""
        state, changed = self._state, self._orders.changed
        added = sorted(
            (row.closed_at, key) for key, row in changed.items() if row is not None and row.closed_at is not None
        )
        kept = len(state.closed) - sum(1 for key in changed if key in state.closed)
        excess = kept + len(added) - RECENT_CLOSED
        if excess <= 0:
            return {}
        stored = ((at, key) for at, key in state.closed_order if key not in changed)
        oldest = heapq.merge(stored, added)
        return {key: self._version for _, (_, key) in zip(range(excess), oldest, strict=False)}
