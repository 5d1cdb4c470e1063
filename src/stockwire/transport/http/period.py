"""The metrics of a chosen period: worked out from the log when asked, by the shop's own days and clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from stockwire.core.errors import Invalid
from stockwire.core.projections.chosen import Standing, bounds, rows_of
from stockwire.core.projections.journeys import Journey
from stockwire.core.projections.periods import Period, Span, custom
from stockwire.core.rows import Key, MetricRow, MinuteSales
from stockwire.core.values import DAY, moment_text
from stockwire.core.wire import encode, show_row
from stockwire.engine.hub import Hub
from stockwire.transport.http.describing import period
from stockwire.transport.http.limits import PERIOD_DAYS, PERIOD_ORDERS
from stockwire.transport.http.queries import Authorise, asked_of, json_answer
from stockwire.transport.http.reading import Parameters, reached, refuse_unknown
from stockwire.transport.http.sales import Calendar, parse_span

_FROM_JOURNEYS: Final = (
    "order_cycle_time",
    "order_cycle_time_p90",
    "on_time_ship_rate",
    "fill_rate",
    "cancellation_rate",
    "return_rate",
)


class Told(Protocol):
    """What the log tells of any span of time, from any thread."""

    def sales(self, boundaries: Sequence[int]) -> Sequence[MinuteSales]: ...

    def journeys(self, since: int, limit: int) -> Mapping[Key, Journey] | None: ...


def _period(parameters: Parameters, calendar: Calendar) -> Period:
    refuse_unknown(parameters, ("from", "to"))
    start, end = parse_span(dict(parameters), calendar)
    if end - start > PERIOD_DAYS * DAY:
        raise Invalid(f"a period has at most {PERIOD_DAYS:,} days")
    return custom(start, end, calendar.clock(), calendar.timezone)


def _answer(log: Told, standing: Standing, asked: Period, timezone: str) -> dict[str, Any]:
    between = log.sales(bounds(asked))
    moved = log.journeys(asked.twin.start, PERIOD_ORDERS)
    journeys = None if moved is None else list(moved.values())
    return {
        "version": standing.version,
        "timezone": timezone,
        "currency": standing.currency,
        **_show_span(asked.span),
        "twin": _show_span(asked.twin),
        "left_out": [] if journeys is not None else list(_FROM_JOURNEYS),
        "rows": [show_row("metrics", row) for row in rows_of(standing, asked, between, journeys)],
    }


def _show_span(span: Span) -> dict[str, str]:
    return {"from": moment_text(span.start), "to": moment_text(span.end)}


def period_routes(authorise: Authorise, hub: Hub, log: Told, calendar: Calendar) -> list[HTTPRouteHandler]:
    """`GET /api/v1/metrics/period`."""

    def standing() -> Standing:
        rows = {key: entry.row for key, entry in hub.feeds["metrics"].entries.items()}
        told = {key: row for key, row in rows.items() if isinstance(row, MetricRow)}
        return Standing(hub.version, calendar.clock(), calendar.currency, told)

    @get("/api/v1/metrics/period", operation_id="list_period_metrics", operation_class=period())
    async def list_period_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List the metrics of any period, with those of the same part of the period before."""
        asked = asked_of(request, authorise)
        _period(asked.parameters, calendar)
        await reached(hub, asked.awaited)
        chosen = _period(asked.parameters, calendar)
        return json_answer(encode(await asyncio.to_thread(_answer, log, standing(), chosen, calendar.timezone)))

    return [list_period_metrics]
