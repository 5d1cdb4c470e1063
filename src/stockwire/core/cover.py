"""Cover: how many days the stock of a row lasts, going out as fast as it went lately.

Lately is the last 28 days (UTC), today included: what left with orders on each of them is kept in the row itself, as pairs
of a day's number and units, oldest first, and a day without any has no pair. A row known for a shorter time is judged by
that time, so a product that is new is not taken for one that hardly sells. What leaves the window changes the row with the
event that moved the shop's clock past midnight, never by itself.

cover = available x days / units that left in them, as stock / average daily demand: "days of supply" in
Silver, Pyke and Thomas, "Inventory and Production Management in Supply Chains", 4th edition, 2017, chapter 2.
"""

from __future__ import annotations

from typing import Final

from stockwire.core.values import DAY, QUANTITY_SCALE

WINDOW: Final = 28
"""Four whole weeks, so that every day of the week counts alike."""

Sold = tuple[tuple[int, int], ...]


def day_of(moment: int) -> int:
    """The number of the UTC day a moment falls on."""
    return moment // DAY


def days_known(since: int, today: int) -> int:
    """How many of the window's days a row that was first heard of at `since` has been known."""
    return max(1, min(WINDOW, today - day_of(since) + 1))


def sold_on(sold: Sold, day: int, units: int, today: int) -> Sold:
    """`sold` with `units` more (or less, when they came back) that left on that day."""
    if day <= today - WINDOW or not units:
        return sold
    if not sold or day > sold[-1][0]:
        return (*sold, (day, units))
    newest, left = sold[-1]
    if day == newest:
        return (*sold[:-1], (day, left + units)) if left + units else sold[:-1]
    days = dict(sold)
    days[day] = days.get(day, 0) + units
    return tuple(sorted(pair for pair in days.items() if pair[1]))


def sold_within(sold: Sold, today: int) -> Sold:
    """`sold` without the days that left the window."""
    return tuple(pair for pair in sold if pair[0] > today - WINDOW) if sold[0][0] <= today - WINDOW else sold


def units_of(sold: Sold) -> int:
    """All units that left within the window."""
    return sum([units for _, units in sold])


def days_of_cover(available: int, units: int, days: int) -> int | None:
    """Days in thousandths that `available` lasts when `units` left in `days`, rounded half up to tenths; None when
    none left."""
    if units <= 0:
        return None
    tenths = (2 * max(0, available) * days * 10 + units) // (2 * units)
    return tenths * QUANTITY_SCALE // 10
