"""Orders: one pure step per event, from the row before to the row after.

`fold_order` decides everything that an event does to an order, and says what it does to the stock. The stock
effects are never thought up apart: they are the difference of the lines before and after (lines.py), so whatever moves a
source reports, in whatever order, what an order gives back is exactly what it took.

An outside source is the truth about its own orders: a skip, a backward or an unknown move is taken and noted. What
is older than the order's present status is recorded, but does not bring the order back to where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from stockwire.core import lifecycle
from stockwire.core.events import (
    Event,
    LineQuantity,
    OrderCredited,
    OrderData,
    OrderHeld,
    OrderPaymentChanged,
    OrderPlaced,
    OrderReleased,
    OrderStatusChanged,
    OrderUpdated,
    Record,
)
from stockwire.core.lifecycle import CALLED_OFF, CLOSED, ENDED, RANK, UNIT_STAGES
from stockwire.core.projections.effects import StockEffect
from stockwire.core.projections.lines import (
    advance_units,
    credit_lines,
    followed,
    line_effects,
    moved_line,
    new_line,
    with_lines,
)
from stockwire.core.rows import Hold, Lateness, OrderRow, TimelineEntry
from stockwire.core.values import moment

replace = msgspec.structs.replace


class OrderStep(NamedTuple):
    """What one event did to one order: its row, its timeline's entry, and what the stock must follow with."""

    row: OrderRow
    entry: TimelineEntry
    effects: list[StockEffect]


class _Note(NamedTuple):
    """What a step of an order says about itself, for the timeline."""

    irregular: bool = False
    skipped: tuple[str, ...] = ()


_PLAIN: Final = _Note()
_ODD: Final = _Note(irregular=True)


def fold_order(before: OrderRow | None, record: Record, clock: int, allowed_minutes: Mapping[str, int]) -> OrderStep:
    """The order after an order event, `before` being its row so far (None: never heard of).

    `clock` is the shop's clock, which lateness follows; `allowed_minutes` how long each status may take.
    """
    event = record.event
    known = before is not None
    row = before if before is not None else _unheard_of(record)
    after, note = _STEPS[event.type](row, event)
    if not known and event.type != OrderPlaced.type:
        note = note._replace(irregular=True)
    after = _settled(after, row if known else None, record, note, clock, allowed_minutes)
    effects = line_effects(row.lines, after.lines, after.order_id)
    return OrderStep(after, _entry(before, after, record, note), effects)


def _unheard_of(record: Record) -> OrderRow:
    """The row of an order whose beginning is not known, before this event of it."""
    event = record.event
    data = event.data
    order_id = cast(str, data.order_id)  # type: ignore[attr-defined]
    return OrderRow(
        version=record.version,
        order_id=order_id,
        number=order_id,
        status="completed" if isinstance(data, OrderCredited) else "placed",
        source=event.source,
        currency="",
        placed_at=event.time,
        status_since=event.time,
        updated_at=record.recorded_at,
        location="main",
    )


def _settled(
    after: OrderRow,
    before: OrderRow | None,
    record: Record,
    note: _Note,
    clock: int,
    allowed_minutes: Mapping[str, int],
) -> OrderRow:
    """The row with all that follows from the rest: when it is due, whether it is closed, its marks."""
    data = record.event.data
    derived = data.derived if isinstance(data, OrderData | OrderCredited) else ()
    at_risk_at, due_at = after.at_risk_at, after.due_at
    if before is None or _timing(before) != _timing(after):
        times = lifecycle.deadlines(after.status, after.status_since, after.promised_at, allowed_minutes)
        at_risk_at, due_at = times if times is not None else (None, None)
    closed = after.status in CLOSED
    closed_at = None if not closed else (after.closed_at if after.closed_at is not None else after.status_since)
    return replace(
        after,
        version=record.version,
        updated_at=record.recorded_at,
        at_risk_at=at_risk_at,
        due_at=due_at,
        lateness=lateness_at(clock, at_risk_at, due_at),
        hold=None if closed else after.hold,
        skipped=_joined(after.skipped, note.skipped),
        derived=_joined(after.derived, derived),
        irregular=after.irregular or note.irregular,
        closed_at=closed_at,
        reached=after.reached or ((after.status, after.status_since),),
    )


def _entry(before: OrderRow | None, after: OrderRow, record: Record, note: _Note) -> TimelineEntry:
    event = record.event
    data = event.data
    moved = before is None or before.status != after.status
    says_status = moved or isinstance(data, OrderStatusChanged)
    return TimelineEntry(
        version=record.version,
        order_id=after.order_id,
        type=event.type,
        occurred_at=event.time,
        recorded_at=record.recorded_at,
        source=event.source,
        from_status=before.status if before is not None and moved else None,
        to_status=_told_status(data, after) if says_status else None,
        irregular=note.irregular,
        skipped=note.skipped,
        derived=data.derived if isinstance(data, OrderData | OrderCredited) else (),
        text=getattr(data, "reason", None) or getattr(data, "note", None),
        document=data.document if isinstance(data, OrderCredited) else None,
    )


def _told_status(data: object, after: OrderRow) -> str:
    return data.status if isinstance(data, OrderStatusChanged) else after.status


def _joined(names: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    fresh = tuple(name for name in dict.fromkeys(more) if name not in names)
    return names + fresh if fresh else names


# Time


def _timing(row: OrderRow) -> tuple[str, int, int | None]:
    """What the moments at which an order is at risk and late depend on."""
    return row.status, row.status_since, row.promised_at


def lateness_at(clock: int, at_risk_at: int | None, due_at: int | None) -> Lateness:
    """How late an order with these moments is when the shop's clock shows `clock`."""
    if due_at is not None and clock >= due_at:
        return "late"
    if at_risk_at is not None and clock >= at_risk_at:
        return "at_risk"
    return "on_track"


def next_deadline(row: OrderRow) -> int | None:
    """The moment at which the order's lateness changes next; None when it will not."""
    if row.lateness == "on_track":
        return row.at_risk_at
    return row.due_at if row.lateness == "at_risk" else None


# Status


def _reached(row: OrderRow, status: str, at: int) -> tuple[tuple[str, int], ...]:
    if any(stage == status for stage, _ in row.reached):
        return row.reached
    return (*row.reached, (status, at))


def _moved(row: OrderRow, status: str, at: int) -> OrderRow:
    """The order as a whole in its new status, whatever the lifecycle says about the move."""
    return replace(
        row,
        status=status,
        status_since=max(row.status_since, at) if row.reached else at,
        lines=tuple(moved_line(line, row.status, status) for line in row.lines),
        closed_at=None,
        reached=_reached(row, status, at),
    )


def _recorded(row: OrderRow, status: str, at: int) -> tuple[OrderRow, _Note]:
    """A stage that was reached, without moving the order to it."""
    if status == row.status:
        return row, _PLAIN
    note = _ODD if lifecycle.is_out_of_order(row.reached, status, at) else _PLAIN
    skipped = tuple(stage for stage in row.skipped if stage != status)
    return replace(row, skipped=skipped, reached=_reached(row, status, at)), note


def _stepped(row: OrderRow, status: str, at: int, *, milestone: bool = False) -> tuple[OrderRow, _Note]:
    """The order after its source said, at the moment `at`, that it is at `status`."""
    move = lifecycle.judge(row.status, status)
    forward = lifecycle.is_forward(row.status, status)
    on_path = status in RANK
    too_old = at < row.status_since and not forward and (on_path or move.verdict != "allowed")
    if move.verdict == "same" or too_old or (milestone and on_path and not forward):
        return _recorded(row, status, at)
    known = {stage for stage, _ in row.reached}
    skipped = tuple(stage for stage in move.skipped if stage not in known)
    odd = move.verdict == "irregular" or (milestone and lifecycle.is_out_of_order(row.reached, status, at))
    return _moved(row, status, at), _Note(odd, skipped)


def _partly(row: OrderRow, event: Event, status: str, steps: Iterable[LineQuantity]) -> tuple[OrderRow, _Note]:
    """The order after some units of some lines came to `status`."""
    lines = {line.line: line for line in row.lines}
    counted = status in UNIT_STAGES or status in ("completed", "returned") or status in CALLED_OFF
    odd = False
    for step in steps:
        line = lines.get(step.line)
        if line is None:
            odd = True
        elif counted:
            lines[step.line], over = advance_units(line, status, step.quantity, row.status)
            odd = odd or over
    after = replace(row, lines=tuple(lines.values()))
    follow = followed(after.lines) if row.status not in ENDED else None
    if follow is None or follow == row.status or (follow in RANK and not lifecycle.is_forward(row.status, follow)):
        return after, _Note(odd)
    moved, note = _stepped(after, follow, max(event.time, row.status_since))
    return moved, note._replace(irregular=note.irregular or odd)


# One function per event: the row before (or of an order never heard of) and the event give the row after


def _placed(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    data = cast(OrderPlaced, event.data)
    if row.currency:
        return _placed_again(row, event, data)
    if row.reached:
        return _placed_late(row, event, data)
    status: str = data.status
    begun = _with_header(replace(row, status=status), data)
    lines = tuple(new_line(line, line.line or str(n), begun) for n, line in enumerate(data.lines, 1))
    at = event.time
    first: tuple[tuple[str, int], ...] = ((status, at),)
    if status not in ("draft", "placed"):
        first = (("placed", at), (status, at))
    return replace(begun, lines=lines, reached=first), _PLAIN


def _with_header(row: OrderRow, data: OrderPlaced) -> OrderRow:
    customer = data.customer
    return replace(
        row,
        number=data.number or row.order_id,
        currency=data.currency,
        location=data.location,
        payment_status=data.payment_status if data.payment_status != "unpaid" else row.payment_status,
        customer_id=customer.id if customer is not None else None,
        customer_name=customer.name if customer is not None else None,
        country=customer.country if customer is not None else None,
        channel=data.channel,
        discount=int(data.discount),
        shipping=int(data.shipping),
        tax=int(data.tax),
        promised_at=_moment(data.promised_at),
        note=data.note,
    )


def _placed_late(row: OrderRow, event: Event, data: OrderPlaced) -> tuple[OrderRow, _Note]:
    """The beginning of an order of which only later steps were known."""
    begun = replace(_with_header(row, data), placed_at=min(event.time, row.placed_at))
    if data.status != "draft":
        begun = replace(begun, reached=_reached(begun, "placed", event.time))
    begun, note = _stepped(begun, data.status, event.time)
    lines, _ = with_lines(begun, data.lines)
    return replace(begun, lines=lines), note


def _placed_again(row: OrderRow, event: Event, data: OrderPlaced) -> tuple[OrderRow, _Note]:
    """An order that is there already: what is said now overwrites, and nothing is counted twice. For a draft it is the
    regular way to become an order."""
    note = _PLAIN if row.status == "draft" else _ODD
    lines, _ = with_lines(row, data.lines)
    after = replace(_with_header(row, data), lines=lines)
    after, moved = _stepped(after, data.status, event.time)
    return after, note._replace(skipped=moved.skipped)


def _moment(text: str | None) -> int | None:
    return None if text is None else moment(text)


def _updated(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    data = cast(OrderUpdated, event.data)
    lines, cut = with_lines(row, data.lines)
    fields: dict[str, Any] = {"lines": lines}
    if data.customer is not None:
        fields["customer_id"] = data.customer.id or row.customer_id
        fields["customer_name"] = data.customer.name or row.customer_name
        fields["country"] = data.customer.country or row.country
    for name in ("discount", "shipping", "tax"):
        if (value := getattr(data, name)) is not None:
            fields[name] = int(value)
    if data.promised_at is not None:
        fields["promised_at"] = moment(data.promised_at)
    if data.note is not None:
        fields["note"] = data.note
    return replace(row, **fields), _Note(cut)


def _status_changed(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    data = cast(OrderStatusChanged, event.data)
    if not row.reached:
        return _moved(row, data.status, event.time), _ODD
    if data.lines:
        return _partly(row, event, data.status, data.lines)
    return _stepped(row, data.status, event.time, milestone=data.milestone)


def _held(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    data = cast(OrderHeld, event.data)
    since = row.hold.since if row.hold is not None else event.time
    return replace(row, hold=Hold(data.reason, since)), _PLAIN


def _released(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    if row.hold is not None and event.time < row.hold.since:
        return row, _ODD
    return replace(row, hold=None), _PLAIN


def _payment_changed(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    data = cast(OrderPaymentChanged, event.data)
    return replace(row, payment_status=data.payment_status), _PLAIN


def _credited(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    data = cast(OrderCredited, event.data)
    lines = list(row.lines)
    if data.reason != "bad_debt":
        for credit in data.lines:
            credit_lines(lines, credit)
    value = sum(credit.quantity * credit.unit_price for credit in data.lines)
    return replace(row, credited=row.credited + value, lines=tuple(lines)), _PLAIN


def credit_effects(data: OrderCredited) -> list[StockEffect]:
    """The goods that a credit note puts back on hand."""
    return [
        StockEffect(
            line.sku, line.location, int(line.quantity), 0, line.name or "",
            data.order_id, data.document, data.reason,
        )
        for line in data.lines
        if line.restock
    ]  # fmt: skip


_STEPS: Final[Mapping[str, Callable[[OrderRow, Event], tuple[OrderRow, _Note]]]] = {
    OrderPlaced.type: _placed,
    OrderUpdated.type: _updated,
    OrderStatusChanged.type: _status_changed,
    OrderHeld.type: _held,
    OrderReleased.type: _released,
    OrderPaymentChanged.type: _payment_changed,
    OrderCredited.type: _credited,
}
ORDER_TYPES: Final = frozenset(_STEPS)
"""The event types that `fold_order` takes (order.credited only when it names its order)."""
