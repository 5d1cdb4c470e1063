"""Replaying: the events' own rhythm at a speed, and sending until acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest

from stockwire.core.errors import Failed, Invalid, Unauthenticated
from stockwire.core.events import Event, parse_event
from stockwire.core.values import moment
from stockwire.importing.bringing import Sent, Tally
from stockwire.importing.posting import Posting
from stockwire.importing.replaying import replay, shifted
from stockwire.importing.rows import BadRow, Item, Parsed, envelope

NINE = "2010-07-01T09:00:00Z"


def counted(id_: str, time: str = NINE, note: str = "") -> Event:
    return parse_event(envelope("till", id_, "stock.counted", time, {"sku": "A-1", "quantity": 1, "note": note}))


class Clockwork:
    """Time that passes only by waiting, and a sink that notes when it got what."""

    def __init__(self, takes: float = 0.0) -> None:
        self.time = 0.0
        self.sent: list[tuple[float, list[str]]] = []
        self._takes = takes

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds

    def send(self, events: Sequence[Event]) -> Sent:
        self.sent.append((round(self.time, 3), [event.id for event in events]))
        self.time += self._takes
        return Sent(len(events), 0, len(self.sent))


def replayed(clockwork: Clockwork, speed: float | None, *results: Event | BadRow) -> Tally:
    tally = Tally()
    replay(results, clockwork, tally, speed, now=clockwork.now, wait=clockwork.wait)
    return tally


def test_events_keep_their_distances_divided_by_the_speed() -> None:
    clockwork = Clockwork()
    hour = [counted("1"), counted("2", "2010-07-01T09:30:00Z"), counted("3", "2010-07-01T10:00:00Z")]
    tally = replayed(clockwork, 60.0, *hour)
    assert clockwork.sent == [(0.0, ["1"]), (30.0, ["2"]), (60.0, ["3"])]
    assert tally.accepted == 3


def test_what_is_due_together_goes_out_together() -> None:
    clockwork = Clockwork()
    replayed(clockwork, 1.0, counted("1"), counted("2"), counted("3", "2010-07-01T09:00:05Z"))
    assert clockwork.sent == [(0.0, ["1", "2"]), (5.0, ["3"])]


def test_what_became_due_while_sending_goes_out_at_once() -> None:
    clockwork = Clockwork(takes=10.0)
    seconds = [counted(str(each), f"2010-07-01T09:00:{each:02d}Z") for each in (0, 2, 4, 20)]
    replayed(clockwork, 1.0, *seconds)
    assert clockwork.sent == [(0.0, ["0"]), (10.0, ["2", "4"]), (20.0, ["20"])]


def test_at_full_speed_nothing_waits() -> None:
    clockwork = Clockwork()
    replayed(clockwork, None, counted("1"), counted("2", "2011-07-01T09:00:00Z"))
    assert clockwork.sent == [(0.0, ["1", "2"])]


def test_a_time_that_runs_backwards_is_due_at_once() -> None:
    clockwork = Clockwork()
    replayed(clockwork, 1.0, counted("1"), counted("2", "2010-06-01T09:00:00Z"))
    assert clockwork.sent == [(0.0, ["1", "2"])]


def test_shifted_events_happen_when_they_are_sent() -> None:
    placed = envelope("shop", "1", "order.placed", NINE, {"promised_at": "2010-07-01T11:00:00Z"})
    later = envelope("shop", "2", "order.placed", "2010-07-01T10:00:00Z", {})
    start = moment("2026-03-02T08:00:00Z")
    items: list[Item] = [Parsed(2, 2, placed), BadRow(3, "no"), Parsed(4, 4, later)]
    moved = [item.envelope for item in shifted(iter(items), start, 60.0) if isinstance(item, Parsed)]
    assert [event["time"] for event in moved] == ["2026-03-02T08:00:00Z", "2026-03-02T08:01:00Z"]
    assert moved[0]["data"]["promised_at"] == "2026-03-02T08:02:00Z"
    assert placed["time"] == NINE


Answer = Callable[[httpx.Request], httpx.Response]


def posting(
    *answers: httpx.Response | Exception, waits: list[float] | None = None, seen: list[bytes] | None = None
) -> Posting:
    left: Iterator[httpx.Response | Exception] = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request.content)
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    client = httpx.Client(base_url="http://server.test", transport=httpx.MockTransport(answer))
    return Posting(client, "swk_key", wait=(waits if waits is not None else []).append, chance=lambda: 1.0)


def stored(accepted: int, duplicates: int = 0, version: int = 1) -> httpx.Response:
    return httpx.Response(200, json={"accepted": accepted, "duplicates": duplicates, "version": version})


def test_the_same_events_are_sent_until_they_are_acknowledged() -> None:
    waits: list[float] = []
    seen: list[bytes] = []
    gone = httpx.ConnectError("refused")
    sink = posting(
        gone, httpx.Response(503, headers={"Retry-After": "7"}), gone, httpx.Response(408), stored(0, 1, 9),
        waits=waits, seen=seen,
    )  # fmt: skip
    assert sink.send([counted("1")]) == Sent(0, 1, 9)
    assert waits == [1.0, 9.0, 4.0, 8.0]
    assert len(set(seen)) == 1


def test_a_batch_is_cut_to_the_servers_limits() -> None:
    seen: list[bytes] = []
    many = [counted(str(each)) for each in range(1_500)]
    assert posting(stored(1_000), stored(500), seen=seen).send(many).accepted == 1_500
    assert [len(json.loads(body)) for body in seen] == [1_000, 500]
    seen.clear()
    large = [counted(str(each), note="x" * 4_000) for each in range(400)]
    posting(stored(200), stored(200), seen=seen).send(large)
    assert all(len(body) < 1 << 20 for body in seen) and len(seen) == 2


@pytest.mark.parametrize("time", ["2010-07-01T09:00:00Z", "2010-07-01T09:00:00.250Z", "2010-07-01T09:00:00.000001Z"])
def test_what_is_sent_is_what_was_read(time: str) -> None:
    seen: list[bytes] = []
    event = counted("1", time)
    posting(stored(1), seen=seen).send([event])
    [told] = json.loads(seen[0])
    assert parse_event(told) == event


def test_a_refusal_is_not_tried_again() -> None:
    problem = {"title": "wrong", "detail": "an event is in the future", "problems": [{"index": 0, "detail": "time"}]}
    with pytest.raises(Invalid) as refused:
        posting(httpx.Response(400, json=problem)).send([counted("1")])
    assert refused.value.detail == "an event is in the future" and refused.value.problems == problem["problems"]


def test_a_missing_key_says_how_to_get_one() -> None:
    with pytest.raises(Unauthenticated, match="stockwire key create"):
        posting(httpx.Response(401, json={"detail": "sign in"})).send([counted("1")])


def test_no_server_is_told_before_anything_is_read() -> None:
    with pytest.raises(Failed, match="stockwire serve"):
        posting(httpx.ConnectError("refused")).reach()
