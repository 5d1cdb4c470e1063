"""A connection holds 128 views and not one more, on every transport."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stockwire.core.errors import TooLarge
from stockwire.core.session import VIEWS_MOST, Session
from stockwire.engine.asking import begin, parse_asking
from tests.core.shop import Shop


def view(number: int) -> dict[str, Any]:
    return {"id": f"v{number}", "feed": "inventory", "filter": {"on_hand": number}}


def said(session: Session, **frame: Any) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in session.receive(json.dumps(frame), 0.0)]


def test_the_next_view_is_refused_by_its_id_and_the_others_go_on() -> None:
    shop = Shop()
    session = Session("s", shop.hub, heartbeat=20, now=0.0)
    said(session, type="hello", protocol=1, client="test/1")
    for number in range(VIEWS_MOST):
        assert said(session, type="subscribe", **view(number))[0]["type"] == "subscribed"
    (refused,) = said(session, type="subscribe", **view(VIEWS_MOST))
    assert (refused["type"], refused["code"], refused["id"]) == ("error", "too_large", f"v{VIEWS_MOST}")
    assert not session.closed
    assert shop.hub.views == VIEWS_MOST == 128
    assert said(session, type="subscribe", **view(0))[0]["type"] == "subscribed"
    said(session, type="unsubscribe", id="v0")
    assert said(session, type="subscribe", **view(VIEWS_MOST))[0]["type"] == "subscribed"


def test_a_request_for_a_stream_names_no_more_than_a_connection_holds() -> None:
    shop = Shop()
    fits = parse_asking(b"", json.dumps({"views": [view(number) for number in range(VIEWS_MOST)]}).encode())
    frames = begin(Session("s", shop.hub, heartbeat=20, now=0.0), fits, 0.0)
    assert len(frames) == 1 + VIEWS_MOST
    with pytest.raises(TooLarge) as refusal:
        parse_asking(b"", json.dumps({"views": [view(number) for number in range(VIEWS_MOST + 1)]}).encode())
    assert (refusal.value.status, refusal.value.close_code) == (413, 4504)
