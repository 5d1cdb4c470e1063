"""The front: which application a request is for, and the headers that every answer carries.

Paths of the API reach their routes still percent-encoded, so that an order id or a SKU may hold a slash; each route
decodes its own part.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from stockwire.engine.exchange import ALWAYS, API_POLICY, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

API_PATHS: Final = ("/api/", "/healthz", "/readyz")


def guarded(send: Send) -> Send:
    """`send`, with the headers that every answer carries where it does not set them itself."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            fields = list(message.get("headers", ()))
            have = {bytes(name).lower() for name, _ in fields}
            fields += [field for field in ALWAYS if field[0] not in have]
            if b"content-security-policy" not in have:
                fields.append((b"content-security-policy", API_POLICY.encode()))
            message = {**message, "headers": fields}
        await send(message)

    return sending


def unmounted(scope: Scope) -> Scope:
    """The request as it would have come to a server of our own: without the path under which we are mounted."""
    root: str = scope.get("root_path", "").rstrip("/")
    if not root:
        return scope
    path: str = scope["path"]
    raw = scope.get("raw_path") or quote(path).encode("ascii")
    packed = quote(root).encode("ascii")
    return {
        **scope,
        "root_path": "",
        "path": (path.removeprefix(root) if path.startswith(f"{root}/") else path) or "/",
        "raw_path": (raw.removeprefix(packed) if raw.startswith(packed + b"/") else raw) or b"/",
    }


class Front:
    """The whole server as one ASGI application. `streams` are the applications of the paths that answer in their own time."""

    def __init__(self, api: App, page: App, streams: Mapping[str, App] | None = None) -> None:
        self._api = api
        self._page = page
        self._streams = dict(streams or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._api(scope, receive, send)
            return
        scope = unmounted(scope)
        path: str = scope["path"]
        stream = self._streams.get(path)
        if scope["type"] == "websocket":
            if stream is None:
                await receive()
                await send({"type": "websocket.close", "code": 4501, "reason": "not_found"})
            else:
                await stream(scope, receive, send)
        elif stream is not None:
            await stream(scope, receive, guarded(send))
        elif path.startswith(API_PATHS):
            raw = scope.get("raw_path") or quote(path).encode("ascii")
            await self._api({**scope, "path": raw.partition(b"?")[0].decode("ascii")}, receive, guarded(send))
        else:
            await self._page(scope, receive, guarded(send))
