"""Sending events: what a producer may rely on."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from stockwire.core.errors import Unavailable
from stockwire.transport.http.limits import SOURCES_MOST
from tests.http.place import HOST, Place, received


def ndjson(*events: Any) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def answered(answer: httpx.Response) -> tuple[int, int, int]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["accepted"], body["duplicates"], body["version"]


async def test_one_event_is_acknowledged_with_its_version(place: Place) -> None:
    assert answered(await place.post(json.dumps(received("1")))) == (1, 0, 2)


async def test_an_array_is_acknowledged_whole(place: Place) -> None:
    assert answered(await place.post(json.dumps([received("1"), received("2")]))) == (2, 0, 3)


async def test_a_repeat_changes_nothing(place: Place) -> None:
    await place.post(json.dumps(received("1")))
    assert answered(await place.post(json.dumps([received("1"), received("2")]))) == (1, 1, 3)


async def test_cloudevents_come_one_by_one_and_in_batches(place: Place) -> None:
    one = {"specversion": "1.0", "datacontenttype": "application/json", **received("1")}
    assert answered(await place.post(json.dumps(one), "application/cloudevents+json; charset=utf-8")) == (1, 0, 2)
    assert answered(await place.post(json.dumps([one]), "application/cloudevents-batch+json")) == (0, 1, 2)


async def test_an_empty_batch_is_no_error(place: Place) -> None:
    await place.post(json.dumps(received("1")))
    assert answered(await place.post("[]")) == (0, 0, 2)


async def test_a_gzip_body_is_inflated(place: Place) -> None:
    body = gzip.compress(json.dumps(received("1")).encode())
    assert answered(await place.post(body, **{"content-encoding": "gzip"})) == (1, 0, 2)


async def test_ndjson_of_any_length_is_taken_in_steps(place: Place) -> None:
    body = ndjson(*(received(str(number)) for number in range(2_500)))
    assert answered(await place.post(body, "application/x-ndjson")) == (2_500, 0, 2_501)


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_ndjson_is_understood_however_it_is_cut_on_its_way(place: Place, size: int) -> None:
    content = ndjson(*(received(str(number)) for number in range(3))) + b"\n" + ndjson(received("last")).rstrip()

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(content), size):
            yield content[at : at + size]

    assert answered(await place.post(body(), "application/x-ndjson")) == (4, 0, 5)


async def test_ndjson_that_stops_at_a_bad_line_says_what_is_stored(place: Place) -> None:
    body = ndjson(*(received(str(number)) for number in range(1_500))) + b'{"id": "bad"}\n' + ndjson(received("x"))
    answer = await place.post(body, "application/x-ndjson")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "interrupted")
    assert problem["committed"] == {"lines": 1_000, "accepted": 1_000, "duplicates": 0, "version": 1_001}
    assert [found["line"] for found in problem["problems"]] == [1_501]
    assert place.stored == 1_000


async def test_ndjson_sent_again_after_a_bad_line_is_never_taken_twice(place: Place) -> None:
    good = ndjson(*(received(str(number)) for number in range(1_200)))
    await place.post(good + b"nonsense\n", "application/x-ndjson")
    assert answered(await place.post(good, "application/x-ndjson")) == (200, 1_000, 1_201)


async def test_a_bad_batch_changes_nothing_and_names_each_bad_event(place: Place) -> None:
    bad = received("3", quantity=-1)
    answer = await place.post(json.dumps([received("1"), {"id": "2"}, bad, received("4")]))
    problem = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [found["index"] for found in problem["problems"]] == [1, 2]
    assert problem["problems"][1]["detail"] == "`data.quantity` must be above 0"
    assert place.stored == 0


async def test_at_most_a_hundred_bad_events_are_named(place: Place) -> None:
    problem = (await place.post(json.dumps([{}] * 500))).json()
    assert len(problem["problems"]) == 100
    assert problem["detail"].startswith("500 of 500 events cannot be taken; the first 100 are named")


async def test_a_body_that_ends_too_early_stores_nothing(place: Place) -> None:
    body = ndjson(*(received(str(number)) for number in range(10)))
    arrived = [{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return arrived.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {"authorization": "Bearer swk_till", "content-type": "application/x-ndjson", "host": HOST}
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/events", "raw_path": b"/api/v1/events", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": ("10.0.0.1", 1),
        "http_version": "1.1", "scheme": "http", "root_path": "", "server": None, "asgi": {"version": "3.0"},
    }  # fmt: skip
    await place.app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert place.stored == 0


async def test_a_shop_has_only_so_many_sources(place: Place) -> None:
    many = [{**received("1"), "source": f"till-{number}"} for number in range(SOURCES_MOST)]
    assert answered(await place.post(json.dumps(many)))[0] == SOURCES_MOST
    more = [{**received("2"), "source": "till-1"}, {**received("2"), "source": "one more"}]
    answer = await place.post(json.dumps(more))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answered(await place.post(json.dumps(more[:1])))[0] == 1
    assert place.stored == SOURCES_MOST + 1


async def test_a_full_server_asks_to_come_back_later(place: Place) -> None:
    await place.ingest.stop()
    answer = await place.post(json.dumps(received("1")))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_server_that_fills_up_during_ndjson_says_what_is_stored(place: Place) -> None:
    submit = place.ingest.submit

    async def once(events: Any) -> Any:
        place.ingest.submit = full  # type: ignore[method-assign]
        return await submit(events)

    async def full(events: Any) -> Any:
        raise Unavailable()

    place.ingest.submit = once  # type: ignore[method-assign]
    body = ndjson(*(received(str(number)) for number in range(1_001)))
    answer = await place.post(body, "application/x-ndjson")
    assert (answer.status_code, answer.json()["committed"]["lines"]) == (503, 1_000)


async def test_a_key_that_is_revoked_during_ndjson_stores_no_more(place: Place) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield ndjson(*(received(str(number)) for number in range(1_001)))
        del place.cabinet.keys["swk_till"]
        yield ndjson(received("too late"))

    answer = await place.post(body(), "application/x-ndjson")
    assert (answer.status_code, answer.json()["committed"]["lines"]) == (401, 1_000)
    assert place.stored == 1_000


async def test_an_event_just_ahead_of_the_clock_is_taken(place: Place) -> None:
    assert answered(await place.post(json.dumps({**received("1"), "time": "2026-03-25T12:05:00Z"}))) == (1, 0, 2)


async def test_numbers_are_kept_exactly_as_they_were_written(place: Place) -> None:
    await place.post(json.dumps(received("1")).replace('"quantity": 1', '"quantity": 0.125, "unit_cost": 6.95'))
    assert place.log.records()[-1].event.body == b'{"sku":"MUG","quantity":0.125,"unit_cost":6.95}'
