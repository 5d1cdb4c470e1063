"""Long-poll on real sockets: equal questions are one, and what did not change is not sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from stockwire.core.errors import Unauthenticated
from stockwire.core.rows import PersonRow
from stockwire.testing import Receiver
from tests.core.shop import changes
from tests.transport.place import KEY, Place, served, until

POLL = "/api/v1/poll"


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with served(Place()) as place:
        place.shop.write(A=1, B=2)
        yield place


@pytest.fixture
async def client(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=place.url, headers=KEY, timeout=60) as client:
        yield client


async def ask(client: httpx.AsyncClient, receiver: Receiver, **params: Any) -> httpx.Response:
    """One poll, taken in."""
    answer = await client.get(POLL, params={"feed": "inventory", **params})
    for frame in answer.json()["frames"]:
        receiver.take(frame)
    return answer


async def test_a_poll_gives_what_is_there_and_the_next_what_changes(place: Place, client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    await ask(client, receiver)
    waiting = asyncio.create_task(ask(client, receiver, cursor=receiver.cursor("1")))
    await until(lambda: place.admission.connections == 1)
    place.shop.write(A=7)
    await waiting
    assert {key[0]: row["on_hand"] for key, row in receiver.rows("1").items()} == {"A": 7, "B": 2}


async def test_what_is_a_persons_own_is_given_to_nobody_who_asks_the_same(
    place: Place, client: httpx.AsyncClient
) -> None:
    rows = {(person,): PersonRow(version=3, person=person) for person in ("ann", "ben")}
    place.shop.hub.publish(changes(3, people=rows))

    async def own(person: str) -> set[str]:
        answer = await client.get(POLL, params={"feed": "people"}, headers={"x-person": person})
        return {row["person"] for frame in answer.json()["frames"] for row in frame.get("rows", ())}

    assert [await own(person) for person in ("ann", "ben", "nobody", "ann")] == [{"ann"}, {"ben"}, set(), {"ann"}]


async def test_equal_questions_wait_together_and_get_the_same_answer(place: Place, client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    await ask(client, receiver)
    cursor = receiver.cursor("1")
    params = {"feed": "inventory", "cursor": cursor}
    waiting = [asyncio.create_task(client.get(POLL, params=params)) for _ in range(20)]
    await until(lambda: place.admission.connections == 20)
    assert place.shop.hub.listeners == 2
    place.shop.write(A=7)
    answers = {(await each).content for each in waiting}
    assert len(answers) == 1
    await until(lambda: place.shop.hub.listeners == 1)


async def test_one_who_leaves_does_not_end_the_wait_of_the_others(place: Place, client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    await ask(client, receiver)
    params = {"feed": "inventory", "cursor": receiver.cursor("1")}
    first = asyncio.create_task(client.get(POLL, params=params))
    await until(lambda: place.admission.connections == 1)
    second = asyncio.create_task(client.get(POLL, params=params))
    await until(lambda: place.admission.connections == 2)
    first.cancel()
    await until(lambda: place.admission.connections == 1)
    place.shop.write(A=7)
    assert (await second).json()["frames"][-1]["type"] == "delta"


async def test_when_the_last_has_left_the_wait_is_over(place: Place, client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    await ask(client, receiver)
    waiting = asyncio.create_task(client.get(POLL, params={"feed": "inventory", "cursor": receiver.cursor("1")}))
    await until(lambda: place.admission.connections == 1)
    waiting.cancel()
    await until(lambda: place.admission.connections == 0 and place.shop.hub.listeners == 1)
    await until(lambda: place.shop.hub.holders == 0)


async def test_content_that_did_not_change_is_not_sent_again(place: Place, client: httpx.AsyncClient) -> None:
    tag = (await client.get(POLL, params={"feed": "inventory"})).headers["etag"]
    again = await client.get(POLL, params={"feed": "inventory"}, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    place.shop.write(A=9)
    changed = await client.get(POLL, params={"feed": "inventory"}, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_an_answer_without_news_has_no_tag(place: Place, client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    await ask(client, receiver)
    answer = await ask(client, receiver, cursor=receiver.cursor("1"), wait=0)
    assert answer.json()["frames"][-1]["type"] == "heartbeat"
    assert "etag" not in answer.headers


async def test_an_answer_is_compressed_for_who_takes_it(client: httpx.AsyncClient) -> None:
    plain = await client.get(POLL, params={"feed": "inventory"}, headers={"Accept-Encoding": "identity"})
    packed = await client.get(POLL, params={"feed": "inventory"}, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["frames"][1:] == plain.json()["frames"][1:]


async def test_who_waits_when_the_server_drains_is_told_to_come_back(place: Place, client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    await ask(client, receiver)
    waiting = asyncio.create_task(client.get(POLL, params={"feed": "inventory", "cursor": receiver.cursor("1")}))
    await until(lambda: place.admission.connections == 1)
    await place.admission.drain(lambda: 0.5)
    assert (await waiting).json()["frames"][-1]["type"] == "bye"


async def test_who_waits_and_may_no_longer_stay_is_refused(place: Place, client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    await ask(client, receiver)
    waiting = asyncio.create_task(client.get(POLL, params={"feed": "inventory", "cursor": receiver.cursor("1")}))
    await until(lambda: place.admission.credentials)
    await place.admission.turn_out(place.admission.credentials, Unauthenticated())
    assert (await waiting).status_code == 401


async def test_a_question_that_is_not_understood_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get(POLL, params={"feed": "nothing"})).status_code == 400
