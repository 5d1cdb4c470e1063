"""Looking back over HTTP (P9): the frames of another moment, an order and movements as they were then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from stockwire.engine.admission import Admission
from stockwire.engine.past import Past, World
from stockwire.log.memory import MemoryLog
from stockwire.testing import Receiver
from stockwire.transport import past
from stockwire.transport.past import LookingBack
from tests.core.ledger import at_text
from tests.log.history import busy_day, filled
from tests.transport.place import KEY, authorise

PAST = "/api/v1/past"


def describe(world: World) -> dict[str, Any]:
    return {"past": world.version, "shop": {"now": world.clock // 1_000}}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    worlds = Past(filled(MemoryLog()).log)
    application: Any = LookingBack(worlds, Admission(10, 10), authorise, describe)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers=KEY, timeout=30) as client:
        yield client
    await worlds.close()


async def frames(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    while (answer := await client.get(PAST, params=params)).status_code == 202:
        assert set(answer.json()) == {"done", "of"} and answer.headers["retry-after"] == "1"
    assert answer.status_code == 200, answer.text
    return list(answer.json()["frames"])


async def on_hand(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    receiver = Receiver()
    for each in await frames(client, feed="inventory", **params):
        receiver.take(each)
    return {"/".join(key): row["on_hand"] for key, row in receiver.rows("1").items()}


async def test_a_view_is_answered_as_it_was(client: httpx.AsyncClient) -> None:
    assert await on_hand(client, at=at_text("07:30")) == {}
    assert await on_hand(client, at=at_text("08:05")) == {"MUG/main": 40, "LAMP/north": 2.5}
    assert await on_hand(client, at=at_text("08:10"), sku="MUG", location="main") == {"MUG/main": 36}
    assert (await on_hand(client, at=6))["MUG/north"] == 4
    hello, *_ = await frames(client, feed="inventory", at=6)
    assert (hello["version"], hello["past"]) == (6, 6)


async def test_a_cursor_is_no_matter_because_the_whole_content_comes(client: httpx.AsyncClient) -> None:
    receiver = Receiver()
    for each in await frames(client, feed="orders", at=30):
        receiver.take(each)
    again = await frames(client, feed="orders", at=30, cursor=receiver.cursor("1"))
    assert [each["type"] for each in again] == ["hello", "subscribed", "snapshot"]


async def test_an_order_is_shown_with_its_lines_and_what_had_happened_to_it(client: httpx.AsyncClient) -> None:
    then, now = [(await client.get(PAST, params={"at": at, "order_id": "0005"})).json() for at in (18, len(busy_day()))]
    assert (then["order"]["status"], len(then["timeline"])) == ("placed", 1)
    assert now["order"]["status"] == "completed" and len(now["timeline"]) > 3
    assert then["lines"][0]["shipped"] == 0 < now["lines"][0]["shipped"]
    assert (await client.get(PAST, params={"at": 2, "order_id": "0005"})).status_code == 404


async def test_movements_end_with_the_moment(client: httpx.AsyncClient) -> None:
    row = {"sku": "MUG", "location": "main"}
    told = (await client.get(PAST, params={"at": 6, **row})).json()
    assert told["version"] == 6 and [each["version"] for each in told["rows"]] == [6, 4]
    assert (await client.get(PAST, params={"at": 2, **row})).status_code == 404


async def test_movements_come_by_page_as_they_do_now(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"sku": "MUG", "location": "main", "at": str(len(busy_day()))}
    whole = (await client.get(PAST, params=row)).json()
    monkeypatch.setattr(past, "MOVEMENTS_MOST", 2)
    pages = [(await client.get(PAST, params=row)).json()]
    while pages[-1]["next"]:
        pages.append((await client.get(PAST, params={**row, "before": pages[-1]["next"]})).json())
    assert len(pages) > 2 and [each for page in pages for each in page["rows"]] == whole["rows"]
    assert whole["next"] is None


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"feed": "inventory"}, 400),
        ({"feed": "inventory", "at": "yesterday"}, 400),
        ({"feed": "nothing", "at": "1"}, 400),
        ({"at": "1"}, 400),
        ({"feed": "inventory", "at": "1" * 30}, 400),
        ({"sku": "MUG", "location": "main", "at": "6", "before": "now"}, 400),
    ],
)
async def test_what_is_not_understood_is_refused(
    client: httpx.AsyncClient, params: dict[str, str], status: int
) -> None:
    answer = await client.get(PAST, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_who_is_not_signed_in_sees_no_past_either(client: httpx.AsyncClient) -> None:
    answer = await client.get(PAST, params={"feed": "orders", "at": "1"}, headers={"Authorization": "Bearer bad"})
    assert answer.status_code == 401
