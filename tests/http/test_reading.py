"""Reading over HTTP: what a program may rely on when it asks instead of listening."""

import asyncio
import json
from typing import Any

import pytest

from tests.http.place import Place, escaped, event, placed, received

STRANGE = ["A/B", "A B", "A%2FB", "Größe 7½", "日本/語?#&=+", "..%2f", "a;b", "💡"]


async def pages(place: Place, path: str) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows: list[dict[str, Any]] = []
    following = None
    while True:
        answer = (await place.read(path + (f"&page={following}" if following else ""))).json()
        rows += answer["rows"]
        following = answer["next"]
        if following is None:
            return rows


async def code(place: Place, path: str) -> tuple[int, str]:
    answer = await place.read(path)
    return answer.status_code, answer.json()["code"]


async def test_stock_is_read_as_soon_as_its_event_is_acknowledged(place: Place) -> None:
    version = await place.tell(received("1", quantity=12))
    answer = (await place.read("/api/v1/inventory")).json()
    assert (answer["version"], answer["next"]) == (version, None)
    assert [(row["sku"], row["location"], row["available"]) for row in answer["rows"]] == [("MUG", "main", 12)]


async def test_rows_are_filtered_ordered_and_limited_as_on_the_streams(place: Place) -> None:
    await place.tell(*(received(str(number), sku=f"S{number}", quantity=number) for number in range(1, 9)))
    rows = await place.rows("/api/v1/inventory?available[gte]=3&sku=S2,S3,S5,S8&order=-available&limit=2")
    assert [row["sku"] for row in rows] == ["S8", "S5"]
    assert [row["sku"] for row in await place.rows("/api/v1/inventory?search=s4")] == ["S4"]


@pytest.mark.parametrize("order", ["", "on_hand", "-on_hand", "reorder_point,-on_hand", "-name,sku", "-updated_at"])
async def test_pages_make_up_the_whole(place: Place, order: str) -> None:
    await place.tell(*(received(str(number), sku=f"S{number:02}", quantity=number % 5 + 1) for number in range(23)))
    await place.tell(event("p", "product.updated", sku="S07", reorder_point=3, name="Seven"))
    whole = await place.rows(f"/api/v1/inventory?limit=1000&order={order}")
    assert await pages(place, f"/api/v1/inventory?limit=4&order={order}") == whole
    assert len(whole) == 23


async def test_pages_stay_right_while_other_rows_come_and_change(place: Place) -> None:
    await place.tell(*(received(str(number), sku=f"S{number:02}") for number in range(0, 20, 2)))
    first = (await place.read("/api/v1/inventory?limit=5")).json()
    await place.tell(received("a", sku="S03"), received("b", sku="S00", quantity=5), received("c", sku="S11"))
    second = (await place.read(f"/api/v1/inventory?limit=50&page={first['next']}")).json()
    assert [row["sku"] for row in first["rows"]] == ["S00", "S02", "S04", "S06", "S08"]
    assert [row["sku"] for row in second["rows"]] == ["S10", "S11", "S12", "S14", "S16", "S18"]


async def test_orders_are_paged_from_the_log(place: Place) -> None:
    await place.tell(*(placed(str(number), str(number % 3)) for number in range(11)))
    whole = await place.rows("/api/v1/orders?limit=1000&order=-total")
    assert await pages(place, "/api/v1/orders?limit=3&order=-total") == whole
    assert len(whole) == 11


async def test_closed_orders_are_listed_too(place: Place) -> None:
    await place.tell(placed("1", status="completed"), placed("2"))
    rows = await place.rows("/api/v1/orders")
    assert [(row["order_id"], row["status"]) for row in rows] == [("1", "completed"), ("2", "placed")]


async def test_an_order_shows_its_lines_and_what_happened(place: Place) -> None:
    version = await place.tell(placed("1", "6.95", "2.50"), event("2", "order.held", order_id="1", reason="fraud?"))
    answer = (await place.read("/api/v1/orders/1")).json()
    assert (answer["order"]["total"], answer["order"]["hold_reason"], answer["version"]) == ("9.45", "fraud?", version)
    assert [(line["line"], line["unit_price"], line["ordered"]) for line in answer["lines"]] == [
        ("1", "6.95", 1),
        ("2", "2.5", 1),
    ]
    assert [entry["type"] for entry in answer["timeline"]] == ["order.placed", "order.held"]


@pytest.mark.parametrize("name", STRANGE)
async def test_names_with_any_character_can_be_asked_for(place: Place, name: str) -> None:
    await place.tell(placed(name), received("1", sku=name, location=name))
    order = (await place.read(f"/api/v1/orders/{escaped(name)}")).json()
    moved = await place.rows(f"/api/v1/inventory/{escaped(name)}/{escaped(name)}/movements")
    assert order["order"]["order_id"] == name
    assert [row["on_hand_after"] for row in moved] == [1]


async def test_movements_come_newest_first_in_pages(place: Place) -> None:
    await place.tell(*(received(str(number), quantity=number) for number in range(1, 6)))
    first = (await place.read("/api/v1/inventory/MUG/main/movements?limit=2")).json()
    second = (await place.read(f"/api/v1/inventory/MUG/main/movements?limit=9&before={first['next']}")).json()
    rows = first["rows"] + second["rows"]
    assert [(row["on_hand"], row["on_hand_after"]) for row in rows] == [(5, 15), (4, 10), (3, 6), (2, 3), (1, 1)]
    assert second["next"] is None


async def test_metrics_sources_and_hours_are_their_feeds(place: Place) -> None:
    await place.tell(placed("1", "6.95"))
    (gross,) = await place.rows("/api/v1/metrics?metric=gross_sales&period=today")
    assert (gross["value"], gross["unit"]) == ("6.95", "money")
    assert [(row["source"], row["events"]) for row in await place.rows("/api/v1/sources?source=till")] == [("till", 1)]
    assert [row["gross_sales"] for row in await place.rows("/api/v1/hours?orders_placed[gt]=0")] == ["6.95"]


async def test_sums_are_exact_and_follow_the_shops_days(place: Place) -> None:
    await place.tell(
        placed("1", "0.1", "0.2", time="2025-10-25T22:59:59Z"),
        placed("2", "0.0001", time="2025-10-25T23:00:00Z"),
        placed("3", "1000000.4999", time="2025-10-26T23:59:00Z", shipping="2", tax="0.5", discount="1.5"),
        placed("4", "7", time="2025-10-27T00:00:00Z"),
    )
    answer = (await place.read("/api/v1/metrics?from=2025-10-25&to=2025-10-28&bucket=day")).json()
    rows = [(row["start"], row["end"], row["orders_placed"], row["gross_sales"]) for row in answer["rows"]]
    assert rows == [
        ("2025-10-24T23:00:00Z", "2025-10-25T23:00:00Z", 1, "0.3"),
        ("2025-10-25T23:00:00Z", "2025-10-27T00:00:00Z", 2, "1000000.5"),
        ("2025-10-27T00:00:00Z", "2025-10-28T00:00:00Z", 1, "7"),
    ]
    assert (answer["rows"][1]["net_sales"], answer["rows"][1]["total_sales"]) == ("999999", "1000001.5")
    assert (answer["timezone"], answer["currency"]) == ("Europe/London", "EUR")


async def test_sums_by_hour_go_through_a_change_of_the_clocks(place: Place) -> None:
    await place.tell(placed("1", "1", time="2026-03-25T11:00:00Z"))
    assert len(await place.rows("/api/v1/metrics?from=2025-10-26&to=2025-10-27&bucket=hour")) == 25
    assert len(await place.rows("/api/v1/metrics?from=2025-03-30&to=2025-03-31&bucket=hour")) == 23


async def test_sums_by_month_begin_and_end_where_asked(place: Place) -> None:
    rows = await place.rows("/api/v1/metrics?from=2025-11-15&to=2026-01-10T00:30:00Z&bucket=month")
    assert [row["start"] for row in rows] == ["2025-11-15T00:00:00Z", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"]
    assert rows[-1]["end"] == "2026-01-10T00:30:00Z"


async def test_a_total_reaches_to_now(place: Place) -> None:
    await place.tell(placed("1", "3"), placed("2", "4", time="2026-03-25T12:00:30Z"))
    (total,) = await place.rows("/api/v1/metrics?from=2026-03-25")
    assert (total["total_sales"], total["end"]) == ("7", "2026-03-25T12:01:00Z")


async def test_a_read_may_wait_for_a_version(place: Place) -> None:
    version = await place.tell(received("1"))
    path = f"/api/v1/inventory?at_least={version + 1}&wait=30"
    listeners = place.hub.listeners
    waiting, _ = await asyncio.gather(place.read(path), place.tell(received("2")))
    answer = waiting.json()
    assert (answer["version"], answer["rows"][0]["on_hand"]) == (version + 1, 2)
    assert place.hub.listeners == listeners


async def test_a_version_that_does_not_come_is_no_failure_of_the_server(place: Place) -> None:
    assert await code(place, "/api/v1/inventory?at_least=9007199254740991&wait=0") == (412, "not_reached")


@pytest.mark.parametrize(
    "path", ["inventory?limit=0", "orders?order=nothing", "orders/A?limit=1", "metrics?from=x", "sources?page=x"]
)
async def test_what_is_wrong_is_said_before_anybody_waits(place: Place, path: str) -> None:
    path = f"/api/v1/{path}{'&' if '?' in path else '?'}at_least=9007199254740991&wait=0"
    assert await code(place, path) == (400, "invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/inventory?limit=0",
        "/api/v1/inventory?limit=1001",
        "/api/v1/inventory?limit=ten",
        "/api/v1/inventory?limit=-1",
        "/api/v1/inventory?colour=red",
        "/api/v1/inventory?available[near]=5",
        "/api/v1/inventory?available[lt=5",
        "/api/v1/inventory?available[lt]=many",
        "/api/v1/inventory?available[lt]=NaN",
        "/api/v1/inventory?available[lt]=1e999999999",
        "/api/v1/inventory?updated_at[gt]=yesterday",
        "/api/v1/inventory?order=colour",
        "/api/v1/inventory?order=sku,sku,sku,sku,sku",
        "/api/v1/inventory?sku=%ff",
        "/api/v1/inventory?sku=%00",
        "/api/v1/inventory?sku=A&sku=B",
        "/api/v1/inventory?cursor=x",
        "/api/v1/inventory?page=x",
        "/api/v1/inventory?page=W10",
        "/api/v1/inventory?page=%F0%9F%92%A1",
        "/api/v1/inventory?at_least=-1",
        "/api/v1/inventory?at_least=99999999999999999999",
        "/api/v1/inventory?wait=31",
        "/api/v1/inventory?" + "&".join(f"f{number}=1" for number in range(65)),
        "/api/v1/inventory?sku=" + "A" * 9_000,
        "/api/v1/inventory?sku=" + ",".join("A" * 101),
        "/api/v1/orders?skipped=x",
        "/api/v1/orders?total[gt]=x",
        "/api/v1/orders/%ff",
        "/api/v1/orders/%00",
        "/api/v1/orders/1?limit=5",
        "/api/v1/orders/" + "1" * 201,
        "/api/v1/inventory/MUG/main/movements?before=x",
        "/api/v1/inventory/MUG/main/movements?before=1",
        "/api/v1/inventory/MUG/main/movements?order=version",
        "/api/v1/metrics?bucket=day",
        "/api/v1/metrics?from=2026-03-25&bucket=week",
        "/api/v1/metrics?from=2026-03-25&to=2026-03-24",
        "/api/v1/metrics?from=2026-03-25T00:00:30Z",
        "/api/v1/metrics?from=2026-02-30",
        "/api/v1/metrics?from=0001-01-01",
        "/api/v1/metrics?from=9999-12-31&bucket=month",
        "/api/v1/metrics?from=2026-03-25&metric=gross_sales",
        "/api/v1/stat%75s",
    ],
)
async def test_a_query_that_is_not_understood_is_refused(place: Place, path: str) -> None:
    await place.tell(received("1"))
    status, _ = await code(place, path)
    assert status == 404 if path.endswith("stat%75s") else status == 400


async def test_too_many_sums_are_refused(place: Place) -> None:
    assert await code(place, "/api/v1/metrics?from=1990-01-01&to=2020-01-01&bucket=hour") == (413, "too_large")


@pytest.mark.parametrize("change", ["order=-on_hand", "on_hand[gt]=0"])
async def test_a_page_belongs_to_its_filter_and_order(place: Place, change: str) -> None:
    await place.tell(received("1", sku="A"), received("2", sku="B"))
    following = (await place.read("/api/v1/inventory?limit=1")).json()["next"]
    assert await code(place, f"/api/v1/inventory?{change}&page={following}") == (400, "invalid")


@pytest.mark.parametrize("path", ["/api/v1/orders/none", "/api/v1/inventory/none/main/movements", "/api/v1/none"])
async def test_what_is_not_there_is_not_found(place: Place, path: str) -> None:
    assert await code(place, path) == (404, "not_found")


async def test_a_method_an_address_does_not_have_is_refused(place: Place) -> None:
    answer = await place.client.put("/api/v1/events", content=json.dumps(received("1")))
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]
