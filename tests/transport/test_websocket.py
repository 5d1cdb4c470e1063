"""The WebSocket on real sockets, by a client that is not ours; taken over and by plain ASGI alike."""

from __future__ import annotations

import asyncio
import json
import os
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Opcode

from stockwire.core.errors import Unauthenticated
from stockwire.engine.admission import Admission
from stockwire.testing import Receiver
from tests.transport.place import KEY, Place, served, until

HELLO = json.dumps({"type": "hello", "protocol": 1, "client": "test/1"})
SUBSCRIBE = json.dumps({"type": "subscribe", "id": "all", "feed": "inventory"})


@pytest.fixture(params=["taken over", "plain ASGI"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with served(Place(taken_over=request.param == "taken over")) as place:
        yield place


@pytest.fixture
async def taken() -> AsyncIterator[Place]:
    async with served(Place()) as place:
        yield place


def dial(place: Place, **more: Any) -> Any:
    return connect(place.ws, additional_headers=KEY, subprotocols=[websockets.Subprotocol("stockwire.v1")], **more)


async def frame(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(60):
        return dict(json.loads(await client.recv()))


async def closed(client: ClientConnection) -> int:
    """Read to the end; gives the close code."""
    async with asyncio.timeout(60):
        try:
            while True:
                await client.recv()
        except websockets.ConnectionClosed as ended:
            assert ended.rcvd is not None
            return ended.rcvd.code


@pytest.mark.parametrize("version", [0, 2])
async def test_a_reader_one_version_apart_is_served(place: Place, version: int) -> None:
    offer = websockets.Subprotocol(f"stockwire.v{version}")
    async with connect(place.ws, additional_headers=KEY, subprotocols=[offer]) as client:
        assert client.subprotocol == offer
        await client.send(HELLO.replace('"protocol": 1', f'"protocol": {version}'))
        assert (await frame(client))["type"] == "hello"


async def test_a_reader_gets_what_is_there_and_what_changes(place: Place) -> None:
    place.shop.write(A=1, B=2)
    receiver = Receiver()
    async with dial(place) as client:
        assert client.subprotocol == "stockwire.v1"
        await client.send(HELLO)
        await client.send(SUBSCRIBE)
        while "snapshot" not in receiver.seen:
            receiver.take(await frame(client))
        place.shop.write(A=5)
        while "delta" not in receiver.seen:
            receiver.take(await frame(client))
    levels = {key[0]: row["on_hand"] for key, row in receiver.rows("all").items()}
    assert levels == {"A": 5, "B": 2}
    await until(lambda: place.admission.connections == 0)


async def test_a_reader_that_comes_back_gets_exactly_the_difference(place: Place) -> None:
    place.shop.write(A=1, B=2)
    receiver = Receiver()
    async with dial(place) as client:
        await client.send(HELLO)
        await client.send(SUBSCRIBE)
        while "snapshot" not in receiver.seen:
            receiver.take(await frame(client))
    place.shop.write(B=7)
    async with dial(place) as client:
        await client.send(HELLO)
        await client.send(json.dumps(json.loads(SUBSCRIBE) | {"cursor": receiver.cursor("all")}))
        while "delta" not in receiver.seen:
            told = receiver.take(await frame(client))
    assert [row["sku"] for row in told["upsert"]] == ["B"]


async def test_a_first_frame_that_is_no_hello_ends_the_connection(place: Place) -> None:
    async with dial(place) as client:
        await client.send(SUBSCRIBE)
        assert await closed(client) == 4502


@pytest.mark.parametrize(
    ("sent", "code"),
    [("[]", 4501), ("{", 4501), ('{"type":"dance"}', 4501), (b"{}", 4501), ("x" * 65_537, 4504)],
    ids=["no object", "no JSON", "unknown", "binary", "too large"],
)
async def test_a_bad_frame_ends_the_connection_with_an_error(place: Place, sent: str | bytes, code: int) -> None:
    async with dial(place, compression=None) as client:
        await client.send(HELLO)
        await frame(client)
        await client.send(sent)
        assert (await frame(client))["type"] == "error"
        assert await closed(client) == code


async def test_without_a_key_the_handshake_is_refused(place: Place) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(place.ws)
    assert refused.value.response.status_code == 401


async def test_a_page_without_a_key_gets_a_close_code_that_it_can_read(place: Place) -> None:
    offers = [websockets.Subprotocol("stockwire.v1")]
    async with connect(place.ws, origin=websockets.Origin("http://localhost"), subprotocols=offers) as client:
        assert client.subprotocol == "stockwire.v1"
        assert await closed(client) == 4500


async def test_who_may_no_longer_stay_hears_so_and_is_closed(place: Place) -> None:
    async with dial(place) as client:
        await client.send(HELLO)
        assert (await frame(client))["type"] == "hello"
        await place.admission.turn_out(place.admission.credentials, Unauthenticated())
        assert (await frame(client))["code"] == "unauthenticated"
        assert await closed(client) == 4500


async def test_over_the_limit_the_answer_is_to_come_back_later() -> None:
    async with served(Place(admission=Admission(1, 1))) as place, dial(place):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await dial(place)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "5"


async def test_when_too_many_come_at_once_the_answer_is_to_come_back_later() -> None:
    async with served(Place(admission=Admission(9, 9, rate=0.5))) as place, dial(place):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await dial(place)
        assert refused.value.response.status_code == 503
        assert int(refused.value.response.headers["Retry-After"]) >= 1


async def test_a_drain_says_bye_and_waits_until_all_have_gone(place: Place) -> None:
    async with dial(place) as client:
        await client.send(HELLO)
        await frame(client)
        draining = asyncio.create_task(place.admission.drain(lambda: 0.5))
        bye = await frame(client)
        assert (bye["type"], bye["reason"], bye["reconnect_in"]) == ("bye", "drain", 1_000)
        assert await closed(client) == 4001
        await draining


async def test_compressed_frames_say_the_same(taken: Place) -> None:
    taken.shop.write(**{f"SKU{number}": number for number in range(300)})
    async with dial(taken) as client:
        assert client.response is not None
        assert "server_no_context_takeover" in client.response.headers["Sec-WebSocket-Extensions"]
        await client.send(HELLO)
        await client.send(SUBSCRIBE)
        told = await frame(client)
        while told["type"] != "snapshot":
            told = await frame(client)
        assert len(told["rows"]) == 300
        for level in range(5):
            taken.shop.write(**{f"SKU{number}": level for number in range(20)})
            assert len((await frame(client))["upsert"]) == 20


async def test_a_message_in_fragments_with_a_ping_between_is_understood(taken: Place) -> None:
    async with dial(taken) as client:

        async def pieces() -> AsyncIterator[str]:
            yield HELLO[:9]
            async with asyncio.timeout(60):
                await (await client.ping())
            yield HELLO[9:]

        await client.send(pieces())
        assert (await frame(client))["type"] == "hello"


async def raw(place: Place, more: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    """A WebSocket by hand; gives its streams and the answer's head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(
        f"GET /api/v1/ws HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer good\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
        .encode()
    )  # fmt: skip
    head = await reader.readuntil(b"\r\n\r\n")
    return reader, writer, head.decode()


def masked(opcode: int, payload: bytes, *, compressed: bool = False) -> bytes:
    """A client's frame."""
    first = 0x80 | opcode | (0x40 if compressed else 0)
    mask = os.urandom(4)
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    if len(payload) < 126:
        return bytes((first, 0x80 | len(payload))) + mask + body
    return bytes((first, 0x80 | 126)) + len(payload).to_bytes(2, "big") + mask + body


async def test_a_message_that_inflates_without_end_is_refused_before_it_takes_room(taken: Place) -> None:
    reader, writer, head = await raw(taken, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert "permessage-deflate" in head
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(b" " * 40_000_000) + packer.flush(zlib.Z_SYNC_FLUSH)
    writer.write(masked(Opcode.TEXT, bomb[:-4], compressed=True))
    end = await reader.read()
    assert b'"too_large"' in end
    assert (4504).to_bytes(2, "big") in end
    writer.close()


async def test_an_unmasked_frame_ends_the_connection(taken: Place) -> None:
    reader, writer, _ = await raw(taken)
    writer.write(b"\x81\x02{}")
    assert (await reader.read())[:4] == b"\x88\x02" + (1002).to_bytes(2, "big")
    writer.close()


async def test_a_silent_connection_keeps_no_inbox(taken: Place) -> None:
    async with dial(taken) as client:
        await client.send(HELLO)
        await frame(client)
        [link] = taken.admission._guests
        assert link._inbox is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", True), ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate; server_max_window_bits=15", True), ("permessage-deflate; server_max_window_bits=10", False),
        ("permessage-deflate; surprise", False), ("x-other", False),
        ("permessage-deflate; server_max_window_bits=9, permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", False),
    ],
)  # fmt: skip
async def test_compression_is_agreed_on_only_as_it_can_be_kept(taken: Place, offer: str, answer: bool) -> None:
    _, writer, head = await raw(taken, f"Sec-WebSocket-Extensions: {offer}\r\n")
    assert ("permessage-deflate" in head) is answer
    writer.close()


async def test_a_stalled_reader_holds_little_and_changes_nothing_for_the_others(taken: Place) -> None:
    taken.shop.write(**{f"SKU{number}": 0 for number in range(100)})
    _, writer, _ = await raw(taken)
    for said in (HELLO, SUBSCRIBE):
        writer.write(masked(Opcode.TEXT, said.encode()))
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    async with dial(taken, max_size=None) as client:
        await client.send(HELLO)
        await client.send(SUBSCRIBE)
        await until(lambda: taken.streams.rounds.links == 2)
        receiver = Receiver()
        while "snapshot" not in receiver.seen:
            receiver.take(await frame(client))
        for level in range(1, 400):
            taken.shop.write(**{f"SKU{number}": level for number in range(100)})
            while receiver.views[receiver.ids["all"]].version != taken.shop.version:
                receiver.take(await frame(client))
    late = [link for link in taken.admission._guests if link.is_late]  # type: ignore[attr-defined]
    assert len(late) == 1
    assert late[0].outlet.get_write_buffer_size() < 200_000  # type: ignore[attr-defined]
    writer.close()
