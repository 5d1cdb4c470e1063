"""A server for tests of the HTTP API: everything that `app.py` wires, over a log in memory and without sockets."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import httpx

from stockwire.core.changes import Changes
from stockwire.core.events import ShopConfigured
from stockwire.core.feed import Feed
from stockwire.core.rows import FEEDS
from stockwire.core.values import moment
from stockwire.engine.freshness import Freshness
from stockwire.engine.hub import Hub
from stockwire.engine.ingest import Ingest
from stockwire.engine.receivers import Receivers
from stockwire.log.deliveries import Deliveries
from stockwire.log.memory import MemoryLog
from stockwire.transport.http import Access, App, Calendar, Front, Page, http_api
from stockwire.transport.outgoing.guard import Guard
from stockwire.transport.outgoing.ways import Ways
from tests.log.blank import blank

NOW = moment("2026-03-25T12:00:00Z")
HOST = "127.0.0.1:8420"
ORIGIN = f"http://{HOST}"
ELSEWHERE = "http://evil.example"


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
            "swk_desk": Holder("desk", ("read", "manage")),
        }
        self.tokens = {"once", "twice"}
        self.sessions: dict[str, Holder] = {}
        self.asked = 0

    def key(self, token: str) -> Holder | None:
        self.asked += 1
        return self.keys.get(token)

    def session(self, token: str) -> Holder | None:
        self.asked += 1
        return self.sessions.get(token)

    def sign_in(self, token: str) -> str | None:
        self.asked += 1
        if token not in self.tokens:
            return None
        self.tokens.discard(token)
        session = hashlib.sha256(token.encode()).hexdigest()
        self.sessions[session] = Holder("owner", ("read",))
        return session

    def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)


class Place:
    """The whole server. `post` sends events with an ingest key, `read` gets with a read key, `page` is a browser's client."""

    def __init__(self, folder: Path) -> None:
        self.cabinet = Cabinet()
        self.seconds = 0.0
        self.unready: list[str] = []
        self.log = MemoryLog()
        self.hub = Hub(
            {name: Feed(name) for name in FEEDS},
            epoch=self.log.epoch,
            version=0,
            horizon=0,
            now=lambda: NOW,
            monotonic=lambda: self.seconds,
            freshness=Freshness(),
            describe=lambda: {"server": "stockwire/test", "build": "test", "shop": {"name": "Test"}},
        )
        config = ShopConfigured(timezone="Europe/London", currency="EUR", allowed_minutes={})
        self.ingest = Ingest(self.log, self.log.load(), config, now=lambda: NOW, published=self._published)
        kept = folder.with_name(f"{folder.name}-kept")
        kept.mkdir(exist_ok=True)
        self.deliveries = Deliveries(blank(kept), lambda: NOW)
        self.receivers = Receivers(
            self.deliveries,
            Ways(Guard(["127.0.0.1"]), self.deliveries, ""),
            now=lambda: NOW,
            token=lambda: secrets.token_hex(6),
        )
        self.access = Access(self.cabinet, origins=[ORIGIN], monotonic=lambda: self.seconds)
        self.api = http_api(
            ingest=self.ingest,
            log=self.log,
            hub=self.hub,
            access=self.access,
            calendar=Calendar("Europe/London", "EUR", lambda: NOW),
            allowed_minutes={},
            receivers=self.receivers,
            now=lambda: NOW,
            not_ready=lambda: self.unready,
            connections=lambda: 3,
        )
        self.app = Front(cast(App, self.api), Page(folder))
        transport = httpx.ASGITransport(cast(Any, self.app))
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    def _published(self, changes: Changes) -> None:
        self.hub.publish(changes)

    async def start(self) -> None:
        await self.ingest.start()

    async def stop(self) -> None:
        await self.client.aclose()
        await self.ingest.stop()
        self.deliveries.close()
        self.log.close()

    @property
    def stored(self) -> int:
        """How many events of sources are in the log."""
        return sum(record.event.source != "stockwire" for record in self.log.records(limit=100_000))

    async def post(self, content: Any, content_type: str = "application/json", **headers: str) -> httpx.Response:
        sent = {"authorization": "Bearer swk_till", "content-type": content_type, **headers}
        return await self.client.post("/api/v1/events", content=content, headers=sent)

    async def tell(self, *events: dict[str, Any]) -> int:
        """Post events that are known to be good; gives the version."""
        answer = await self.post(json.dumps(events))
        assert answer.status_code == 200, answer.text
        return int(answer.json()["version"])

    async def read(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={"authorization": "Bearer swk_screen", **headers})

    async def rows(self, path: str) -> list[dict[str, Any]]:
        """The rows of an answer that must be good."""
        answer = await self.read(path)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["rows"])


def event(id_: str, type_: str, time: str = "2026-03-25T11:00:00Z", **data: Any) -> dict[str, Any]:
    """An event as its sender writes it."""
    return {"id": id_, "source": "till", "type": type_, "time": time, "data": data}


def received(id_: str, sku: str = "MUG", quantity: Any = 1, **more: Any) -> dict[str, Any]:
    """Goods that arrived."""
    return event(id_, "stock.received", sku=sku, quantity=quantity, **more)


def placed(order_id: str, *prices: str, time: str = "2026-03-25T11:00:00Z", **more: Any) -> dict[str, Any]:
    """An order with one line of quantity 1 for each price."""
    lines = [{"sku": "MUG", "quantity": 1, "unit_price": price} for price in prices or ("6.95",)]
    return event(f"placed-{order_id}", "order.placed", time, order_id=order_id, currency="EUR", lines=lines, **more)


def escaped(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")
