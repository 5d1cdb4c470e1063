"""Posting: one HTTP request out, and what its answer means for the delivery.

The whole exchange has a deadline, however slowly the other side talks; of an answer only its beginning is read. No redirect is
followed: an address that sends on elsewhere is refused, because what was checked is not where it would end.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore

from stockwire.core.errors import Refused
from stockwire.core.retrying import SENT, Outcome
from stockwire.core.values import moment_datetime
from stockwire.transport.outgoing.guard import Guard, Guarded

DEADLINE: Final = 20.0
"""Seconds for an exchange as a whole."""
_ANSWER_BYTES: Final = 512


class Post:
    """The way out over HTTP. `trust` replaces the system's certificates; close it at the end."""

    def __init__(self, guard: Guard, *, deadline: float = DEADLINE, trust: ssl.SSLContext | None = None) -> None:
        self.guard = guard
        self._deadline = deadline
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust, max_connections=16, max_keepalive_connections=0, network_backend=Guarded(guard)
        )

    async def close(self) -> None:
        """Let go of every connection."""
        await self._pool.aclose()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes, now: int) -> Outcome:
        """Post a body. Never raises for what the other side does."""
        try:
            self.guard.parts(url)
            async with asyncio.timeout(self._deadline):
                return await self._exchange(url, headers, body, now)
        except Refused as error:
            return Outcome("refused", error.detail)
        except TimeoutError:
            return Outcome("failed", f"no answer within {self._deadline:g} seconds")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            return Outcome("failed", str(error) or type(error).__name__)

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes, now: int) -> Outcome:
        sent = {**headers, "host": self._host(url), "content-length": str(len(body)), "user-agent": "Stockwire"}
        async with self._pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
            said = b""
            async for piece in response.aiter_stream():
                said += piece
                if len(said) >= _ANSWER_BYTES:
                    break
            told = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            return understood(response.status, told.get(b"retry-after"), said[:_ANSWER_BYTES], now)

    def _host(self, url: str) -> str:
        return self.guard.parts(url).netloc


def understood(status: int, retry_after: str | None, said: bytes, now: int) -> Outcome:
    """What an HTTP answer means: `gone` only for what says that there is nothing any more."""
    if 200 <= status < 300:
        return SENT
    words = " ".join(said.decode("utf-8", "replace").split())[:200]
    detail = f"answered {status}" + (f": {words}" if words else "")
    if 300 <= status < 400:
        return Outcome("refused", f"answered {status}, a redirect; give the address that it leads to")
    if status == 410:
        return Outcome("gone", detail)
    return Outcome("failed", detail, seconds_of(retry_after, now))


def seconds_of(retry_after: str | None, now: int) -> int | None:
    """How many seconds a `Retry-After` means (RFC 9110, 10.2.3): a number of them, or a date. None for anything else."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    wait = until.astimezone(UTC) - moment_datetime(now)
    return max(0, round(wait.total_seconds()))
