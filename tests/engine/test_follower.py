"""A process that follows: what it has not looked at yet never makes it tell a reader anything wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from stockwire.core.changes import Changes
from stockwire.core.cursor import Cursor
from stockwire.core.errors import LostTrack, StorageFailed
from stockwire.core.feed import Feed
from stockwire.core.rights import EVERYTHING
from stockwire.core.rows import FEEDS, SourceRow
from stockwire.core.session import Session
from stockwire.core.views import parse_view
from stockwire.engine.follower import Follower
from stockwire.engine.freshness import Freshness
from stockwire.engine.hub import Hub
from stockwire.engine.pulse import Pulse
from tests.core.shop import EPOCH, changes, stock

VIEW = {"type": "subscribe", "id": "stock", "feed": "inventory"}


class Tail:
    """A log's tail that the test writes. Each look gives one thing of `coming`, or raises it."""

    def __init__(self) -> None:
        self.coming: list[Changes | Exception] = []
        self.horizon = 0

    def look(self) -> Sequence[Changes]:
        if not self.coming:
            return []
        found = self.coming.pop(0)
        if isinstance(found, Exception):
            raise found
        return [found]

    def close(self) -> None: ...


class Place:
    """A process that follows, with a hub at version 0."""

    def __init__(self) -> None:
        self.now = 1_000_000_000
        self.tail = Tail()
        self.hub = Hub(
            {name: Feed(name) for name in FEEDS}, epoch=EPOCH, version=0, horizon=0, now=lambda: self.now,
            monotonic=lambda: 0.0, freshness=Freshness(), describe=dict, catch_up=lambda: self.follower.catch_up(),
        )  # fmt: skip
        self.follower = Follower(self.tail, self.hub.publish, self.hub.forget)
        self.session = Session("s", self.hub, heartbeat=20, now=0.0)
        self.say(type="hello", protocol=1, client="test/1")

    def say(self, **frame: Any) -> list[str]:
        """What the client says; gives the kinds of frames it gets until it is up to date."""
        answers = [*self.session.receive(json.dumps(frame), 0.0), *self.session.pull(0.0)]
        return [json.loads(each.body)["type"] for each in answers]

    def commit(self, version: int, **levels: int) -> None:
        rows = {(sku, "main"): stock(version, sku, level) for sku, level in levels.items()}
        self.tail.coming.append(changes(version, inventory=rows))


def cursor(version: int) -> str:
    return str(Cursor(EPOCH, version, parse_view(VIEW, EVERYTHING).name))


def test_a_cursor_from_a_process_that_is_further_goes_on_without_a_reset() -> None:
    place = Place()
    place.commit(1, MUG=1)
    place.commit(2, LAMP=2)
    said = place.say(**VIEW, cursor=cursor(2))
    assert "reset" not in said and "snapshot" not in said
    assert place.hub.version == 2


def test_a_cursor_that_nobody_can_have_given_is_reset() -> None:
    place = Place()
    place.commit(1, MUG=1)
    assert "reset" in place.say(**VIEW, cursor=cursor(9))


@pytest.mark.parametrize("trouble", [StorageFailed("locked"), LostTrack("gone")])
def test_a_reader_hears_nothing_of_a_look_that_failed(trouble: Exception) -> None:
    place = Place()
    place.tail.coming = [trouble]
    assert "reset" in place.say(**VIEW, cursor=cursor(1))
    assert not place.session.closed


async def test_losing_track_ends_the_following(caplog: pytest.LogCaptureFixture) -> None:
    place = Place()
    place.commit(1, MUG=1)
    place.tail.coming.append(LostTrack("the log's file was exchanged"))
    with pytest.raises(LostTrack):
        await place.follower.run()
    assert place.hub.version == 1


def test_a_new_horizon_is_passed_on_once_it_is_known() -> None:
    place = Place()
    place.commit(5, MUG=1)
    place.tail.horizon = 3
    place.follower.catch_up()
    assert place.hub.horizon == 3
    assert "reset" in place.say(**VIEW, cursor=cursor(2))


def test_the_pulse_counts_what_any_process_took() -> None:
    place = Place()
    pulse = Pulse(place.hub, lambda: place.now)

    def heard(version: int, events: int) -> None:
        row = SourceRow(version=version, source="till", newest_at=0, recorded_at=0, events=events)
        place.hub.publish(changes(version, sources={("till",): row}))

    heard(1, 3)
    heard(4, 10)
    assert pulse.per_minute == 10
    place.now += 59_000_000
    heard(5, 12)
    assert pulse.per_minute == 12
    place.now += 2_000_000
    assert pulse.per_minute == 2
