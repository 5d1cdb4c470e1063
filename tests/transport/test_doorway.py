"""The doorway: what becomes of a connection must not depend on how its first bytes come, but that streams come cheaper."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from stockwire.engine.access import Headers
from stockwire.engine.limits import HEAD_BYTES, HEAD_SECONDS
from stockwire.listening import INHERITED, bound
from stockwire.transport.takeover import doorway
from stockwire.transport.takeover.callers import caller
from stockwire.transport.takeover.doorway import Doorway, Porch, Uvicorns
from stockwire.transport.takeover.heads import stream_head
from tests.transport.place import KEY, Place, authorise, served, until

HANDSHAKE = [
    "GET /api/v1/ws HTTP/1.1", "Host: shop.example", f"Authorization: {KEY['Authorization']}", "Upgrade: websocket",
    "Connection: keep-alive, Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
]  # fmt: skip
STREAM = [
    "GET /api/v1/stream?feed=inventory HTTP/1.1", "Host: shop.example", f"Authorization: {KEY['Authorization']}",
]  # fmt: skip


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with served(Place()) as place:
        yield place


def head(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def instead(lines: list[str], of: str, by: str) -> list[str]:
    """The lines, with one that begins so given another way."""
    assert any(line.startswith(of) for line in lines)
    return [by if line.startswith(of) else line for line in lines]


async def answer(place: Place, *pieces: bytes) -> str:
    """The head of the answer to bytes that come in these pieces, without what differs each time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    try:
        async with asyncio.timeout(60):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                for _ in range(3):
                    await asyncio.sleep(0)
            found = (await reader.readuntil(b"\r\n\r\n")).decode()
        return "\n".join(line for line in found.splitlines() if not line.startswith(("date:", "content-length:")))
    finally:
        writer.close()


def halves(data: bytes) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    yield data[len(data) // 2 :]


ASKED = {
    "a WebSocket": (HANDSHAKE, "101"),
    "an event stream": (STREAM, "200"),
    "events by a longer query": (
        instead(STREAM, "GET", "GET /api/v1/stream?feed=orders&interval=5000 HTTP/1.1"),
        "200",
    ),
    "somebody unknown": (instead(HANDSHAKE, "Authorization", "Authorization: Bearer bad"), "401"),
    "a page that is not signed in": ([*instead(HANDSHAKE, "Authorization", "Origin: http://shop.example")], "101"),
    "a bad key of a handshake": (instead(HANDSHAKE, "Sec-WebSocket-Key", "Sec-WebSocket-Key: short"), "400"),
    "an old version of WebSockets": (instead(HANDSHAKE, "Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), "400"),
    "a feed there is not": (instead(STREAM, "GET", "GET /api/v1/stream?feed=weather HTTP/1.1"), "400"),
    "no feed": (instead(STREAM, "GET", "GET /api/v1/stream HTTP/1.1"), "400"),
    "events by HTTP/1.0": (instead(STREAM, "GET", "GET /api/v1/stream?feed=inventory HTTP/1.0"), "200"),
    "events from a page elsewhere": (instead(STREAM, "GET", "GET /api/v1/streams?feed=inventory HTTP/1.1"), "200"),
    "something else": (["GET / HTTP/1.1", "Host: shop.example"], "200"),
    "another upgrade": (["GET / HTTP/1.1", "Host: shop.example", "Upgrade: h2c", "Connection: Upgrade"], "200"),
    "expectations": ([*STREAM, "Expect: 100-continue"], "200"),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_the_answer_is_the_same_however_the_head_comes(place: Place, asked: str) -> None:
    lines, status = ASKED[asked]
    whole = head(lines)
    answers = {
        await answer(place, whole),
        await answer(place, *halves(whole)),
        await answer(place, *(whole[at : at + 1] for at in range(len(whole)))),
    }
    [said] = answers
    assert said.split()[1] == status


async def test_what_is_no_http_is_said_to_be_none(place: Place) -> None:
    whole = head(["GET /api/v1/ws WHAT/1.1", "Host: shop.example"])
    answers = {await answer(place, whole), await answer(place, whole[:3], whole[3:])}
    [said] = answers
    assert said.split()[1] == "400"


@pytest.mark.parametrize("lines", [HANDSHAKE, STREAM], ids=["a WebSocket", "an event stream"])
async def test_nothing_of_http_is_made_for_a_stream(
    place: Place, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("given to uvicorn")

    monkeypatch.setattr(doorway, "Requests", never)
    assert (await answer(place, head(lines))).split()[1] in ("101", "200")
    await until(lambda: place.admission.connections == 0)


async def test_a_second_request_behind_the_first_is_not_lost(place: Place) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(head(["GET / HTTP/1.1", "Host: shop.example"]) + head(STREAM))
    async with asyncio.timeout(60):
        first = await reader.readuntil(b"ok")
        second = await reader.readuntil(b"event: snapshot")
    assert first.startswith(b"HTTP/1.1 200 OK") and b"text/event-stream" in second
    writer.close()


def forwarded(*by: str) -> list[str]:
    return [
        *instead(STREAM, "Authorization", "Authorization: Bearer bad"),
        *(f"X-Forwarded-For: {each}" for each in by),
    ]


@pytest.mark.parametrize("way", ["whole", "in halves"])
async def test_who_calls_through_a_proxy_is_whoever_the_proxy_names(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noting(headers: Headers) -> Any:
        asked.append(headers.address)
        return authorise(headers)

    monkeypatch.setattr("tests.transport.place.authorise", noting)
    async with served(Place()) as place:
        for by in ((), ("10.1.1.1",), ("6.6.6.6, 10.1.1.2",), ("6.6.6.6", "10.1.1.3")):
            whole = head(forwarded(*by))
            await answer(place, *([whole] if way == "whole" else halves(whole)))
    assert asked == ["127.0.0.1", "10.1.1.1", "10.1.1.2", "10.1.1.3"]


def test_nobody_but_a_proxy_that_is_trusted_says_who_calls() -> None:
    fields = [(b"x-forwarded-for", b"10.1.1.1")]
    assert caller(fields, "192.0.2.7", "127.0.0.1").address == "192.0.2.7"
    assert caller(fields, "192.0.2.7", ["127.0.0.1", "192.0.2.0/24"]).address == "10.1.1.1"


@pytest.mark.parametrize(
    "data",
    [
        head(STREAM)[:-1],
        head(STREAM) + b"\x81",
        head(STREAM) + head(STREAM),
        head([*STREAM, "Content-Length: 2"]),
        head([*STREAM, "Content-Length: 4"]) + b"\r\n\r\n",
        head([*STREAM, "Transfer-Encoding: chunked"]),
        head(instead(STREAM, "GET", "POST /api/v1/stream HTTP/1.1")),
        head(instead(HANDSHAKE, "Connection", "Connection: keep-alive")),
        head(instead(STREAM, "GET", "GET /api/v1/ws HTTP/1.1")),
        head([*STREAM, f"X-Long: {'x' * HEAD_BYTES}"]),
        head([*STREAM, "X-Bad : 1"]),
    ],
)
def test_what_is_not_one_whole_request_for_a_stream_is_left_to_uvicorn(data: bytes) -> None:
    assert stream_head(data) is None


def test_a_whole_one_is_understood() -> None:
    found = stream_head(head(STREAM))
    assert found is not None
    assert (found.upgrade, found.query) == (False, b"feed=inventory")
    assert (b"host", b"shop.example") in found.fields


class Transport:
    """A connection that is only asked whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Loop:
    """A loop whose time is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[float, Any, tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *arguments: Any) -> None:
        self.calls.append((when, callback, arguments))

    def look(self, now: float) -> None:
        """Run what is due."""
        self.now = now
        for call in [each for each in self.calls if each[0] <= now]:
            self.calls.remove(call)
            call[1](*call[2])


class Door:
    """A porch, and those who come to it."""

    def __init__(self) -> None:
        self.loop = Loop()
        self._porch = Porch()
        self._state = type("State", (), {"connections": set()})()

    def come(self, now: float) -> tuple[Doorway, Transport]:
        self.loop.look(now)
        transport = Transport()
        uvicorns = Uvicorns(cast(Any, None), self._state, {}, cast(Any, self.loop))
        who = Doorway(cast(Any, None), self._porch, uvicorns)
        who.connection_made(cast(Any, transport))
        return who, transport


def test_whoever_says_nothing_is_sent_away_in_time() -> None:
    door = Door()
    _, first = door.come(0.0)
    _, second = door.come(4.0)
    door.loop.look(HEAD_SECONDS - 0.1)
    assert not first.closed
    door.loop.look(HEAD_SECONDS)
    assert first.closed and not second.closed
    door.loop.look(HEAD_SECONDS + 4.0)
    assert second.closed


def test_one_timer_is_enough_for_all_at_the_door_and_none_when_nobody_is() -> None:
    door = Door()
    came = [door.come(0.001 * number)[0] for number in range(1_000)]
    assert len(door.loop.calls) == 1
    for who in came:
        who.connection_lost(None)
    door.loop.look(HEAD_SECONDS)
    assert door.loop.calls == []


def test_a_process_that_stood_still_hears_first_what_came_meanwhile() -> None:
    door = Door()
    _, transport = door.come(0.0)
    door.loop.look(HEAD_SECONDS + 60.0)
    assert not transport.closed
    door.loop.look(HEAD_SECONDS + 61.0)
    assert transport.closed


async def test_a_head_in_pieces_gets_no_more_time_than_a_whole_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[float] = []

    class Noting(doorway.Requests):
        def __init__(self, *arguments: Any, patience: float) -> None:
            left.append(patience)
            super().__init__(*arguments, patience=patience)

    monkeypatch.setattr(doorway, "Requests", Noting)
    await answer(place, *halves(head(STREAM)))
    assert 0 < left[0] < HEAD_SECONDS


async def test_whoever_is_at_the_door_does_not_hold_up_a_stop() -> None:
    async with served(Place()) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        await until(lambda: place.server.server_state.connections)
    async with asyncio.timeout(60):
        assert await reader.read() == b""
    writer.close()


async def test_connections_have_the_patience_of_their_listener() -> None:
    with bound("127.0.0.1", 0) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()[:2]):
            accepted, _ = listener.accept()
            with accepted:
                for option, value in INHERITED:
                    assert accepted.getsockopt(socket.IPPROTO_TCP, option) == value
