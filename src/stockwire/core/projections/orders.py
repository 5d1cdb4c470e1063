"""Orders: one pure step per event, from the row before to the row after.

`fold_order` decides everything that an event does to an order, and says what it does to the stock. The stock
effects are never thought up apart: they are the difference of the lines before and after. What a line holds of the
stock is its `committed`, what it has taken out is its `shipped`, so whatever moves a source reports, in whatever
order, what an order gives back is exactly what it took.

An outside source is the truth about its own orders: a skip, a backward or an unknown move is taken and noted. What
is older than the order's present status is recorded, but does not bring the order back to where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from stockwire.core import lifecycle
from stockwire.core.events import (
    CreditLine,
    Event,
    LineQuantity,
    OrderCredited,
    OrderData,
    OrderHeld,
    OrderLine,
    OrderPaymentChanged,
    OrderPlaced,
    OrderReleased,
    OrderStatusChanged,
    OrderUpdated,
    Record,
)
from stockwire.core.lifecycle import CALLED_OFF, CLOSED, COMMITTING, ENDED, GONE, RANK, UNIT_STAGES
from stockwire.core.projections.effects import StockEffect
from stockwire.core.rows import Hold, Lateness, LineState, OrderRow, TimelineEntry
from stockwire.core.values import moment

replace = msgspec.structs.replace

_STAGES: Final = tuple(UNIT_STAGES.items())


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


# Lines


def line_effects(before: tuple[LineState, ...], after: tuple[LineState, ...], order_id: str) -> list[StockEffect]:
    """What the stock must follow with when an order's lines went from `before` to `after`."""
    if before is after:
        return []
    was = {line.line: line for line in before}
    effects: list[StockEffect] = []
    for line in after:
        old = was.pop(line.line, None)
        if old is line:
            continue
        if old is not None and not _same_goods(old, line):
            _add_effect(effects, old, -_out(old), -old.committed, order_id)
            old = None
        on_hand = _out(line) - (_out(old) if old is not None else 0)
        committed = line.committed - (old.committed if old is not None else 0)
        _add_effect(effects, line, on_hand, committed, order_id)
    return effects


def _same_goods(old: LineState, new: LineState) -> bool:
    return old.sku == new.sku and old.location == new.location


def _out(line: LineState) -> int:
    """What the line has done to on_hand."""
    return -line.shipped if line.stock else 0


def _add_effect(effects: list[StockEffect], line: LineState, on_hand: int, committed: int, order_id: str) -> None:
    if on_hand or committed:
        effects.append(StockEffect(line.sku, line.location, on_hand, committed, line.name, order_id))


def _live(line: LineState) -> int:
    """The units that are still wanted."""
    return line.ordered - line.cancelled


def _holding(line: LineState, status: str) -> LineState:
    """The line with `committed` as it must be in an order of that status."""
    committed = 0
    if line.stock and status in COMMITTING:
        committed = max(0, line.ordered - line.cancelled - line.shipped)
    return line if committed == line.committed else replace(line, committed=committed)


def _carried(line: LineState, status: str) -> LineState:
    """The line with every unit that is wanted as far as `status`, coming from an earlier one."""
    live = line.ordered - line.cancelled
    rank = RANK[status]
    return replace(
        line,
        allocated=live if rank >= 3 else line.allocated,
        picked=live if rank >= 4 else line.picked,
        packed=live if rank >= 5 else line.packed,
        shipped=live if rank >= 6 else line.shipped,
        delivered=live if rank >= 7 else line.delivered,
    )


def _brought_back(line: LineState, present: str, status: str) -> LineState:
    """The line in an order that went back from `present` to `status`: units that are past `present` stay where they
    are."""
    past = 0
    fields: dict[str, int] = {}
    for stage, field in reversed(_STAGES):
        if RANK[stage] > RANK[present]:
            past = max(past, getattr(line, field))
        elif RANK[stage] > RANK[status]:
            fields[field] = past
    return replace(line, **cast(Any, fields)) if fields else line


def _called_off(line: LineState) -> LineState:
    """The line with every unit cancelled that has not left."""
    return replace(line, cancelled=line.ordered - line.shipped)


def _moved_line(line: LineState, present: str, status: str) -> LineState:
    """The line in an order that went from `present` to `status` as a whole."""
    if status in CALLED_OFF:
        moved = _called_off(line)
    elif status == "returned":
        moved = replace(line, returned=max(line.returned, line.shipped))
    else:
        if present in CALLED_OFF:  # taken up again: nothing of it is cancelled any more
            line = replace(line, cancelled=0)
        if present in RANK and RANK[status] < RANK[present]:
            moved = _brought_back(line, present, status)
        elif present == "returned" and status not in GONE:
            moved = _brought_back(line, "completed", status)
        else:
            moved = _carried(line, status)
    return _holding(moved, status)


def _new_line(line: OrderLine, name: str, row: OrderRow) -> LineState:
    """An order line as it enters an order that stands where `row` does."""
    status = row.status
    ordered: int = line.quantity
    cancelled = ordered if status in CALLED_OFF else 0
    rank = 8 if status == "returned" else RANK.get(status, 0)
    return LineState(
        line=name,
        sku=line.sku,
        location=line.location or row.location,
        name=line.name or "",
        unit_price=int(line.unit_price),
        discount=int(line.discount),
        tax=int(line.tax),
        stock=line.stock,
        ordered=int(ordered),
        allocated=ordered if rank >= 3 else 0,
        picked=ordered if rank >= 4 else 0,
        packed=ordered if rank >= 5 else 0,
        shipped=ordered if rank >= 6 else 0,
        delivered=ordered if rank >= 7 else 0,
        cancelled=cancelled,
        returned=ordered if status == "returned" else 0,
        committed=ordered if line.stock and status in COMMITTING else 0,
    )


def _changed_line(old: LineState, line: OrderLine, row: OrderRow) -> tuple[LineState, bool]:
    """A line replaced by what the source now says, and whether that was less than has already left."""
    ordered = max(int(line.quantity), old.shipped)
    changed = replace(
        old,
        sku=line.sku,
        location=line.location or row.location,
        name=line.name or old.name,
        unit_price=int(line.unit_price),
        discount=int(line.discount),
        tax=int(line.tax),
        stock=line.stock,
        ordered=ordered,
        cancelled=min(old.cancelled, ordered - old.shipped),
    )
    changed = _clamped(changed)
    if row.status in CALLED_OFF:
        changed = _called_off(changed)
    elif row.status in GONE or row.status in UNIT_STAGES:
        changed = _carried(changed, row.status)
    return _holding(changed, row.status), ordered != line.quantity


def _with_lines(row: OrderRow, lines: Iterable[OrderLine]) -> tuple[tuple[LineState, ...], bool]:
    """The row's lines with those given added or replaced, and whether one of them was cut too far."""
    result = {line.line: line for line in row.lines}
    cut = False
    for position, line in enumerate(lines, 1):
        name = line.line or str(position)
        old = result.get(name)
        if old is None:
            result[name] = _new_line(line, name, row)
        else:
            result[name], too_far = _changed_line(old, line, row)
            cut = cut or too_far
    return tuple(result.values()), cut


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
        lines=tuple(_moved_line(line, row.status, status) for line in row.lines),
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


def _advance_units(line: LineState, status: str, units: int, order_status: str) -> tuple[LineState, bool]:
    """The line after `units` of it came to `status`, and whether those were more than it had."""
    if status in CALLED_OFF:
        room = line.ordered - line.cancelled - line.shipped
        taken = min(units, room)
        moved = _clamped(replace(line, cancelled=line.cancelled + taken))
    elif status == "returned":
        taken = min(units, line.shipped - line.returned)
        moved = replace(line, returned=line.returned + max(0, taken))
    else:
        field = UNIT_STAGES["delivered" if status == "completed" else status]
        present: int = getattr(line, field)
        leaves = field in ("shipped", "delivered")
        # Goods that left after they were called off are gone all the same: they are not cancelled.
        total = min(present + units, line.ordered if leaves else line.ordered - line.cancelled)
        taken = total - present
        moved = _raised(line, field, total)
    odd = taken != units or moved.cancelled < line.cancelled
    return _holding(moved, order_status), odd


def _clamped(line: LineState) -> LineState:
    """The line with no more units on their way than are still wanted."""
    live = _live(line)
    return replace(
        line,
        allocated=min(line.allocated, live),
        picked=min(line.picked, live),
        packed=min(line.packed, live),
    )


def _raised(line: LineState, field: str, total: int) -> LineState:
    """The line with `total` units as far as `field`, and so at least as many at every stage before it."""
    fields: dict[str, int] = {}
    for _, stage in _STAGES:
        fields[stage] = max(getattr(line, stage), total)
        if stage == field:
            break
    if "shipped" in fields:
        fields["cancelled"] = min(line.cancelled, line.ordered - fields["shipped"])
    return replace(line, **cast(Any, fields))


def _followed(lines: tuple[LineState, ...]) -> str | None:
    """The furthest status that every unit still wanted has reached; None when they have reached none together."""
    deciding = [line for line in lines if line.stock] or list(lines)
    wanted = [line for line in deciding if _live(line) > 0]
    if not wanted:
        return "cancelled" if deciding and any(line.cancelled for line in deciding) else None
    if all(line.returned >= _live(line) for line in wanted):
        return "returned"
    for stage, field in reversed(_STAGES):
        if all(getattr(line, field) >= _live(line) for line in wanted):
            return stage
    return None


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
            lines[step.line], over = _advance_units(line, status, step.quantity, row.status)
            odd = odd or over
    after = replace(row, lines=tuple(lines.values()))
    follow = _followed(after.lines) if row.status not in ENDED else None
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
    lines = tuple(_new_line(line, line.line or str(n), begun) for n, line in enumerate(data.lines, 1))
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
    lines, _ = _with_lines(begun, data.lines)
    return replace(begun, lines=lines), note


def _placed_again(row: OrderRow, event: Event, data: OrderPlaced) -> tuple[OrderRow, _Note]:
    """An order that is there already: what is said now overwrites, and nothing is counted twice. For a draft it is the
    regular way to become an order."""
    note = _PLAIN if row.status == "draft" else _ODD
    lines, _ = _with_lines(row, data.lines)
    after = replace(_with_header(row, data), lines=lines)
    after, moved = _stepped(after, data.status, event.time)
    return after, note._replace(skipped=moved.skipped)


def _moment(text: str | None) -> int | None:
    return None if text is None else moment(text)


def _updated(row: OrderRow, event: Event) -> tuple[OrderRow, _Note]:
    data = cast(OrderUpdated, event.data)
    lines, cut = _with_lines(row, data.lines)
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
            _credit_lines(lines, credit)
    value = sum(credit.quantity * credit.unit_price for credit in data.lines)
    return replace(row, credited=row.credited + value, lines=tuple(lines)), _PLAIN


def _credit_lines(lines: list[LineState], credit: CreditLine) -> None:
    """Spread a credited quantity over the order's lines of that SKU, the first lines first."""
    refund = back = int(credit.quantity)
    for index, line in enumerate(lines):
        if line.sku != credit.sku:
            continue
        refunded = _within(refund, -line.refunded, line.ordered - line.refunded)
        refund -= refunded
        returned = _within(back, -line.returned, line.shipped - line.returned) if credit.restock else 0
        back -= returned
        if refunded or returned:
            lines[index] = replace(line, refunded=line.refunded + refunded, returned=line.returned + returned)


def _within(value: int, low: int, high: int) -> int:
    return max(low, min(value, max(low, high)))


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
