"""Under other ASGI servers, and mounted inside another application, every transport shows the same as ever."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import hypercorn.asyncio
import pytest
import uvicorn
import websockets
from fastapi import FastAPI
from granian.server.embed import Server as Granian
from httpx_sse import aconnect_sse
from hypercorn.config import Config as HypercornConfig

from stockwire.asgi import application, opened
from stockwire.log.access import FILE, Access
from stockwire.settings import Settings
from stockwire.testing import Receiver
from tests.running import free_port, snapshot

VIEW = {"id": "stock", "feed": "inventory"}

App = Any
Serve = Callable[[App, int], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def under_hypercorn(app: App, port: int) -> AsyncIterator[None]:
    config = HypercornConfig()
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 0.1
    config.errorlog = None
    ending = asyncio.Event()
    serving = asyncio.create_task(hypercorn.asyncio.serve(app, config, shutdown_trigger=ending.wait))  # type: ignore[arg-type]
    try:
        yield
    finally:
        ending.set()
        await serving


@asynccontextmanager
async def under_granian(app: App, port: int) -> AsyncIterator[None]:
    server = Granian(app, address="127.0.0.1", port=port, interface="asgi", log_enabled=False)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()
        await serving


@asynccontextmanager
async def under_uvicorn(app: App, port: int) -> AsyncIterator[None]:
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="wsproto", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server._serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()


def mounted(settings: Settings) -> FastAPI:
    """A FastAPI application with the shop under /shop and something of its own."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings) as shop:
            app.mount("/shop", shop)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/own")
    async def own() -> dict[str, str]:
        return {"own": "answer"}

    return app


class Shown:
    """What one reader sees over one transport, from `url` on."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {key}"}
        self.receiver = Receiver()

    def _view(self) -> dict[str, Any]:
        cursor = self.receiver.cursor("stock")
        return VIEW if cursor is None else {**VIEW, "cursor": cursor}

    def _reached(self, version: int) -> bool:
        held = self.receiver.views.get(self.receiver.ids.get("stock", ""))
        return held is not None and held.version is not None and held.version >= version

    async def websocket(self, version: int) -> None:
        address = self.url.replace("http", "ws", 1) + "/api/v1/ws"
        async with websockets.connect(address, additional_headers=self.headers) as link:
            await link.send(json.dumps({"type": "hello", "protocol": 1, "client": "test/1"}))
            await link.send(json.dumps({"type": "subscribe", **self._view()}))
            while not self._reached(version):
                self.receiver.take(await link.recv())

    async def sse(self, version: int) -> None:
        async with httpx.AsyncClient(headers=self.headers, timeout=30) as client:
            asking = {"views": [self._view()]}
            async with aconnect_sse(client, "POST", f"{self.url}/api/v1/stream", json=asking) as source:
                async for event in source.aiter_sse():
                    self.receiver.take(event.data)
                    if self._reached(version):
                        return

    async def poll(self, version: int) -> None:
        async with httpx.AsyncClient(headers=self.headers, timeout=60) as client:
            while not self._reached(version):
                answer = await client.post(f"{self.url}/api/v1/poll", json={"views": [self._view()], "wait": 20})
                for frame in answer.json()["frames"]:
                    self.receiver.take(frame)


def settings_of(directory: Path) -> Settings:
    return Settings(data_dir=directory, clock="events")


async def key_for(directory: Path) -> str:
    """A key for everything, made beside the running server."""
    store = Access(directory / FILE)
    try:
        return store.create_key("test", ("ingest", "read"))
    finally:
        store.close()


async def answers(url: str) -> None:
    """Wait until the server answers that it is ready."""
    async with httpx.AsyncClient(timeout=5) as client, asyncio.timeout(60):
        while True:
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.02)


async def read_along(url: str, key: str) -> None:
    """Three readers, one a transport, each connected twice: what they show is what the API says."""
    readers = {name: Shown(url, key) for name in ("websocket", "sse", "poll")}
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as sender:
        for amount in (1, 2):
            sent = [snapshot(f"SKU-{number}", amount * number) for number in range(1, 40)]
            answer = await sender.post("/api/v1/events", json=sent)
            assert answer.status_code == 200, answer.text
            version = answer.json()["version"]
            async with asyncio.timeout(60):
                await asyncio.gather(*(getattr(reader, name)(version) for name, reader in readers.items()))
        told = (await sender.get("/api/v1/inventory", params={"limit": 100})).json()
    rows = {(row["sku"], row["location"]): row for row in told["rows"]}
    for name, reader in readers.items():
        assert reader.receiver.rows("stock") == rows, name
        assert "reset" not in reader.receiver.seen, name
        assert reader.receiver.seen.count("snapshot") == 1, name
    assert {key[0]: row["on_hand"] for key, row in rows.items()} == {f"SKU-{n}": 2 * n for n in range(1, 40)}


@pytest.mark.parametrize("serve", [under_hypercorn, under_granian, under_uvicorn])
async def test_every_transport_converges_under(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKWIRE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STOCKWIRE_CLOCK", "events")
    port = free_port()
    async with serve(application, port):
        url = f"http://127.0.0.1:{port}"
        await answers(url)
        await read_along(url, await key_for(tmp_path))


@pytest.mark.parametrize("serve", [under_hypercorn, under_uvicorn])
async def test_every_transport_converges_inside_fastapi_under(serve: Serve, tmp_path: Path) -> None:
    port = free_port()
    async with serve(mounted(settings_of(tmp_path)), port):
        url = f"http://127.0.0.1:{port}"
        await answers(f"{url}/shop")
        async with httpx.AsyncClient(timeout=30) as client:
            assert (await client.get(f"{url}/own")).json() == {"own": "answer"}
            assert (await client.get(f"{url}/shop/api/v1/status")).status_code == 401
        await read_along(f"{url}/shop", await key_for(tmp_path))


async def test_a_directory_that_is_taken_keeps_the_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKWIRE_DATA_DIR", str(tmp_path))
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        said.append(message)

    async with opened(settings_of(tmp_path)):
        await application({"type": "lifespan"}, receive, send)
    assert [each["type"] for each in said] == ["lifespan.startup.failed"]
    assert "owns the data directory" in said[0]["message"]
