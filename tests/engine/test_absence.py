"""Who was away for long gets every row that changed once, and a crowd that was away costs one encoding."""

from __future__ import annotations

import json

import pytest

from stockwire.core import feed
from stockwire.core.session import Session
from stockwire.core.views import parse_view
from stockwire.core.wire import Frame
from stockwire.engine import forms
from stockwire.engine.forms import Form, shaped
from tests.core.shop import Shop, changes, stock

ROWS = 2_000
ROUNDS = 25
"""How often each row changed meanwhile: fifty thousand events in all. `bench/views.py` does it with a million."""


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A shop in which many events passed over few rows."""
    shop = Shop()
    write_all(shop)
    shop.since = cursor(shop)  # type: ignore[attr-defined]
    for _ in range(ROUNDS):
        write_all(shop)
    return shop


def write_all(shop: Shop) -> None:
    """Change every row in one batch."""
    first = shop.version + 1
    rows = {(f"SKU{n}", "main"): stock(first + n, f"SKU{n}", first // ROWS % 90) for n in range(ROWS)}
    shop.version += ROWS
    shop.hub.publish(changes(shop.version, inventory=rows))


def cursor(shop: Shop) -> str:
    return f"v1.{shop.hub.epoch}.{shop.version:016d}.{parse_view({'feed': 'inventory'}).name}"


def come_back(shop: Shop) -> list[Frame]:
    """What a reader that was away for all of it gets."""
    session = Session("reader", shop.hub, heartbeat=20.0, now=shop.seconds)
    session.open()
    since = shop.since  # type: ignore[attr-defined]
    session.subscribe({"id": "a", "feed": "inventory", "cursor": since}, shop.seconds)
    return list(session.pull(shop.seconds))


def test_fifty_thousand_events_behind_means_two_thousand_rows(shop: Shop) -> None:
    frames = [json.loads(each.body) for each in come_back(shop)]
    rows = [row for each in frames for row in each["upsert"]]
    assert {each["type"] for each in frames} == {"delta"}
    assert len({row["sku"] for row in rows}) == len(rows) == ROWS
    assert frames[-1]["to"] == shop.version == ROWS * (ROUNDS + 1)
    assert {row["version"] for row in rows} == set(range(ROWS * ROUNDS + 1, shop.version + 1))


def test_a_crowd_behind_is_answered_with_the_very_same_frames_each_row_encoded_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[object] = []
    encode = feed.encode_row

    def note(name: object, row: object) -> bytes:
        encoded.append(row)
        return encode(name, row)  # type: ignore[arg-type]

    monkeypatch.setattr(feed, "encode_row", note)
    write_all(shop)
    crowd = [come_back(shop) for _ in range(50)]
    assert len(encoded) == ROWS
    assert all(mine is theirs for other in crowd for mine, theirs in zip(crowd[0], other, strict=True))


def test_what_a_crowd_gets_is_compressed_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[bytes] = []
    deflate = forms.deflate

    def note(data: bytes) -> bytes:
        packed.append(data)
        return deflate(data)

    monkeypatch.setattr(forms, "deflate", note)
    write_all(shop)
    live = shop.hub.open(parse_view({"feed": "inventory"}))
    parts = []
    for _ in range(20):
        part = shop.hub.snapshot(live).part(0)
        assert part is not None
        parts.append(shaped(Form.DEFLATED, part))
    assert len(packed) == 1
    assert all(each is parts[0] for each in parts)
    assert len(parts[0]) < len(packed[0]) / 5
