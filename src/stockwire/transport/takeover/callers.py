"""Callers: the address a request comes from, also through a proxy that is trusted to say so, as everywhere in uvicorn."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from stockwire.engine.access import Headers
from stockwire.transport.takeover.reception import Fields


def caller(fields: Fields, peer: str, trusted: list[str] | str) -> Headers:
    """The request of somebody whose connection comes from `peer`; `trusted` are the proxies whose `X-Forwarded-For` counts."""
    headers = Headers(fields, peer)
    hosts = _hosts(trusted if isinstance(trusted, str) else ",".join(trusted))
    if peer in hosts:
        forwarded = headers.every(b"x-forwarded-for")
        if forwarded:
            return Headers(fields, hosts.get_trusted_client_address(forwarded)[0] or peer)
    return headers


@lru_cache(maxsize=4)
def _hosts(trusted: str) -> Any:
    return ProxyHeadersMiddleware(cast(Any, None), trusted).trusted_hosts
