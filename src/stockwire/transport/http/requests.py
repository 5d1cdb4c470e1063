"""Requests as the rest of the package sees them."""

from __future__ import annotations

from typing import Any

from litestar import Request

from stockwire.engine.access import Headers


def asked_by(request: Request[Any, Any, Any]) -> Headers:
    """The request's headers and the address it came from: what access is decided by."""
    return Headers(list(request.scope["headers"]), request.client.host if request.client else "")
