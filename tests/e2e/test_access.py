"""Access from the first day, seen from outside the running program: who is let in, and by what."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.running import Running, running, snapshot, stockwire


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("access") / "data") as server:
        server.post(snapshot("MUG-01", 3))
        yield server


def sign_in(server: Running, link: str) -> httpx.Response:
    token = link.split("#")[1]
    return httpx.post(f"{server.url}/api/v1/session", json={"token": token}, headers={"Origin": server.url})


def test_it_listens_on_loopback_alone_unless_told_otherwise() -> None:
    shown = json.loads(stockwire("settings", "--json"))
    assert shown["host"]["value"] == "127.0.0.1"


def test_the_printed_link_signs_in_once(server: Running) -> None:
    printed = re.search(r"http\S+/sign-in#\S+", server.output.read_text())
    assert printed is not None
    first = sign_in(server, printed[0])
    assert first.status_code == 200
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "SameSite=Strict" in first.headers["set-cookie"]
    assert sign_in(server, printed[0]).status_code == 401


def test_a_session_reads_and_never_writes(server: Running) -> None:
    cookies = sign_in(server, server.link()).cookies
    assert httpx.get(f"{server.url}/api/v1/inventory", cookies=cookies).status_code == 200
    events = [snapshot("MUG-01", 4)]
    assert httpx.post(f"{server.url}/api/v1/events", json=events, cookies=cookies).status_code == 401


def test_keys_are_kept_as_hashes_alone(server: Running) -> None:
    secret = server.key.encode()
    for path in server.data_dir.iterdir():
        assert secret not in path.read_bytes(), path


def test_a_revoked_key_is_refused_while_the_server_runs(server: Running) -> None:
    said = stockwire("key", "create", "gone", "--scope", "read", "--data-dir", str(server.data_dir))
    headers = {"Authorization": f"Bearer {said.strip()}"}
    assert httpx.get(f"{server.url}/api/v1/inventory", headers=headers).status_code == 200
    stockwire("key", "revoke", "gone", "--data-dir", str(server.data_dir))
    assert httpx.get(f"{server.url}/api/v1/inventory", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/stream?feed=inventory", "/api/v1/poll?feed=inventory&wait=0"])
def test_a_stream_needs_somebody_who_may_read(server: Running, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 401
    foreign = server.headers | {"Origin": "https://elsewhere.example"}
    assert httpx.get(server.url + path, headers=foreign).status_code == 403


async def refusal(server: Running, headers: dict[str, str]) -> int:
    """The HTTP status or close code with which a WebSocket is refused."""
    try:
        async with connect(f"{server.url.replace('http', 'ws')}/api/v1/ws", additional_headers=headers) as socket:
            async with asyncio.timeout(60):
                await socket.recv()
    except InvalidStatus as refused:
        return refused.response.status_code
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code
    raise AssertionError("it was let in")


async def ending(server: Running, cookie: str) -> int:
    """The close code with which a WebSocket ends that this session opened and then signed out of."""
    headers = {"Cookie": cookie, "Origin": server.url}
    address = f"{server.url.replace('http', 'ws')}/api/v1/ws"
    async with connect(address, additional_headers=headers) as socket:
        await socket.send('{"type":"hello","protocol":1}')
        await socket.recv()
        async with httpx.AsyncClient() as client:
            await client.delete(f"{server.url}/api/v1/session", headers=headers)
        try:
            async with asyncio.timeout(60):
                while True:
                    await socket.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code


async def test_signing_out_ends_what_the_session_opened(server: Running) -> None:
    cookies = sign_in(server, server.link()).cookies
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert await ending(server, cookie) == 4500


def test_revoking_a_key_ends_the_event_stream_it_opened(server: Running) -> None:
    said = stockwire("key", "create", "watcher", "--scope", "read", "--data-dir", str(server.data_dir))
    headers = {"Authorization": f"Bearer {said.strip()}"}
    with httpx.stream("GET", f"{server.url}/api/v1/stream?feed=inventory", headers=headers, timeout=60) as stream:
        lines = stream.iter_lines()
        assert any("snapshot" in line for line in lines)
        stockwire("key", "revoke", "watcher", "--data-dir", str(server.data_dir))
        assert any('"code":"unauthenticated"' in line for line in lines)
        assert "heartbeat" not in "".join(lines)


async def test_a_websocket_needs_somebody_who_may_read(server: Running) -> None:
    assert await refusal(server, {}) == 401
    assert await refusal(server, {"Origin": server.url}) == 4500
    assert await refusal(server, server.headers | {"Origin": "https://elsewhere.example"}) == 403
