"""Openings: whoever says what others said before gets just what they got, without being understood anew."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from stockwire.core.openings import Openings
from stockwire.core.rights import EVERYTHING, Rights
from stockwire.core.session import Session
from stockwire.core.wire import Frame
from tests.core.shop import Shop

SUBSCRIBE = {"type": "subscribe", "id": "all", "feed": "inventory"}


class Crowd:
    """Sessions over one shop that open by what they say."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.shop.write(A=1, B=2)
        self.openings = Openings(self.shop.hub)
        self.came = 0

    def session(self, rights: Rights = EVERYTHING) -> Session:
        self.came += 1
        return Session(f"s{self.came}", self.shop.hub, heartbeat=20.0, now=self.shop.seconds, rights=rights)

    def say(self, session: Session, *frames: dict[str, Any]) -> list[dict[str, Any]]:
        """A hello and these frames, at once; gives the answers."""
        now = self.shop.seconds
        bodies = tuple(json.dumps(each) for each in ({"type": "hello", "protocol": 1}, *frames))
        return shown(self.openings.begin(session, bodies, lambda: session.take(bodies, now), now))

    def come(self, *frames: dict[str, Any], rights: Rights = EVERYTHING) -> Session:
        session = self.session(rights)
        self.say(session, *frames)
        return session


def shown(frames: list[Frame]) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in frames]


def test_who_says_the_same_is_answered_the_same_by_another_name() -> None:
    crowd = Crowd()
    first, second = (crowd.say(crowd.session(), SUBSCRIBE) for _ in range(2))
    assert [each["type"] for each in second] == ["hello", "subscribed"]
    assert [each.pop("session") for each in (first[0], second[0])] == ["s1", "s2"]
    assert second == first


def test_what_many_say_is_understood_once() -> None:
    crowd = Crowd()
    crowd.come(SUBSCRIBE)
    second, third = (crowd.come(SUBSCRIBE) for _ in range(2))
    assert second.reading is third.reading


def test_each_holds_its_views_for_itself() -> None:
    crowd = Crowd()
    sessions = [crowd.come(SUBSCRIBE) for _ in range(3)]
    assert crowd.shop.hub.holders == 3
    for left, session in enumerate(sessions):
        session.close()
        assert crowd.shop.hub.holders == 2 - left


def test_the_same_content_follows() -> None:
    crowd = Crowd()
    first, second = (crowd.come(SUBSCRIBE) for _ in range(2))
    contents = [shown(list(each.pull(crowd.shop.seconds))) for each in (first, second)]
    assert [each["type"] for each in contents[0]] == ["snapshot"]
    assert contents[1] == contents[0]


def test_what_one_asks_for_later_is_its_own() -> None:
    crowd = Crowd()
    _, second, third = (crowd.come(SUBSCRIBE) for _ in range(3))
    second.take([json.dumps({"type": "pace", "interval": 5_000}), json.dumps({"type": "unsubscribe", "id": "all"})], 0)
    assert third.pace.interval == 0
    assert list(third.reading.held) and not second.reading.held


def test_other_rights_are_another_opening() -> None:
    crowd = Crowd()
    own = {"type": "subscribe", "id": "me", "feed": "people"}
    first, second = (crowd.come(own, rights=Rights(EVERYTHING.name, person)) for person in ("ada", "bob"))
    assert list(first.reading.held) != list(second.reading.held)


def test_after_a_batch_the_same_words_mean_something_else() -> None:
    crowd = Crowd()
    [_, subscribed] = crowd.say(crowd.session(), SUBSCRIBE)
    version = crowd.shop.version + 1
    resume = {**SUBSCRIBE, "cursor": f"v1.{crowd.shop.hub.epoch}.{version:016d}.{subscribed['view']}"}
    ahead = crowd.come(resume)
    crowd.shop.write(A=3)
    [held] = crowd.come(resume).reading.held.values()
    assert [each.reset for each in ahead.reading.held.values()] == ["ahead"]
    assert (held.cursor, held.reset) == (version, None)


def test_a_fault_is_told_to_each_who_makes_it() -> None:
    crowd = Crowd()
    wrong = {"type": "subscribe", "id": "all", "feed": "weather"}
    told = [crowd.say(crowd.session(), SUBSCRIBE, wrong) for _ in range(2)]
    assert [[each["type"] for each in answers] for answers in told] == [["hello", "subscribed", "error"]] * 2
    assert crowd.shop.hub.holders == 2


def test_who_does_not_begin_with_a_hello_is_ended_each_time() -> None:
    crowd = Crowd()
    said = (json.dumps(SUBSCRIBE),)
    for session in (crowd.session(), crowd.session()):
        assert crowd.openings.begin(session, said, partial(session.take, said, 0.0), 0.0) == []
        assert session.ending is not None and session.ending.code == 4502


def test_long_openings_are_not_kept() -> None:
    crowd = Crowd()
    long = {**SUBSCRIBE, "filter": {"sku": {"in": [f"SKU-{number:06d}" for number in range(450)]}}}
    first, second = (crowd.come(long) for _ in range(2))
    assert first.reading is not second.reading
    assert list(first.reading.held) == list(second.reading.held)
