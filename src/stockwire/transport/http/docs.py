"""The API's documentation: the OpenAPI document, the page that shows it, and what each error means.

Nothing comes from outside: the page is ours, the browser of the document is built along with the dashboard. The routes of
the streams are plain ASGI and stand in the document too, because whoever looks for them looks here.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig

from stockwire import __version__
from stockwire.core.errors import StockwireError
from stockwire.core.wire import encode
from stockwire.transport.http.describing import asking, responses
from stockwire.transport.http.schemas import reference, schemas

_OPENAPI: Final = OpenAPIConfig(
    title="Stockwire",
    version=__version__,
    description="Stock, orders and key numbers, live. Events go in, rows come out.",
    use_handler_docstrings=True,
)
_SECURITY: Final = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key made by `stockwire key create`."},
    "session": {"type": "apiKey", "in": "cookie", "name": "stockwire", "description": "The page's session."},
}


def document_route(routes: Sequence[HTTPRouteHandler]) -> HTTPRouteHandler:
    """`GET /api/v1/openapi.json`, which describes `routes`. The document is made when it is first asked for."""

    @cache
    def made() -> bytes:
        return document(routes)

    @get("/api/v1/openapi.json", include_in_schema=False)
    async def get_openapi() -> Response[bytes]:
        return Response(made(), media_type="application/json", headers={"cache-control": "no-cache"})

    return get_openapi


def document(routes: Sequence[HTTPRouteHandler]) -> bytes:
    """The OpenAPI 3.1 document of the routes and the streams as JSON."""
    found = dict(Litestar(routes, openapi_config=_OPENAPI, logging_config=None).openapi_schema.to_schema())
    found["paths"] = {**found["paths"], **_streams()}
    found["components"] = {"schemas": schemas(), "securitySchemes": _SECURITY}
    found["security"] = [{"key": []}, {"session": []}]
    found["servers"] = [{"url": "/"}]
    return encode(found)


def _streams() -> dict[str, Any]:
    more = "The frames are those of the streaming protocol, spec/protocol.md."
    answers = responses("Alive", 400, 401, 403, 405, 408, 413, 429, 503)
    found: dict[str, Any] = {}
    for path, name, summary, media_type in (
        ("/api/v1/stream", "stream", "Read along as Server-Sent Events", "text/event-stream"),
        ("/api/v1/poll", "poll", "Read along by long-poll", "application/json"),
    ):
        content = {media_type: {"schema": {"type": "string"} if name == "stream" else {"type": "object"}}}
        answered = {**answers, "200": {"description": "Frames", "content": content}}
        operation = {"tags": ["Streams"], "summary": summary, "description": more, "responses": answered}
        body = {"content": {"application/json": {"schema": reference("Asking")}}, "required": True}
        found[path] = {
            "get": {**operation, "operationId": name, "parameters": asking()},
            "post": {**operation, "operationId": f"{name}_views", "requestBody": body},
        }
    return found


# --- pages --------------------------------------------------------------------------------------------------------

_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<title>{title}</title>
{more}</head>
<body>
"""
BROWSER: Final = (
    _HEAD.format(title="Stockwire API", more='<link rel="stylesheet" href="/docs/swagger-ui.css">\n')
    + '<div id="api"></div>\n<script src="/docs/swagger-ui-bundle.js"></script>\n'
    + '<script src="/docs/start.js"></script>\n</body>\n</html>\n'
)
"""The page that shows the document, once the API browser is built."""

START: Final = """SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
});
"""

UNBUILT: Final = (
    _HEAD.format(title="Stockwire API", more="")
    + "<h1>Stockwire API</h1>\n<p>The API browser is not built; <code>make build</code> builds it. "
    + 'The document itself is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>, '
    + 'the errors at <a href="/docs/errors">/docs/errors</a>.</p>\n</body>\n</html>\n'
)


def _errors(kind: type[StockwireError] = StockwireError) -> Iterator[type[StockwireError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _errors(child)


def error_page() -> str:
    """What every error code means: where a problem's `type` leads."""
    parts = [_HEAD.format(title="Errors", more=""), "<h1>Errors</h1>\n"]
    for kind in sorted(_errors(), key=lambda each: each.code):
        title = html.escape(" ".join((kind.__doc__ or "").split()))
        parts.append(f'<h2 id="{kind.code}">{kind.code}</h2>\n<p>{title} (HTTP {kind.status})</p>\n')
    return "".join([*parts, "</body>\n</html>\n"])
