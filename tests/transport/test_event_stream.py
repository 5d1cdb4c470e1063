"""Server-sent events on real sockets, by clients that are not ours; taken over and by plain ASGI alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx_sse
import pytest

from stockwire.core.errors import Unauthenticated
from stockwire.testing import Receiver
from tests.transport.place import KEY, Place, served, until

STREAM = "/api/v1/stream"


@pytest.fixture(params=["taken over", "plain ASGI"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with served(Place(taken_over=request.param == "taken over")) as place:
        yield place


@pytest.fixture
async def client(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=place.url, headers=KEY, timeout=60) as client:
        yield client


async def read(
    client: httpx.AsyncClient, until_type: str, **request: Any
) -> tuple[Receiver, list[httpx_sse.ServerSentEvent]]:
    """A receiver (a new one, or `receiver`) that read until the first event of that type, and the events."""
    receiver, events = request.pop("receiver", None) or Receiver(), []
    async with httpx_sse.aconnect_sse(client, request.pop("method", "GET"), STREAM, **request) as source:
        async for event in source.aiter_sse():
            events.append(event)
            receiver.take(event.data)
            if event.event == until_type:
                break
    return receiver, events


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_reader_gets_what_is_there_and_what_changes(
    place: Place, client: httpx.AsyncClient, encoding: str
) -> None:
    place.shop.write(A=1, B=2)
    receiver = Receiver()
    headers = {"Accept-Encoding": encoding}
    async with httpx_sse.aconnect_sse(client, "GET", STREAM, params={"feed": "inventory"}, headers=headers) as source:
        compressed = source.response.headers.get("content-encoding") == "gzip"
        assert compressed is (encoding == "gzip" and place.taken_over)
        async for event in source.aiter_sse():
            receiver.take(event.data)
            if event.event == "snapshot":
                assert event.retry is None
                place.shop.write(A=9)
            if event.event == "delta":
                break
    assert {key[0]: row["on_hand"] for key, row in receiver.rows("1").items()} == {"A": 9, "B": 2}
    await until(lambda: place.admission.connections == 0)


async def test_the_first_event_is_the_hello_and_says_how_soon_to_come_back(
    place: Place, client: httpx.AsyncClient
) -> None:
    _, events = await read(client, "snapshot", params={"feed": "inventory"})
    assert (events[0].event, events[0].retry) == ("hello", 1_000)


async def test_the_last_event_id_resumes_where_it_stopped(place: Place, client: httpx.AsyncClient) -> None:
    place.shop.write(A=1, B=2)
    receiver, events = await read(client, "snapshot", params={"feed": "inventory"})
    place.shop.write(B=3)
    last = {"Last-Event-ID": events[-1].id}
    _, later = await read(client, "delta", params={"feed": "inventory"}, headers=last, receiver=receiver)
    assert [row["sku"] for row in json.loads(later[-1].data)["upsert"]] == ["B"]


async def test_views_may_be_posted(place: Place, client: httpx.AsyncClient) -> None:
    place.shop.write(A=1)
    views = [{"id": "x", "feed": "inventory"}, {"id": "y", "feed": "orders"}]
    receiver, _ = await read(client, "snapshot", method="POST", json={"views": views, "interval": 1_000})
    assert set(receiver.ids) == {"x", "y"}


@pytest.mark.parametrize(
    ("params", "status"), [({"feed": "nothing"}, 400), ({}, 400), ({"feed": "inventory", "interval": "x"}, 400)]
)
async def test_a_request_that_is_not_understood_is_refused_with_the_reason(
    client: httpx.AsyncClient, params: dict[str, str], status: int
) -> None:
    answer = await client.get(STREAM, params=params)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(STREAM, content=b" " * 70_000)
    assert answer.status_code == 413


async def test_without_a_key_the_request_is_refused(place: Place) -> None:
    async with httpx.AsyncClient(base_url=place.url) as stranger:
        answer = await stranger.get(STREAM, params={"feed": "inventory"})
    assert answer.status_code == 401


async def test_a_stream_may_follow_an_ordinary_request_on_one_connection(
    place: Place, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/anything")).text == "ok"
    receiver, _ = await read(client, "snapshot", params={"feed": "inventory"})
    assert receiver.seen[0] == "hello"


async def test_a_refused_connection_is_not_counted(place: Place, client: httpx.AsyncClient) -> None:
    await client.get(STREAM, params={"feed": "nothing"})
    await until(lambda: place.admission.connections == 0)
    assert place.shop.hub.holders == 0


async def test_a_drain_ends_the_stream_with_a_bye(place: Place, client: httpx.AsyncClient) -> None:
    async with httpx_sse.aconnect_sse(client, "GET", STREAM, params={"feed": "inventory"}) as source:
        events = source.aiter_sse()
        assert (await anext(events)).event == "hello"
        draining = asyncio.create_task(place.admission.drain(lambda: 0.25))
        names = [event.event async for event in events]
        assert names[-1] == "bye"
        await draining


async def test_who_may_no_longer_stay_hears_so_at_the_end_of_the_stream(
    place: Place, client: httpx.AsyncClient
) -> None:
    async with httpx_sse.aconnect_sse(client, "GET", STREAM, params={"feed": "inventory"}) as source:
        events = source.aiter_sse()
        assert (await anext(events)).event == "hello"
        await place.admission.turn_out(place.admission.credentials, Unauthenticated())
        assert [event.event async for event in events][-1] == "error"


async def test_a_first_content_of_many_parts_arrives_whole(place: Place, client: httpx.AsyncClient) -> None:
    place.shop.write(**{f"SKU{number}": number for number in range(3_500)})
    receiver = Receiver()
    async with httpx_sse.aconnect_sse(client, "GET", STREAM, params={"feed": "inventory"}) as source:
        async for event in source.aiter_sse():
            receiver.take(event.data)
            if event.id:
                break
    assert len(receiver.rows("1")) == 3_500
