"""The shop's clock on ticks (P6.1): told where it is the newest event's time, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stockwire.core.session import Session
from tests.core.shop import Shop


def beat(shop: Shop) -> dict[str, Any]:
    """The heartbeat that a reader of this shop gets."""
    session = Session("reader", shop.hub, heartbeat=20.0, now=shop.seconds)
    session.open()
    told: dict[str, Any] = json.loads(session.heartbeat(shop.seconds).body)
    return told


def test_a_shop_on_the_events_clock_tells_it_with_each_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    monkeypatch.setattr(shop.hub, "_describe", lambda: {"shop": {"clock": "events", "now": 1_774_447_331_000}})
    assert beat(shop)["now"] == 1_774_447_331_000


@pytest.mark.parametrize("described", [{}, {"shop": {"clock": "wall", "now": 1}}])
def test_a_shop_on_the_worlds_clock_does_not(described: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    monkeypatch.setattr(shop.hub, "_describe", lambda: described)
    assert "now" not in beat(shop)
