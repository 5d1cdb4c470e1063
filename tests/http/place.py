"""A server for tests of the HTTP API, whole but for the sockets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx

from stockwire.core.events import Event
from stockwire.core.values import moment
from stockwire.transport.http import http_api
from stockwire.transport.http.access import Access

NOW = moment("2026-03-25T12:00:00Z")
HOST = "127.0.0.1:8420"
ORIGIN = f"http://{HOST}"


class Holder(NamedTuple):
    """A key's or session's holder."""

    name: str
    scopes: tuple[str, ...]


class Cabinet:
    """Credentials in dictionaries."""

    def __init__(self) -> None:
        self.keys: dict[str, Holder] = {
            "swk_till": Holder("till", ("ingest",)),
            "swk_screen": Holder("screen", ("read",)),
        }
        self.tokens = {"once": True}
        self.sessions: dict[str, Holder] = {}

    def key(self, token: str) -> Holder | None:
        return self.keys.get(token)

    def session(self, token: str) -> Holder | None:
        return self.sessions.get(token)

    def sign_in(self, token: str) -> str | None:
        if not self.tokens.pop(token, False):
            return None
        session = hashlib.sha256(token.encode()).hexdigest()
        self.sessions[session] = Holder("owner", ("read",))
        return session

    def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)


class Receipt(NamedTuple):
    accepted: int
    duplicates: int
    version: int


class Notebook:
    """An ingest that writes events on a list."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.refusing: Exception | None = None

    @property
    def version(self) -> int:
        return len(self.events)

    async def submit(self, events: Sequence[Event]) -> Receipt:
        if self.refusing is not None:
            raise self.refusing
        have = {event.key for event in self.events}
        fresh = list({event.key: event for event in reversed(events) if event.key not in have}.values())[::-1]
        self.events += fresh
        return Receipt(len(fresh), len(events) - len(fresh), self.version)


class Place:
    """The API over a notebook, and a client of it. `post` sends events with the ingest key."""

    def __init__(self) -> None:
        self.notebook = Notebook()
        self.cabinet = Cabinet()
        self.seconds = 0.0
        self.access = Access(self.cabinet, origins=[ORIGIN], monotonic=lambda: self.seconds)
        self.app = http_api(
            ingest=self.notebook, access=self.access, now=lambda: NOW, version=lambda: self.notebook.version
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),  # type: ignore[arg-type]
            base_url=ORIGIN,
        )

    async def post(self, content: Any, content_type: str = "application/json", **headers: str) -> httpx.Response:
        sent = {"authorization": "Bearer swk_till", "content-type": content_type, **headers}
        return await self.client.post("/api/v1/events", content=content, headers=sent)
