"""Requests as the rest of the package sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request

from stockwire.core.errors import TooSlow
from stockwire.engine.access import Headers


def asked_by(request: Request[Any, Any, Any]) -> Headers:
    """The request's headers and the address it came from: what access is decided by."""
    return Headers(list(request.scope["headers"]), request.client.host if request.client else "")


async def pieces(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """The request's body as it comes. Raises TooSlow when the connection ends before the body does."""
    more = True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise TooSlow("the connection was closed before the body was whole")
        more = message.get("more_body", False)
        if message["body"]:
            yield message["body"]
