"""A chosen period and its twin by the shop's own days, through changes of the clocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stockwire.core.projections.periods import custom, periods
from stockwire.core.values import DAY, HOUR, MINUTE, moment

LONDON = "Europe/London"
BEGIN, LAST = moment("2025-01-01T00:00:00Z"), moment("2027-01-01T00:00:00Z")
MOMENTS = st.integers(BEGIN, LAST)
ZONES = st.sampled_from([LONDON, "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"])


@given(MOMENTS, ZONES)
def test_chosen_as_the_fixed_periods_are_it_is_one_of_them(clock: int, zone: str) -> None:
    today, yesterday, week, month = periods(clock, zone)
    tomorrow = _tomorrow(clock, zone)
    for fixed, end in ((today, tomorrow), (yesterday, yesterday.span.end), (week, tomorrow), (month, tomorrow)):
        chosen = custom(fixed.span.start, end, clock, zone)
        assert (chosen.span, chosen.twin) == (fixed.span, fixed.twin)


@given(MOMENTS, st.integers(1, 400 * 24 * 60), MOMENTS, ZONES)
def test_a_twin_ends_before_its_period_begins_and_neither_is_ahead(
    start: int, minutes: int, clock: int, zone: str
) -> None:
    start -= start % MINUTE
    chosen = custom(start, start + minutes * MINUTE, clock, zone)
    assert chosen.span.start <= chosen.span.end
    assert chosen.span.end <= max(start, clock + MINUTE)
    assert chosen.twin.start <= chosen.twin.end <= chosen.span.start
    assert all(bound % MINUTE == 0 for bound in (*chosen.span, *chosen.twin))


def test_a_day_of_23_hours_is_compared_with_the_whole_day_before() -> None:
    start, end = moment("2026-03-29T00:00:00Z"), moment("2026-03-29T23:00:00Z")
    chosen = custom(start, end, LAST, LONDON)
    assert end - start == 23 * HOUR
    assert chosen.twin == (start - DAY, start)


def _tomorrow(clock: int, zone: str) -> int:
    """The shop's next midnight: when yesterday first ends later than it does now."""
    at = clock
    while periods(at, zone)[0].span.start == periods(clock, zone)[0].span.start:
        at += HOUR
    return periods(at, zone)[0].span.start
