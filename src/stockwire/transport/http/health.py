"""Health: whether the process lives, whether it is ready for requests, and how it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from stockwire.core.errors import Problem, Unavailable
from stockwire.core.wire import encode
from stockwire.engine.hub import Hub
from stockwire.transport.http.describing import alive
from stockwire.transport.http.describing import status as status_described
from stockwire.transport.http.queries import Authorise, json_answer
from stockwire.transport.http.requests import asked_by

NotReady = Callable[[], Sequence[str]]
"""Gives why requests should go elsewhere for now ("draining"); nothing when all is well."""


def health_routes(
    authorise: Authorise,
    hub: Hub,
    *,
    not_ready: NotReady,
    connections: Callable[[], int],
    events_per_minute: Callable[[], int],
) -> list[HTTPRouteHandler]:
    """`/healthz`, `/readyz` and `/api/v1/status`. `connections` counts open streams."""

    @get("/healthz", operation_id="get_health", operation_class=alive())
    async def get_health() -> Response[bytes]:
        """Say that the process lives."""
        return json_answer(b'{"status":"ok"}')

    @get("/readyz", operation_id="get_ready", operation_class=alive())
    async def get_ready() -> Response[bytes]:
        """Say whether requests may come."""
        reasons = not_ready()
        if reasons:
            raise Unavailable(problems=[Problem(detail=reason) for reason in reasons])
        return json_answer(b'{"status":"ready"}')

    @get("/api/v1/status", operation_id="get_status", operation_class=status_described())
    async def get_status(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Show the log's version, the open streams, the sources and the rate of events."""
        authorise(asked_by(request))
        shown = {
            **hub.hello(),
            "connections": connections(),
            "events_per_minute": events_per_minute(),
            "sources": hub.sources(),
        }
        return json_answer(encode(shown))

    return [get_health, get_ready, get_status]
