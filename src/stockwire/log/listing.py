"""Lists of orders from disk: a view's filter and order as SQL, so that a million closed orders need not be read.

The meaning is spec/protocol.md P4.2 and P4.3, the same that core/views.py gives rows in memory: null last either way, ties
broken by the key, texts by code point, letter case ignored by `contains`, `prefix` and `search`. Operands go in as
parameters; names come from the table of fields alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final, NamedTuple

from stockwire.core.views import SEARCH, View
from stockwire.core.wire import FIELD, FIELDS, Field, parse_operand
from stockwire.log.base import INTEGER_LIMIT, Position

_KEY: Final = "order_id"
_COMPARISONS: Final[Mapping[str, str]] = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_NEVER: Final = "FALSE"


class Clause(NamedTuple):
    """A piece of SQL and what its question marks stand for."""

    sql: str
    values: tuple[Any, ...] = ()


def where(view: View, after: Position | None = None) -> Clause:
    """The condition that a row belongs to the view and, with `after`, comes after that position."""
    clauses = [
        _condition(name, operator, operand)
        for name, operators in view.filter.items()
        for operator, operand in operators.items()
    ]
    if after is not None:
        clauses.append(_after(view, after))
    return _joined(" AND ", clauses) if clauses else Clause("TRUE")


def order_by(view: View) -> str:
    """The view's order; the key breaks ties."""
    parts = []
    for field, descending in view.order:
        if field.name not in _NEVER_NULL:
            parts.append(f"{field.name} IS NULL")
        parts.append(f"{field.name} DESC" if descending else field.name)
    return ", ".join([*parts, _KEY])


_NEVER_NULL: Final = frozenset(
    {
        "order_id", "number", "status", "payment_status", "location", "currency", "source", "placed_at",
        "status_since", "updated_at", "lateness", "gross", "discount", "shipping", "tax", "total", "credited",
        "line_count", "units", "units_shipped", "units_cancelled", "units_returned", "irregular", "version",
    }
)  # fmt: skip


def _joined(word: str, clauses: list[Clause]) -> Clause:
    return Clause(
        "(" + word.join(clause.sql for clause in clauses) + ")",
        tuple(value for clause in clauses for value in clause.values),
    )


def _condition(name: str, operator: str, operand: Any) -> Clause:
    if name == SEARCH:
        searched = [field for field in FIELDS["orders"] if field.searched]
        return _joined(" OR ", [Clause(f"instr(casefold({f.name}), ?) > 0", (operand.casefold(),)) for f in searched])
    field = FIELD["orders"][name]
    match operator:
        case "in":
            return _joined(" OR ", [_compared(field, "eq", each) for each in operand])
        case "contains":
            return Clause(f"instr(casefold({name}), ?) > 0", (operand.casefold(),))
        case "prefix":
            folded = operand.casefold()
            return Clause(f"substr(casefold({name}), 1, ?) = ?", (len(folded), folded))
        case _:
            return _compared(field, operator, operand)


def _compared(field: Field, operator: str, operand: Any) -> Clause:
    value = parse_operand(field, operand)
    if isinstance(value, Decimal) or (isinstance(value, int) and not -INTEGER_LIMIT <= value < INTEGER_LIMIT):
        return _compared_beyond(field.name, operator, value)
    if operator == "eq":
        return Clause(f"{field.name} IS ?", (value,))
    if operator == "ne":
        return Clause(f"{field.name} IS NOT ?", (value,))
    return Clause(f"{field.name} {_COMPARISONS[operator]} ?", (value,))


def _compared_beyond(name: str, operator: str, value: int | Decimal) -> Clause:
    """Compares with a figure that no column can hold: a fraction, or one beyond 64 bits."""
    if operator in ("eq", "ne"):
        return Clause(_NEVER if operator == "eq" else "TRUE")
    below = int(Decimal(value).to_integral_value(ROUND_FLOOR))
    if operator in ("lt", "lte"):
        return Clause(f"{name} <= ?", (min(below, INTEGER_LIMIT - 1),)) if below >= -INTEGER_LIMIT else Clause(_NEVER)
    if below >= INTEGER_LIMIT:
        return Clause(_NEVER)
    return Clause(f"{name} > ?", (below,)) if below >= -INTEGER_LIMIT else Clause(f"{name} IS NOT NULL")


def _after(view: View, after: Position) -> Clause:
    """What sorts after a position: later in the first field, or equal there and later in the next, down to the key."""
    choices: list[Clause] = []
    equal: list[Clause] = []
    for (field, descending), value in zip(view.order, after, strict=False):
        if value is not None:
            sign = "<" if descending else ">"
            later = Clause(f"({field.name} {sign} ? OR {field.name} IS NULL)", (value,))
            choices.append(_joined(" AND ", [*equal, later]))
        equal.append(Clause(f"{field.name} IS ?", (value,)))
    choices.append(_joined(" AND ", [*equal, Clause(f"{_KEY} > ?", (after[-1],))]))
    return _joined(" OR ", choices)
