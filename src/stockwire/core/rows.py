"""Rows: what projections keep and feeds show. Frozen values; a change is a new row with a newer `version`.

Numbers are scaled integers (core/values.py); times are moments. `core/wire.py` alone turns them into JSON. A row's
`key` is a tuple of texts, in the order `KEYS` names the fields on the wire.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from stockwire.core.cover import Sold, days_of_cover
from stockwire.core.values import amount_of_money, moment_text

Key = tuple[str, ...]

FeedName = Literal["inventory", "orders", "metrics", "hours", "sources", "rules", "notifications", "people"]
FEEDS: Final[tuple[FeedName, ...]] = (
    "inventory", "orders", "metrics", "hours", "sources", "rules", "notifications", "people",
)  # fmt: skip
KEYS: Final[dict[FeedName, tuple[str, ...]]] = {
    "inventory": ("sku", "location"),
    "orders": ("order_id",),
    "metrics": ("metric", "period"),
    "hours": ("start",),
    "sources": ("source",),
    "rules": ("rule_id",),
    "notifications": ("notification_id",),
    "people": ("person",),
}

StockStatus = Literal["oversold", "out_of_stock", "low", "overstock", "ok", "untracked"]
Lateness = Literal["on_track", "at_risk", "late"]
RuleKind = Literal[
    "out_of_stock", "low_stock", "oversold", "back_in_stock", "large_movement", "order_stuck", "order_status",
    "large_order", "rate_spike", "metric", "source_silent", "drift",
]  # fmt: skip
Severity = Literal["info", "warning", "critical"]
Comparison = Literal["above", "below", "changed"]
Against = Literal["period_before", "week_before"]
GroupBy = Literal["none", "location", "rule"]
NotificationState = Literal["pending", "firing", "acknowledged", "snoozed", "resolved"]
Happened = Literal["fired", "resolved", "unsnoozed"]


class InventoryRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One SKU at one location. Quantities in thousandths; `available` and `stock_status` are derived here, once.

    Invariant: available = on_hand - committed - reserved - damaged - quality_control - safety_stock.
    `absolute_at`: time of the newest absolute event taken; `changed_at`: of the newest stock event of any kind.
    `since`: time of the event that the row was first heard with. `sold`, its sum `sold_units` and `sold_days` are what
    `days_of_cover` stands on (core/cover.py).
    """

    version: int
    sku: str
    location: str
    name: str = ""
    on_hand: int = 0
    committed: int = 0
    reserved: int = 0
    damaged: int = 0
    quality_control: int = 0
    safety_stock: int = 0
    incoming: int = 0
    reorder_point: int | None = None
    reorder_quantity: int | None = None
    overstock_point: int | None = None
    unit_cost: int | None = None
    currency: str | None = None
    tracked: bool = True
    source: str = ""
    source_updated_at: int = 0
    counted_at: int | None = None
    absolute_at: int | None = None
    changed_at: int = 0
    updated_at: int = 0
    since: int = 0
    sold: Sold = ()
    sold_units: int = 0
    sold_days: int = 0

    @property
    def key(self) -> Key:
        return (self.sku, self.location)

    @property
    def days_of_cover(self) -> int | None:
        """How many days (thousandths) what is available lasts, leaving as fast as lately; None when none left lately."""
        return days_of_cover(self.available, self.sold_units, self.sold_days) if self.tracked else None

    @property
    def available(self) -> int:
        """What can still be promised; below zero it is oversold by that much."""
        return self.on_hand - self.committed - self.reserved - self.damaged - self.quality_control - self.safety_stock

    @property
    def stock_status(self) -> StockStatus:
        """The first that holds: oversold, out_of_stock, low, overstock, ok; `untracked` when nobody counts it."""
        return self.status_at(self.available)

    def status_at(self, available: int) -> StockStatus:
        """The stock status, for who has worked out what is available already."""
        if not self.tracked:
            return "untracked"
        if available < 0:
            return "oversold"
        if available == 0:
            return "out_of_stock"
        if self.reorder_point is not None and available <= self.reorder_point:
            return "low"
        if self.overstock_point is not None and available > self.overstock_point:
            return "overstock"
        return "ok"


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a product everywhere; the start of each of its inventory rows. Not a feed."""

    version: int
    sku: str
    name: str = ""
    reorder_point: int | None = None
    reorder_quantity: int | None = None
    safety_stock: int | None = None
    overstock_point: int | None = None
    unit_cost: int | None = None
    currency: str | None = None
    tracked: bool = True


class Hold(msgspec.Struct, frozen=True):
    """Why an order waits, and since when."""

    reason: str
    since: int


class LineState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One order line with how far each unit of it has come (thousandths); money in ten-thousandths.

    `committed` is what this line still holds of the stock's `committed`.
    """

    line: str
    sku: str
    location: str
    name: str = ""
    unit_price: int = 0
    discount: int = 0
    tax: int = 0
    stock: bool = True
    ordered: int = 0
    allocated: int = 0
    picked: int = 0
    packed: int = 0
    shipped: int = 0
    delivered: int = 0
    cancelled: int = 0
    returned: int = 0
    refunded: int = 0
    committed: int = 0


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order with its lines. The feed shows it without them.

    `reached` holds (status, moment) of each first arrival, in order of arrival. `at_risk_at` and `due_at` are when
    the present status takes too long (80 % and all of the allowed time); `lateness` follows the shop's clock.
    `skipped` names stages a forward move jumped over; `irregular` is set by a move the lifecycle does not have.
    `discount`, `shipping` and `tax` are money; `credited`, like `gross`, is an amount. `currency` is "" while only
    later steps of the order are known and not yet the order itself.
    """

    version: int
    order_id: str
    number: str
    status: str
    source: str
    currency: str
    placed_at: int
    status_since: int
    updated_at: int
    location: str
    lines: tuple[LineState, ...] = ()
    hold: Hold | None = None
    payment_status: str = "unpaid"
    customer_id: str | None = None
    customer_name: str | None = None
    country: str | None = None
    channel: str | None = None
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    credited: int = 0
    promised_at: int | None = None
    note: str | None = None
    at_risk_at: int | None = None
    due_at: int | None = None
    lateness: Lateness = "on_track"
    skipped: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    irregular: bool = False
    closed_at: int | None = None
    reached: tuple[tuple[str, int], ...] = ()

    @property
    def key(self) -> Key:
        return (self.order_id,)

    @property
    def gross(self) -> int:
        """Amount: unit price x quantity of every line."""
        return sum(line.unit_price * line.ordered for line in self.lines)

    @property
    def total(self) -> int:
        """Amount: gross - discount + shipping + tax, those of the lines included."""
        beside = self.shipping + self.tax - self.discount
        return self.gross + amount_of_money(beside + sum(line.tax - line.discount for line in self.lines))


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """One number for one period, with its twin for the same elapsed part of the period before.

    `value` and `previous` are already what the wire shows: a text for money and moments, a number for counts, None with
    `state` "no_data" when the sources never send what it needs. `as_of` is the shop's clock, cut to the minute.
    `detail` breaks the value down (orders_open by status).
    """

    version: int
    metric: str
    period: str
    unit: Literal["money", "count", "units", "percent", "days", "hours", "minutes", "seconds", "moment"]
    value: str | int | float | None
    previous: str | int | float | None
    state: Literal["ok", "no_data"]
    as_of: int
    since: int | None = None
    currency: str | None = None
    detail: dict[str, int] | None = None

    @property
    def key(self) -> Key:
        return (self.metric, self.period)


class HourRow(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in one hour (sums; amounts and quantities) and how things stood at its end (None: not known yet).

    `start` is a moment on the hour (UTC).
    """

    version: int
    start: int
    orders_placed: int = 0
    units_sold: int = 0
    gross_sales: int = 0
    discounts: int = 0
    returns: int = 0
    shipping: int = 0
    tax: int = 0
    orders_open: int | None = None
    orders_late: int | None = None
    orders_at_risk: int | None = None
    out_of_stock_count: int | None = None
    oversold_count: int | None = None
    low_stock_count: int | None = None
    inventory_value: int | None = None

    @property
    def key(self) -> Key:
        return (moment_text(self.start),)


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source: its newest event's own time, when the newest was recorded, and how many it has sent."""

    version: int
    source: str
    newest_at: int
    recorded_at: int
    events: int

    @property
    def key(self) -> Key:
        return (self.source,)


class Reach(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What of the shop a rule looks at; None or nothing: all of it. `watched`: only orders that somebody watches."""

    location: str | None = None
    sku: str | None = None
    statuses: tuple[str, ...] = ()
    watched: bool = False
    source: str | None = None
    channel: str | None = None
    currency: str | None = None


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody is to be told of what. `threshold` and `clear` are in ten-thousandths, whatever they are of.

    `clear` is how far what was met must go back beyond the threshold to be over. `channels` None: those that each person
    gets everything by. `revision` counts the definitions, 0 being Stockwire's own. `against`: what a metric is compared with,
    in per cent; None: with the threshold itself, unless it is to be `changed`.
    """

    version: int
    rule_id: str
    kind: RuleKind
    name: str
    enabled: bool = True
    severity: Severity = "warning"
    scope: Reach = Reach()
    threshold: int | None = None
    clear: int | None = None
    metric: str | None = None
    period: str | None = None
    comparison: Comparison | None = None
    against: Against | None = None
    for_seconds: int = 0
    keep_seconds: int = 0
    cooldown_seconds: int = 0
    group_by: GroupBy = "none"
    channels: tuple[str, ...] | None = None
    built_in: bool = False
    revision: int = 0
    updated_by: str = ""
    updated_at: int | None = None

    @property
    def key(self) -> Key:
        return (self.rule_id,)

    @property
    def baseline(self) -> Against | None:
        """What its metric is compared with; None: with its threshold."""
        return self.against or ("period_before" if self.comparison == "changed" else None)


class NotificationRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth telling, with a life (core/projections/notifications.py).

    `subject` is what it is about: one stock row, order, metric or source, or the group. `count` and `members` are what
    is met now, newest first; of a fact, what happened since it was last told. `fired_at` and `fired_version` are of the
    last time it was told. Not shown: `since`, when it came to its state; `cleared_at`, since when nothing is met while
    it keeps firing; `told_at`, when somebody was last told anything; `told`, whether that it fires; `untold`, whether
    something waits to be.
    """

    version: int
    notification_id: str
    rule_id: str
    kind: RuleKind
    severity: Severity
    state: NotificationState
    dedupe_key: str
    subject: str
    began_at: int
    updated_at: int
    sku: str | None = None
    location: str | None = None
    order_id: str | None = None
    source: str | None = None
    metric: str | None = None
    name: str = ""
    value: str | None = None
    threshold: str | None = None
    count: int = 0
    members: tuple[str, ...] = ()
    occurrences: int = 0
    fired_at: int | None = None
    fired_version: int | None = None
    ended_at: int | None = None
    acknowledged_by: str | None = None
    snoozed_until: int | None = None
    resolved_by: str | None = None
    since: int = 0
    cleared_at: int | None = None
    told_at: int | None = None
    told: bool = False
    untold: bool = False

    @property
    def key(self) -> Key:
        return (self.notification_id,)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One subject for which a rule is met now, since when, and whether its notification still counts it. Not a feed."""

    rule_id: str
    subject: str
    since: int
    group: str
    counted: bool = True

    @property
    def key(self) -> Key:
        return (self.rule_id, self.subject)


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people are to be told of a notification: `at` by the shop's clock, by an event recorded then."""

    version: int
    notification_id: str
    happened: Happened
    at: int
    recorded_at: int

    @property
    def order(self) -> tuple[int, str, str]:
        """Where it stands among all; each is there once."""
        return (self.version, self.notification_id, self.happened)


Told = tuple[Occasion, NotificationRow]
"""An occasion, and the notification as it was then."""


class Quiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The hours of each day in which a person is not to be disturbed: "22:00" to "07:00" in their time zone."""

    from_: str
    to: str
    timezone: str


class RuleChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The channels by which a person wants to hear of one rule; None: as of any other."""

    channels: tuple[str, ...] | None = None


class Preferences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a person wants to be told. `channels` turns each on or off; `toast_severity`: what pops up on the page."""

    quiet: Quiet | None = None
    digest: bool = False
    muted_rules: tuple[str, ...] = ()
    rules: dict[str, RuleChoice] = {}
    channels: dict[str, bool] = {}
    toast_severity: Severity = "critical"


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has read, wants and watches. Only that person sees it.

    Read is what fired up to the version `read_through`, and the notifications in `read`. `views` are the person's own
    of each screen: name to query.
    """

    version: int
    person: str
    read_through: int = 0
    read: tuple[str, ...] = ()
    preferences: Preferences = Preferences()
    watched: tuple[str, ...] = ()
    views: dict[str, dict[str, str]] = {}

    @property
    def key(self) -> Key:
        return (self.person,)


Row = InventoryRow | OrderRow | MetricRow | HourRow | SourceRow | RuleRow | NotificationRow | PersonRow


class Movement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of one inventory row: the ledger that its quantities are the sum of. Deltas in thousandths.

    `on_hand_after` is the running balance. `superseded`: an older absolute event that changed nothing.
    """

    version: int
    step: int
    sku: str
    location: str
    type: str
    occurred_at: int
    recorded_at: int
    source: str
    on_hand: int = 0
    committed: int = 0
    reserved: int = 0
    damaged: int = 0
    quality_control: int = 0
    safety_stock: int = 0
    incoming: int = 0
    on_hand_after: int = 0
    reason: str | None = None
    document: str | None = None
    order_id: str | None = None
    note: str | None = None
    superseded: bool = False


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that happened to one order, as its timeline shows it. `text` is the reason or note given."""

    version: int
    order_id: str
    type: str
    occurred_at: int
    recorded_at: int
    source: str
    from_status: str | None = None
    to_status: str | None = None
    irregular: bool = False
    skipped: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    text: str | None = None
    document: str | None = None


class MinuteSales(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The sums of one minute (`minute` is a moment on the minute, UTC): what every sales metric is added up from.

    `units_sold` is a quantity; `gross_sales` to `tax` are amounts in the shop's currency. `other_currency_orders`
    counts those of `orders_placed` whose money is in none of the sums, because it is not the shop's. Of the stock:
    `units_fulfilled` left with orders, `on_hand_change` is what all movements did to on_hand, and of the `counts` taken
    `counts_exact` found what was on record.
    """

    minute: int
    orders_placed: int = 0
    units_sold: int = 0
    gross_sales: int = 0
    discounts: int = 0
    returns: int = 0
    shipping: int = 0
    tax: int = 0
    other_currency_orders: int = 0
    units_fulfilled: int = 0
    on_hand_change: int = 0
    counts: int = 0
    counts_exact: int = 0
