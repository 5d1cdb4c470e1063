"""Problems: every refusal and failure over HTTP as problem details (RFC 9457).

What a client sent never becomes a 5xx: errors of the tree in core/errors.py keep their own status, the framework's become the error
that means the same. Anything else is our fault, says so, and names no detail; the log has it.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException

from stockwire.core.errors import (
    Failed,
    Invalid,
    MethodNotAllowed,
    NotFound,
    StockwireError,
    TooLarge,
    Unavailable,
    Unsupported,
)
from stockwire.core.wire import encode, problem

PROBLEM_JSON: Final = "application/problem+json"
_LOGGER: Final = logging.getLogger(__name__)
_MEANINGS: Final[dict[int, type[StockwireError]]] = {
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
    415: Unsupported,
    503: Unavailable,
}


def problem_response(error: StockwireError, **more: Any) -> Response[bytes]:
    """The answer for `error`. `more` are further members of the problem (what was stored before it happened)."""
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="stockwire"'
    body = encode({**problem(error), **more})
    return Response(body, status_code=error.status, media_type=PROBLEM_JSON, headers=headers)


def on_error(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer for whatever a route raised."""
    if isinstance(error, StockwireError):
        if isinstance(error, Failed) and not isinstance(error, Unavailable):
            _LOGGER.error("%s: %s", error.code, error.detail)
        return problem_response(error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        answer = problem_response(_MEANINGS.get(error.status_code, Invalid)())
        if error.status_code == 405 and error.headers:
            answer.headers.update(error.headers)
        return answer
    _LOGGER.error("a request failed", exc_info=error)
    return problem_response(Failed())
