"""Lines: how far each unit of an order's lines has come, and what the lines hold of the stock, a pure step at a time.

A line counts its units stage by stage; a unit that has come to a stage has come to all before it. What a line holds of the
stock is its `committed`, what it has taken out is its `shipped`: both follow from its counts and the order's status, so the
stock is told of nothing but the difference of two rows of lines (`line_effects`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec

from stockwire.core.events import CreditLine, OrderLine
from stockwire.core.lifecycle import CALLED_OFF, COMMITTING, GONE, RANK, UNIT_STAGES
from stockwire.core.projections.effects import StockEffect
from stockwire.core.rows import LineState, OrderRow

replace = msgspec.structs.replace

_STAGES: Final = tuple(UNIT_STAGES.items())


# Lines that an order has, and gets


def new_line(line: OrderLine, name: str, row: OrderRow) -> LineState:
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


def with_lines(row: OrderRow, lines: Iterable[OrderLine]) -> tuple[tuple[LineState, ...], bool]:
    """The row's lines with those given added or replaced, and whether one of them was cut too far."""
    result = {line.line: line for line in row.lines}
    cut = False
    for position, line in enumerate(lines, 1):
        name = line.line or str(position)
        old = result.get(name)
        if old is None:
            result[name] = new_line(line, name, row)
        else:
            result[name], too_far = _changed_line(old, line, row)
            cut = cut or too_far
    return tuple(result.values()), cut


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


# Lines that go on, or back, with their order


def moved_line(line: LineState, present: str, status: str) -> LineState:
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


# Units that go on by themselves


def advance_units(line: LineState, status: str, units: int, order_status: str) -> tuple[LineState, bool]:
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


def followed(lines: tuple[LineState, ...]) -> str | None:
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


def credit_lines(lines: list[LineState], credit: CreditLine) -> None:
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


# What lines do to the stock


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


def _holding(line: LineState, status: str) -> LineState:
    """The line with `committed` as it must be in an order of that status."""
    committed = 0
    if line.stock and status in COMMITTING:
        committed = max(0, line.ordered - line.cancelled - line.shipped)
    return line if committed == line.committed else replace(line, committed=committed)


def _live(line: LineState) -> int:
    """The units that are still wanted."""
    return line.ordered - line.cancelled
