"""The HTTP API: events in, rows out, and who may.

Each noun has its file; `http_api` puts their routes together, and front.py sets them beside the page and the streams. Nothing
here decides about events or rows: it reads what a request asks for, asks the collaborators it was given, and writes down
their answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from litestar import Litestar

from stockwire.engine.hub import Hub
from stockwire.engine.previewing import History as Happenings
from stockwire.engine.pulse import Pulse
from stockwire.engine.receivers import Receivers
from stockwire.transport.http.access import Access, Credentials
from stockwire.transport.http.channels import channel_routes
from stockwire.transport.http.desk import Desk
from stockwire.transport.http.docs import document_route
from stockwire.transport.http.events import Ingest, Receipt, event_routes
from stockwire.transport.http.front import App, Front
from stockwire.transport.http.health import NotReady, health_routes
from stockwire.transport.http.limits import FUTURE_SECONDS
from stockwire.transport.http.notifications import notification_routes
from stockwire.transport.http.own import own_routes
from stockwire.transport.http.page import Page
from stockwire.transport.http.period import Told, period_routes
from stockwire.transport.http.problems import on_error
from stockwire.transport.http.queries import History, query_routes
from stockwire.transport.http.rules import rule_routes
from stockwire.transport.http.sales import Calendar, Sales, metric_routes
from stockwire.transport.http.session import session_routes

__all__ = ["Access", "App", "Calendar", "Credentials", "Front", "Ingest", "Page", "Receipt", "http_api"]


class Log(History, Happenings, Sales, Told, Protocol):
    """What the API asks the log."""


def http_api(
    *,
    ingest: Ingest,
    log: Log,
    hub: Hub,
    access: Access,
    calendar: Calendar,
    allowed_minutes: Mapping[str, int],
    receivers: Receivers,
    now: Callable[[], int],
    not_ready: NotReady,
    connections: Callable[[], int],
    future_seconds: int = FUTURE_SECONDS,
) -> Litestar:
    """The API as an ASGI application; give it to `Front`.

    `now` is the server's clock, a moment. `not_ready` says why requests should go elsewhere, `connections` counts open streams.
    """
    pulse = Pulse(hub, now)
    desk = Desk(access, hub, ingest, log, calendar, allowed_minutes)
    routes = [
        *event_routes(ingest, access.producer, hub, now=now, future_seconds=future_seconds),
        *query_routes(access.reader, hub, log),
        *metric_routes(access.reader, hub, log, calendar),
        *period_routes(access.reader, hub, log, calendar),
        *session_routes(access),
        *channel_routes(access, receivers),
        *rule_routes(desk),
        *notification_routes(desk),
        *own_routes(desk),
        *health_routes(
            access.reader,
            hub,
            not_ready=not_ready,
            connections=connections,
            events_per_minute=lambda: pulse.per_minute,
        ),
    ]
    return Litestar(
        [*routes, document_route(routes)],
        openapi_config=None,
        exception_handlers={Exception: on_error},
        request_max_body_size=None,
        logging_config=None,
    )
