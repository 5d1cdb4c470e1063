"""Periods: which span of time "today" or "the last 7 days" is by the shop's own clock and time zone.

Days begin at local midnight, so a day of the spring change has 23 hours. The twin of a running period ends at the
same local wall-clock minute of its last day, that minute included, as the running period includes the minute the
clock shows. A wall-clock time that a change of the clocks skips or repeats is read as `zoneinfo` does: by the
offset before it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from stockwire.core.values import MINUTE, moment_datetime

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Span(NamedTuple):
    """From `start` to before `end`, both moments on the minute."""

    start: int
    end: int


class Period(NamedTuple):
    """A period of time and its twin: the same elapsed part of the period before."""

    name: str
    span: Span
    twin: Span


def periods(clock: int, timezone: str) -> tuple[Period, ...]:
    """Today, yesterday, the last 7 and the last 30 days (today and those before it), when the shop's clock shows
    `clock`."""
    zone = ZoneInfo(timezone)
    local = moment_datetime(clock).astimezone(zone)
    today = local.date()
    wall = local.time().replace(second=0, microsecond=0, fold=0)
    end = clock - clock % MINUTE + MINUTE

    def midnight(days_ago: int) -> int:
        return _moment_of(today - timedelta(days_ago), time(), zone)

    def running(name: str, days: int) -> Period:
        twin_end = _moment_of(today - timedelta(days), wall, zone)
        twin_end += MINUTE - twin_end % MINUTE
        return Period(name, Span(midnight(days - 1), end), Span(midnight(2 * days - 1), twin_end))

    yesterday = Period("yesterday", Span(midnight(1), midnight(0)), Span(midnight(2), midnight(1)))
    return running("today", 1), yesterday, running("last_7_days", 7), running("last_30_days", 30)


def custom(start: int, end: int, clock: int, timezone: str) -> Period:
    """The period from `start` to before `end`, moments on the minute, as far as the clock has come. Its twin is the same
    local times as many days earlier as the whole period has."""
    zone = ZoneInfo(timezone)

    def local(at: int) -> datetime:
        return moment_datetime(at).astimezone(zone)

    days = timedelta((local(end - MINUTE).date() - local(start).date()).days + 1)
    elapsed = max(start, min(end, clock - clock % MINUTE + MINUTE))

    def earlier(at: int) -> int:
        return _moment_of(local(at).date() - days, local(at).time().replace(fold=0), zone)

    twin_start = earlier(start)
    twin_end = earlier(elapsed - MINUTE) + MINUTE if elapsed > start else twin_start
    return Period("custom", Span(start, elapsed), Span(twin_start, max(twin_start, min(twin_end, start))))


def week_before(clock: int, timezone: str) -> int:
    """The same time last week: seven days ago, when the clocks of the place showed the same."""
    zone = ZoneInfo(timezone)
    local = moment_datetime(clock).astimezone(zone)
    return _moment_of(local.date() - timedelta(7), local.time().replace(fold=0), zone)


def _moment_of(day: date, wall: time, zone: ZoneInfo) -> int:
    at = datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)
    exact = (at - _EPOCH) // _MICROSECOND
    return exact - exact % MINUTE
