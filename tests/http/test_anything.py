"""Whatever is sent, the answer is an event, or a refusal that names what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.core.errors import Refused
from stockwire.core.events import INTERNAL_TYPES, TYPES
from stockwire.core.feed import Feed
from stockwire.core.rights import EVERYTHING
from stockwire.core.rows import InventoryRow
from stockwire.transport.http.body import decode, flaw_in
from stockwire.transport.http.events import understand_body
from stockwire.transport.http.reading import page_after, page_of, parse_parameters, parse_reading
from tests.http.place import NOW

texts = st.text(max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(["1.5", "2026-03-25T11:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({field for kind in TYPES.values() for field in kind.__struct_encode_fields__})
envelopes = st.fixed_dictionaries(
    {
        "id": st.just("1") | anything,
        "source": st.just("till") | anything,
        "type": st.sampled_from(sorted(set(TYPES) - INTERNAL_TYPES)) | anything,
        "time": st.just("2026-03-25T11:00:00Z") | st.datetimes().map(lambda at: at.isoformat() + "Z") | anything,
        "data": st.dictionaries(st.sampled_from(FIELDS) | texts, anything, max_size=6) | anything,
    }
)


@given(envelopes | st.lists(envelopes, max_size=3) | anything)
def test_a_body_gives_events_or_a_refusal(value: Any) -> None:
    try:
        events = understand_body(json.dumps(value).encode(), "application/json", NOW)
    except Refused as refusal:
        assert refusal.detail
    else:
        assert len(events) == (len(value) if isinstance(value, list) else 1)
        assert all(json.loads(event.body) is not None for event in events)


@given(st.binary(max_size=200))
def test_bytes_give_a_value_or_a_refusal(body: bytes) -> None:
    try:
        value = decode(body)
    except Refused as refusal:
        assert refusal.detail
    else:
        assert flaw_in(value) is not None or json.dumps(value, default=str)


@given(st.binary(max_size=80))
def test_a_query_gives_a_reading_or_a_refusal(query: bytes) -> None:
    try:
        parse_reading("inventory", parse_parameters(query), EVERYTHING)
    except Refused as refusal:
        assert refusal.detail


rows = st.lists(
    st.builds(
        InventoryRow,
        version=st.just(1),
        sku=st.sampled_from("abcdefgh"),
        location=st.sampled_from("xyz"),
        on_hand=st.integers(0, 3),
        reorder_point=st.none() | st.integers(0, 2),
        name=st.sampled_from(["", "a", "ä", "💡"]),
    ),
    unique_by=lambda row: row.key,
    max_size=24,
)
orders = st.lists(
    st.sampled_from(
        ["on_hand", "-on_hand", "reorder_point", "-reorder_point", "name", "-name", "-sku", "-stock_status"]
    ),
    max_size=4,
).map(",".join)


@given(rows, orders, st.integers(1, 5))
def test_pages_of_any_size_make_up_the_view_in_its_order(found: list[InventoryRow], order: str, limit: int) -> None:
    entries = list(Feed("inventory", found).entries.values())
    query = f"limit={limit}&order={order}"
    seen: list[Any] = []
    following = ""
    while True:
        reading = parse_reading("inventory", parse_parameters((query + following).encode()), EVERYTHING)
        page, more = page_of(reading, entries)
        seen += page
        if not more:
            break
        following = f"&page={page_after(reading.view, page[-1].row)}"
    assert seen == sorted(entries, key=lambda entry: reading.view.sort_key(entry.key, entry.row))


@pytest.mark.parametrize("name", ["order.placed", "stock.received"])
def test_a_good_event_is_understood(name: str) -> None:
    spec = (Path(__file__).parents[2] / "spec" / "events.md").read_text()
    example = spec.partition(f"### {name}\n")[2].partition("```json\n")[2].partition("```")[0]
    (event,) = understand_body(example.encode(), "application/json", NOW)
    assert event.type == name
