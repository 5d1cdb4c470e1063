"""The HTTP API: events in, rows out, and who may.

Each noun has its file; `http_api` puts their routes together. Nothing here decides about events or rows: it reads what
a request asks for, asks the collaborators it was given, and writes down their answer.
"""

from __future__ import annotations

from collections.abc import Callable

from litestar import Litestar

from stockwire.transport.http.access import Access
from stockwire.transport.http.events import FUTURE_SECONDS, Ingest, Pulse, event_routes
from stockwire.transport.http.problems import on_error


def http_api(
    *,
    ingest: Ingest,
    access: Access,
    now: Callable[[], int],
    version: Callable[[], int],
    future_seconds: int = FUTURE_SECONDS,
) -> Litestar:
    """The API as an ASGI application. `now` is the server's clock, a moment."""
    pulse = Pulse(now)
    return Litestar(
        [*event_routes(ingest, access.producer, now=now, version=version, pulse=pulse, future_seconds=future_seconds)],
        openapi_config=None,
        exception_handlers={Exception: on_error},
        request_max_body_size=None,
        logging_config=None,
    )
