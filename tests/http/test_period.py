"""The metrics of a chosen period over HTTP: the same numbers as the fixed periods give, and as honest about what nobody told."""

from __future__ import annotations

from typing import Any

import pytest

from stockwire.transport.http import period
from tests.http.place import Place

WAY = ("allocated", "picking", "packed", "shipped")


@pytest.fixture
async def busy(place: Place) -> Place:
    """A shop with orders, shipments, a cancellation, a return and counts on several days. It is noon of the 25th."""
    numbers = iter(range(1, 1_000))

    def said(type_: str, time: str, **data: Any) -> dict[str, Any]:
        return {"id": f"p{next(numbers)}", "source": "till", "type": type_, "time": f"2026-03-{time}Z", "data": data}

    def order(number: str, day: int, price: str, *, ships: bool = True, promised: int = 1) -> list[dict[str, Any]]:
        line = {"sku": "MUG-01", "location": "main", "quantity": 2, "unit_price": price}
        told = [
            said(
                "order.placed", f"{day}T09:00:00", order_id=number, currency="EUR", lines=[line],
                promised_at=f"2026-03-{day + promised}T09:30:00Z",
            )
        ]  # fmt: skip
        for hour, status in enumerate(WAY if ships else ("cancelled",), start=10):
            told.append(said("order.status_changed", f"{day}T{hour}:00:00", order_id=number, status=status))
        return told

    returned = {"sku": "MUG-01", "location": "main", "quantity": 1, "unit_price": "7", "restock": True}
    for batch in (
        [said("stock.snapshot", "01T08:00:00", sku="MUG-01", location="main", on_hand=100)],
        *(order(f"early-{day}", day, "5") for day in (10, 11, 12)),
        order("late", 17, "6", promised=0),
        order("gone", 18, "9", ships=False),
        *(order(f"new-{day}", day, "7") for day in (19, 23, 24)),
        [
            said("stock.counted", "19T10:00:00", sku="MUG-01", location="main", quantity=90),
            said("stock.counted", "24T14:30:00", sku="MUG-01", location="main", quantity=80),
            said("order.credited", "24T16:00:00", document="R1", order_id="new-24", currency="EUR", reason="return",
                 lines=[returned]),
            said("stock.received", "25T12:00:00", sku="MUG-01", location="main", quantity=30),
        ],
    ):  # fmt: skip
        await place.tell(*batch)
    return place


async def asked(place: Place, span: str) -> dict[str, Any]:
    answer = await place.read(f"/api/v1/metrics/period?{span}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def figures(rows: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    told = ("value", "previous", "state", "unit", "since", "as_of", "currency", "detail")
    return {row["metric"]: tuple(row[name] for name in told) for row in rows}


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("today", "from=2026-03-25"),
        ("today", "from=2026-03-25&to=2026-03-26"),
        ("yesterday", "from=2026-03-24&to=2026-03-25"),
        ("last_7_days", "from=2026-03-19&to=2026-03-26"),
        ("last_30_days", "from=2026-02-24&to=2026-03-26"),
    ],
)
async def test_a_chosen_period_gives_what_the_fixed_one_gives(busy: Place, name: str, span: str) -> None:
    fixed = figures(await busy.rows(f"/api/v1/metrics?period={name}"))
    fixed.pop("orders_per_minute", None)
    chosen = await asked(busy, span)
    assert figures(chosen["rows"]) == fixed
    assert {row["period"] for row in chosen["rows"]} == {"custom"}
    assert len(fixed) == 14


async def test_a_chosen_period_is_compared_with_as_many_days_before(busy: Place) -> None:
    chosen = await asked(busy, "from=2026-03-17&to=2026-03-20")
    assert (chosen["from"], chosen["to"]) == ("2026-03-17T00:00:00Z", "2026-03-20T00:00:00Z")
    assert chosen["twin"] == {"from": "2026-03-14T00:00:00Z", "to": "2026-03-17T00:00:00Z"}
    told = figures(chosen["rows"])
    assert told["orders_placed"][:2] == (3, 0)
    assert told["gross_sales"][:2] == ("44", "0")
    assert told["on_time_ship_rate"][:2] == (50, None)
    assert told["cancellation_rate"][:2] == (33.33, None)


async def test_a_period_that_goes_on_is_compared_with_the_same_part_of_the_one_before(busy: Place) -> None:
    chosen = await asked(busy, "from=2026-03-24&to=2026-03-30")
    assert (chosen["from"], chosen["to"]) == ("2026-03-24T00:00:00Z", "2026-03-25T12:01:00Z")
    assert chosen["twin"] == {"from": "2026-03-18T00:00:00Z", "to": "2026-03-19T12:01:00Z"}


async def test_a_chosen_period_says_no_data_where_no_source_ever_told(place: Place) -> None:
    await place.tell(
        {"id": "1", "source": "till", "type": "order.placed", "time": "2026-03-25T09:00:00Z",
         "data": {"order_id": "1", "currency": "EUR", "lines": [{"sku": "A", "quantity": 1, "unit_price": "3"}]}}
    )  # fmt: skip
    told = figures((await asked(place, "from=2026-03-25"))["rows"])
    assert told["gross_sales"][0] == "3"
    untold = {name for name, row in told.items() if row[:3] == (None, None, "no_data")}
    assert {"order_cycle_time", "on_time_ship_rate", "return_rate", "sell_through", "inventory_accuracy"} <= untold


async def test_what_would_need_too_many_orders_is_left_out_and_named(
    busy: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(period, "PERIOD_ORDERS", 2)
    chosen = await asked(busy, "from=2026-03-01&to=2026-03-25")
    told = figures(chosen["rows"])
    assert told["orders_placed"][0] == 8
    assert chosen["left_out"] == sorted(chosen["left_out"], key=list(told).index)
    assert {name for name, row in told.items() if row[2] == "no_data"} == set(chosen["left_out"])


@pytest.mark.parametrize(
    "span",
    ["", "to=2026-03-25", "from=2026-03-25&to=2026-03-24", "from=never", "from=1990-01-01", "from=2026-03-25&x=1"],
)
async def test_a_period_that_makes_no_sense_is_refused(place: Place, span: str) -> None:
    assert (await place.read(f"/api/v1/metrics/period?{span}")).status_code == 400
