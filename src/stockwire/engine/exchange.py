"""An HTTP exchange over plain ASGI, for the transports that answer in their own time: read a small body, send an
answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from stockwire.core.errors import MethodNotAllowed, StockwireError, TooLarge, TooSlow
from stockwire.core.wire import encode, problem
from stockwire.engine.access import Headers
from stockwire.engine.limits import STREAM_BODY_BYTES, STREAM_BODY_SECONDS

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"x-frame-options", b"DENY"),
)
"""What every answer says to browsers."""
UNSTORED: Final = (
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"authorization, cookie, accept-encoding"),
)
"""What every streamed answer says to caches and proxies (P1.9)."""


_REFUSED: Final = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*", re.ASCII | re.IGNORECASE)


def takes_gzip(headers: Headers) -> bool:
    """Whether the answer may be compressed with gzip (RFC 9110, 12.5.3). It must be named: `*` is no wish for it."""
    for offer in (headers.get(b"accept-encoding") or "").split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip().lower() == "gzip":
            return _REFUSED.fullmatch(weight) is None
    return False


class Gone(Exception):
    """The other side closed the connection."""


def headers_of(scope: Scope) -> Headers:
    """The request's headers and address."""
    client = scope.get("client")
    return Headers(scope["headers"], client[0] if client else "")


async def body_of(scope: Scope, receive: Receive) -> bytes:
    """The request's body, at most 64 KiB. Raises MethodNotAllowed but for GET and POST, TooLarge, TooSlow, Gone."""
    if scope["method"] == "GET":
        return b""
    if scope["method"] != "POST":
        refusal = MethodNotAllowed()
        refusal.allow = "GET, POST"
        raise refusal
    try:
        async with asyncio.timeout(STREAM_BODY_SECONDS):
            return await _collected(receive)
    except TimeoutError:
        raise TooSlow() from None


async def _collected(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > STREAM_BODY_BYTES:
            raise TooLarge("the body of a stream request is at most 64 KiB")
        if not message.get("more_body", False):
            return b"".join(pieces)


async def gone(receive: Receive) -> None:
    """Return when the other side has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer(send: Send, status: int, body: bytes, content_type: bytes, *more: tuple[bytes, bytes]) -> None:
    """A whole answer."""
    fields = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *UNSTORED, *more]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, error: StockwireError) -> None:
    """The error as problem+json. Whose body does not come is not waited for any longer."""
    more: tuple[tuple[bytes, bytes], ...] = ()
    if error.retry_after is not None:
        more = ((b"retry-after", str(error.retry_after).encode()),)
    elif isinstance(error, MethodNotAllowed) and error.allow:
        more = ((b"allow", error.allow.encode()),)
    elif isinstance(error, TooSlow):
        more = ((b"connection", b"close"),)
    await answer(send, error.status, encode(problem(error)), b"application/problem+json", *more)
