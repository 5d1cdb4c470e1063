"""Exact numbers and times: the small values everything else is made of.

Quantities and money never become binary floats. Both are plain integers of a fixed scale, because
integers are exact, small in memory, fast, and one SQLite column each:

* a **quantity** counts thousandths of a unit (1 piece = 1_000; 0.25 kg = 250);
* **money** counts ten-thousandths of the currency's unit (6.95 GBP = 69_500);
* an **amount** is quantity x money, so it counts ten-millionths (12 x 6.95 GBP = 834_000_000).

On the wire a quantity is a JSON number (an integer when whole, else at most three decimals) and money and
amounts are decimal strings without trailing zeros. A **moment** is microseconds since 1970-01-01T00:00:00Z.
`decimal.Decimal` was measured and left out: four times the memory in 400,000 rows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Final, TypeAlias

QUANTITY_SCALE: Final = 1_000
MONEY_SCALE: Final = 10_000
AMOUNT_SCALE: Final = QUANTITY_SCALE * MONEY_SCALE

QUANTITY_LIMIT: Final = 10**12 * QUANTITY_SCALE
MONEY_LIMIT: Final = 10**12 * MONEY_SCALE

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EXACT: Final = Context(prec=80)
"""Enough digits for every product of numbers that are let in."""

Number: TypeAlias = int | Decimal | str


class Quantity(int):
    """A number of units in thousandths. Arithmetic on it gives plain `int`s of the same scale."""

    __slots__ = ()


class Money(int):
    """A price or sum of money in ten-thousandths of the currency's unit."""

    __slots__ = ()


def _scaled(value: Number, scale: int, limit: int, noun: str, places: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(f"{noun} must be a number, or a decimal in a string")
    if isinstance(value, int):
        scaled = value * scale
    else:
        if isinstance(value, str):
            if len(value) > 100 or _DECIMAL.fullmatch(value) is None:
                raise ValueError(f"{noun} is not a decimal number")
            exact = Decimal(value)
        else:
            exact = value
        if not exact.is_finite():
            raise ValueError(f"{noun} must be finite")
        if exact.adjusted() > 30 or exact.as_tuple().exponent < -30:  # type: ignore[operator]
            raise ValueError(f"{noun} is too large or too fine")
        product = _EXACT.multiply(exact, Decimal(scale))
        scaled = int(product)
        if scaled != product:
            raise ValueError(f"{noun} has more than {places} decimals")
    if not -limit <= scaled <= limit:
        raise ValueError(f"{noun} is larger than 10^12")
    return scaled


def quantity(value: Number) -> Quantity:
    """The exact quantity of `value`: an integer, a `Decimal` or a decimal string with at most 3 decimals.

    Raises ValueError when it is not a finite number, too fine, or beyond 10^12 units.
    """
    return Quantity(_scaled(value, QUANTITY_SCALE, QUANTITY_LIMIT, "quantity", 3))


def money(value: Number) -> Money:
    """The exact money of `value`: an integer, a `Decimal` or a decimal string with at most 4 decimals.

    Raises ValueError when it is not a finite number, too fine, or beyond 10^12.
    """
    return Money(_scaled(value, MONEY_SCALE, MONEY_LIMIT, "money", 4))


def _decimal_text(value: int, places: int) -> str:
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(places + 1, "0")
    fraction = digits[-places:].rstrip("0")
    whole = digits[:-places]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def quantity_json(value: int) -> int | float:
    """What a quantity looks like in JSON: an integer when whole, else the shortest decimal.

    Exact: at most 15 significant digits survive the trip through any reader's doubles.
    """
    whole, rest = divmod(value, QUANTITY_SCALE)
    return whole if rest == 0 else float(_decimal_text(value, 3))


def number_json(value: int) -> int | float:
    """A number of ten-thousandths in JSON, where it is of no particular kind: as `quantity_json`, with 4 decimals."""
    whole, rest = divmod(value, MONEY_SCALE)
    return whole if rest == 0 else float(_decimal_text(value, 4))


def money_text(value: int) -> str:
    """Money as a decimal string: `"6.95"`."""
    return _decimal_text(value, 4)


def amount_text(value: int) -> str:
    """An amount (quantity x money) as a decimal string: `"83.4"`."""
    return _decimal_text(value, 7)


def amount_of_money(value: int) -> int:
    """Money in the finer scale of amounts, so that the two can be added."""
    return value * QUANTITY_SCALE


def moment(text: str) -> int:
    """The moment an RFC 3339 date-time with an offset names, in microseconds. Raises ValueError otherwise."""
    if _DATE_TIME.fullmatch(text) is None:
        raise ValueError("time must be an RFC 3339 date-time such as 2026-03-02T14:02:11Z")
    try:
        parsed = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except ValueError:
        raise ValueError("time is no time of any calendar day") from None
    except OverflowError:
        raise ValueError("time is out of range") from None
    return (parsed - _EPOCH) // _MICROSECOND


def moment_text(value: int) -> str:
    """A moment as RFC 3339 in UTC, with milliseconds only where there are any: `"2026-03-02T14:02:11Z"`."""
    at = _EPOCH + timedelta(microseconds=value)
    spec = "milliseconds" if value % SECOND else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def moment_datetime(value: int) -> datetime:
    """A moment as an aware `datetime` in UTC."""
    return _EPOCH + timedelta(microseconds=value)
