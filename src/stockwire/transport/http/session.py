"""The page's session: a one-time token becomes a cookie that scripts cannot read."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.handlers import HTTPRouteHandler

from stockwire.core.errors import Invalid, Unsupported
from stockwire.core.wire import encode
from stockwire.transport.http.access import Access, Cookie
from stockwire.transport.http.body import decode, whole
from stockwire.transport.http.describing import signed_in, signing_in, signing_out
from stockwire.transport.http.limits import SIGN_IN_BYTES
from stockwire.transport.http.requests import asked_by, pieces


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in."""

    name: str


def session_routes(access: Access) -> list[HTTPRouteHandler]:
    """The routes of `/api/v1/session`."""

    @post("/api/v1/session", status_code=200, operation_id="sign_in", operation_class=signing_in())
    async def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Sign in with a one-time token."""
        headers = asked_by(request)
        access.check_origin(headers)
        if (headers.get(b"content-type") or "").partition(";")[0].strip().lower() != "application/json":
            raise Unsupported("a sign-in comes as application/json")
        asked = decode(
            await whole(
                pieces(request), headers.get(b"content-encoding"), headers.get(b"content-length"), most=SIGN_IN_BYTES
            )
        )
        token = asked.get("token") if isinstance(asked, dict) else None
        if not isinstance(token, str) or not token:
            raise Invalid("a sign-in is a JSON object with the text `token`")
        cookie, holder = access.sign_in(headers, token)
        return _answer(encode(SignedIn(holder.name)), cookie)

    @get("/api/v1/session", operation_id="get_session", operation_class=signed_in())
    async def get_session(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Say who is signed in."""
        return _answer(encode(SignedIn(access.reader(asked_by(request)).name)))

    @delete("/api/v1/session", status_code=204, operation_id="sign_out", operation_class=signing_out())
    async def sign_out(request: Request[Any, Any, Any]) -> Response[None]:
        """Sign out."""
        cookie = access.sign_out(asked_by(request))
        return Response(None, status_code=204, headers={"cache-control": "no-store", "set-cookie": cookie.header})

    return [sign_in, get_session, sign_out]


def _answer(body: bytes, cookie: Cookie | None = None) -> Response[bytes]:
    headers = {"cache-control": "no-store"}
    if cookie is not None:
        headers["set-cookie"] = cookie.header
    return Response(body, media_type="application/json", headers=headers)
