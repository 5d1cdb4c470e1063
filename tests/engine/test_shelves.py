"""A changed row is tried against the views that it may concern and no others, and none of those is forgotten."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stockwire.core.live import FilteredView, LiveView, live_view
from stockwire.core.views import View, parse_view
from stockwire.engine.shelves import KEEP_VIEW
from tests.core.shop import Shop, changes, stock

ASKED: list[dict[str, Any]] = [
    {},
    {"filter": {"sku": "A"}},
    {"filter": {"sku": "B"}, "limit": 1, "order": ["-on_hand"]},
    {"filter": {"location": "main"}},
    {"filter": {"on_hand": 2}},
    {"filter": {"name": None}},
    {"filter": {"name": "x", "location": "yard"}},
    {"filter": {"name": {"ne": "x"}}},
    {"filter": {"on_hand": {"eq": 1, "gte": 0}}},
    {"filter": {"location": {"in": ["main", "yard"]}}, "limit": 2},
]
KEYS = st.tuples(st.sampled_from("AB"), st.sampled_from(["main", "yard"]))
ROWS = st.none() | st.tuples(st.integers(0, 3), st.sampled_from([None, "x", "y"]))


def view(**asked: Any) -> View:
    return parse_view({"feed": "inventory", **asked})


def write(shop: Shop, batch: dict[tuple[str, str], Any]) -> None:
    """Commit rows of (on hand, name), None for a key that goes."""
    rows = {}
    for (sku, location), said in batch.items():
        shop.version += 1
        rows[sku, location] = None if said is None else stock(shop.version, sku, said[0], location, name=said[1])
    shop.hub.publish(changes(shop.version, inventory=rows))


@given(st.lists(st.dictionaries(KEYS, ROWS, min_size=1, max_size=3), max_size=12), st.integers(0, 12))
def test_every_view_has_what_a_new_look_at_all_rows_would_give(batches: list[Any], late: int) -> None:
    shop = Shop()
    held: list[LiveView] = []
    for number, batch in enumerate(batches):
        if number == late:
            held += [shop.hub.open(view(**asked)) for asked in ASKED]
        write(shop, batch)
    for live in held:
        anew = live_view(live.view, shop.hub.feeds["inventory"], shop.version)
        assert {entry.key for entry in live.content()} == {entry.key for entry in anew.content()}
        assert live.checksum() == anew.checksum()


def tried(monkeypatch: pytest.MonkeyPatch) -> list[View]:
    """Which filtered views were given a batch, from now on."""
    found: list[View] = []
    apply = FilteredView.apply

    def note(self: FilteredView, version: int, applied: Any) -> bool:
        found.append(self.view)
        return apply(self, version, applied)

    monkeypatch.setattr(FilteredView, "apply", note)
    return found


def test_of_a_thousand_views_of_single_products_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    for number in range(1_000):
        shop.hub.open(view(filter={"sku": f"SKU{number}"}))
    found = tried(monkeypatch)
    shop.write(SKU7=1)
    assert found == [view(filter={"sku": "SKU7"})]


def test_a_row_that_changes_a_pinned_value_concerns_both(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    shop.write(A=1)
    one, two, three = (view(filter={"on_hand": level}) for level in (1, 2, 3))
    for each in (one, two, three):
        shop.hub.open(each)
    found = tried(monkeypatch)
    shop.write(A=2)
    assert set(found) == {one, two}
    assert set(shop.hub.touched) == {one.name, two.name}


def test_a_row_that_is_not_of_the_product_is_not_even_looked_at_when_a_view_opens() -> None:
    shop = Shop()
    shop.write(**{f"SKU{number}": number for number in range(100)})
    feed = shop.hub.feeds["inventory"]
    assert [entry.key for entry in feed.having("sku", "SKU7")] == [("SKU7", "main")]
    assert len(list(feed.having("location", "main"))) == 100


def test_views_that_nobody_holds_are_dropped_after_a_while_and_their_values_with_them() -> None:
    shop = Shop()
    shop.hub.open(view(filter={"sku": "A"}))
    shop.hub.close(view(filter={"sku": "A"}))
    shop.seconds += KEEP_VIEW + 1
    shop.hub.open(view(filter={"sku": "B"}))
    assert shop.hub.views == 1
    assert list(shop.hub._shelves._pinned["inventory"]["sku"].by_value) == ["B"]


def test_a_view_that_somebody_came_back_to_is_kept_for_as_long_again() -> None:
    shop = Shop()
    first, second = view(filter={"sku": "A"}), view(filter={"sku": "B"})
    for each in (first, second, first):
        shop.hub.open(each)
        shop.hub.close(each)
        shop.seconds += KEEP_VIEW / 2 + 1
    shop.hub.open(view(filter={"sku": "C"}))
    assert first in shop.hub._shelves._all and second not in shop.hub._shelves._all
