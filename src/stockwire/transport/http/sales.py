"""Metrics: the feed's rows, or exact sums of sales for any span of time.

Sums are added up from whole minutes, so a span begins and ends on one. Days, months and hours are the shop's own: a day begins
at local midnight, so that of a spring change has 23 hours. The first and last bucket hold only what lies in the span.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from stockwire.core.errors import Invalid, TooLarge
from stockwire.core.rows import HourRow, MinuteSales
from stockwire.core.values import HOUR, MINUTE, moment, moment_datetime, moment_text
from stockwire.core.wire import encode, show_row
from stockwire.engine.hub import Hub
from stockwire.transport.http.describing import metrics
from stockwire.transport.http.limits import BUCKETS
from stockwire.transport.http.queries import Authorise, asked_of, feed_page, json_answer
from stockwire.transport.http.reading import Parameters, reached, refuse_unknown
from stockwire.transport.http.schemas import BUCKET_NAMES, SUMS

EARLIEST: Final = 0
LATEST: Final = moment("2200-01-01T00:00:00Z")
_SPAN: Final = frozenset({"from", "to", "bucket"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Sales(Protocol):
    """Exact sums of sales between each boundary (a moment, included) and the next."""

    def sales(self, boundaries: Sequence[int]) -> Sequence[MinuteSales]: ...


class Calendar:
    """The shop's time zone and clock: `clock` gives its present moment."""

    def __init__(self, timezone: str, currency: str, clock: Callable[[], int]) -> None:
        self.timezone = timezone
        self.currency = currency
        self.clock = clock
        self._zone = ZoneInfo(timezone)

    def midnight(self, day: date) -> int:
        """The moment a day begins."""
        at = datetime.combine(day, time(), tzinfo=self._zone).astimezone(UTC)
        return (at - _EPOCH) // timedelta(microseconds=1)

    def day_of(self, at: int) -> date:
        """The day a moment falls on."""
        return moment_datetime(at).astimezone(self._zone).date()

    def next_start(self, at: int, bucket: str) -> int:
        """The moment the first bucket after the one that holds `at` begins."""
        if bucket == "hour":
            local = moment_datetime(at).astimezone(self._zone)
            return at - (local.minute * MINUTE + at % MINUTE) + HOUR
        day = self.day_of(at)
        if bucket == "day":
            return self.midnight(day + timedelta(1))
        return self.midnight(date(day.year + day.month // 12, day.month % 12 + 1, 1))

    def boundaries(self, start: int, end: int, bucket: str) -> list[int]:
        """Where the buckets from `start` to `end` begin, and `end`. Raises TooLarge."""
        found = [start]
        while bucket != "total" and (at := self.next_start(found[-1], bucket)) < end:
            found.append(at)
            if len(found) > BUCKETS:
                raise TooLarge(f"that span has more than {BUCKETS:,} buckets; ask for larger ones or a shorter span")
        return [*found, end]


def parse_bound(name: str, text: str, calendar: Calendar) -> int:
    """A moment on the minute: an RFC 3339 time, or a day, which is its local midnight. Raises Invalid."""
    try:
        at = calendar.midnight(date.fromisoformat(text)) if len(text) == 10 else moment(text)
    except (ValueError, OverflowError):
        raise Invalid(
            f"`{name}` must be a day such as 2026-03-02, or an RFC 3339 time such as 2026-03-02T14:02:00Z"
        ) from None
    if not EARLIEST <= at < LATEST:
        raise Invalid(f"`{name}` must lie between the years 1970 and 2200")
    if at % MINUTE:
        raise Invalid(f"`{name}` must lie on a whole minute")
    return at


def parse_span(asked: Mapping[str, str], calendar: Calendar) -> tuple[int, int]:
    """The moments `from`, which must be there, and `to`, which is now when left out. Raises Invalid."""
    if "from" not in asked:
        raise Invalid("a span needs `from`: a day or a time")
    start = parse_bound("from", asked["from"], calendar)
    now = calendar.clock()
    end = parse_bound("to", asked["to"], calendar) if "to" in asked else now - now % MINUTE + MINUTE
    if end <= start:
        raise Invalid("`to` must be later than `from`")
    return start, end


def show_sums(sums: MinuteSales, end: int) -> dict[str, Any]:
    """One bucket as JSON-ready members; the fields are those of the `hours` feed."""
    row = HourRow(
        version=0, start=sums.minute, orders_placed=sums.orders_placed, units_sold=sums.units_sold,
        gross_sales=sums.gross_sales, discounts=sums.discounts, returns=sums.returns, shipping=sums.shipping,
        tax=sums.tax,
    )  # fmt: skip
    shown = show_row("hours", row)
    return {"start": shown["start"], "end": moment_text(end), **{name: shown[name] for name in SUMS}}


async def _spans(parameters: Parameters, calendar: Calendar) -> tuple[list[int], str]:
    """Where the buckets that are asked for begin and end, and what they are."""
    refuse_unknown(parameters, ("from", "to", "bucket"))
    asked = dict(parameters)
    bucket = asked.get("bucket", "total")
    if bucket not in BUCKET_NAMES:
        raise Invalid(f"`bucket` must be one of {', '.join(BUCKET_NAMES)}")
    start, end = parse_span(asked, calendar)
    return await asyncio.to_thread(calendar.boundaries, start, end, bucket), bucket


async def _sums(boundaries: list[int], bucket: str, calendar: Calendar, log: Sales) -> dict[str, Any]:
    sums = await asyncio.to_thread(log.sales, boundaries)
    return {
        "bucket": bucket,
        "timezone": calendar.timezone,
        "currency": calendar.currency,
        "rows": [show_sums(each, end) for each, end in zip(sums, boundaries[1:], strict=True)],
    }


def metric_routes(authorise: Authorise, hub: Hub, log: Sales, calendar: Calendar) -> list[HTTPRouteHandler]:
    """`GET /api/v1/metrics`."""

    @get("/api/v1/metrics", operation_id="list_metrics", operation_class=metrics())
    async def list_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List the metrics as they are, or with `from`, `to` and `bucket` exact sums of sales."""
        asked = asked_of(request, authorise)
        if not _SPAN.intersection(name for name, _ in asked.parameters):
            return await feed_page(hub, "metrics", asked)
        if asked.awaited.at_least:
            await _spans(asked.parameters, calendar)
            await reached(hub, asked.awaited)
        boundaries, bucket = await _spans(asked.parameters, calendar)
        version = hub.version
        return json_answer(encode({"version": version, **await _sums(boundaries, bucket, calendar, log)}))

    return [list_metrics]
