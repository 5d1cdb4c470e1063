"""Rules, notifications and a person's own over HTTP: whatever is changed is an event, and the answer shows what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import httpx
import pytest

from stockwire.engine.previewing import Fired, preview
from stockwire.transport.http import rules
from tests.http.place import ORIGIN, Place, escaped, event, placed, received

LOW = {"kind": "low_stock", "name": "Few mugs", "threshold": 2.5, "scope": {"sku": "MUG"}}
MEASURED = {
    "kind": "metric", "name": "Slow", "metric": "orders_placed", "period": "today", "comparison": "below", "threshold": 30,
}  # fmt: skip
DESK = {"authorization": "Bearer swk_desk", "content-type": "application/json"}


async def ask(place: Place, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    return await place.client.request(method, f"/api/v1/{path}", json=body, headers={**DESK, **headers})


async def done(place: Place, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What an answer says that must be good."""
    answer = await ask(place, method, path, body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def empty_shelf(place: Place) -> dict[str, Any]:
    """The notification of a shelf that ran empty."""
    await place.tell(received("r1", quantity=1), placed("1"))
    (row,) = [row for row in await place.rows("/api/v1/notifications") if row["kind"] == "out_of_stock"]
    return row


# Rules


async def test_a_fresh_shop_has_rules(place: Place) -> None:
    rows = await place.rows("/api/v1/rules")
    assert {row["rule_id"] for row in rows} >= {"default-out-of-stock", "default-drift"}
    assert all(row["built_in"] and row["revision"] == 0 for row in rows)


async def test_a_rule_is_made_changed_and_removed_and_its_maker_is_named(place: Place) -> None:
    made = (await done(place, "POST", "rules", LOW))["rule"]
    assert (made["threshold"], made["updated_by"], made["revision"], made["channels"]) == (2.5, "desk", 1, "default")
    path = f"rules/{made['rule_id']}"
    changed = (await done(place, "PUT", path, {**LOW, "threshold": 4, "channels": ["mail"]}))["rule"]
    assert (changed["threshold"], changed["revision"], changed["channels"]) == (4, 2, ["mail"])
    assert (await done(place, "GET", path))["rule"] == changed
    assert (await done(place, "DELETE", path))["version"] > 0
    assert (await ask(place, "GET", path)).status_code == 404
    assert (await ask(place, "PUT", path, LOW)).status_code == 404


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"kind": "low_stock"}, "name"),
        ({**LOW, "kind": "nothing"}, "kind"),
        ({**LOW, "more": 1}, "more"),
        ({**LOW, "threshold": 0.00001}, "decimals"),
        ({**LOW, "rule_id": "../etc"}, "rule_id"),
        ({**LOW, "clear": -1}, "clear"),
        ({**LOW, "for_seconds": -1}, "for_seconds"),
        ({**LOW, "scope": {"source": "till"}}, "scope.source"),
        ({"kind": "large_order", "name": "Large"}, "threshold"),
        ({"kind": "large_order", "name": "Large", "threshold": 0}, "threshold"),
        ({"kind": "order_stuck", "name": "Stuck", "threshold": 50}, "80"),
        ({"kind": "order_status", "name": "Odd", "scope": {"statuses": ["lost"]}}, "lost"),
        ({"kind": "drift", "name": "Drift", "group_by": "location"}, "location"),
        ({"kind": "metric", "name": "M", "metric": "luck", "period": "today", "threshold": 1}, "metric"),
        ({"kind": "low_stock", "name": "M", "metric": "gross_sales"}, "metric"),
        ({"kind": "low_stock", "name": "M", "against": "week_before"}, "against"),
        ({**MEASURED, "metric": "source_lag", "period": "now", "against": "week_before"}, "kept"),
        ({**MEASURED, "metric": "orders_open", "period": "now", "against": "period_before"}, "period before"),
        ({**MEASURED, "metric": "orders_open", "period": "now", "comparison": "changed"}, "period before"),
        ({**MEASURED, "against": "week_before", "threshold": 0}, "threshold"),
        ({**MEASURED, "against": "last_year"}, "against"),
    ],
)
async def test_a_rule_that_means_nothing_is_refused_and_says_why(place: Place, form: Any, says: str) -> None:
    await place.tell(received("r1"))
    answer = await ask(place, "POST", "rules", form)
    assert (answer.status_code, says in answer.json()["detail"]) == (400, True), answer.text


async def test_a_metric_is_compared_with_the_same_time_last_week(place: Place) -> None:
    await place.tell(received("r1"))
    for against in ("week_before", "period_before", None):
        made = (await done(place, "POST", "rules", {**MEASURED, "against": against}))["rule"]
        assert (made["against"], made["comparison"], made["threshold"]) == (against, "below", 30)


async def test_an_id_is_given_to_one_rule_alone(place: Place) -> None:
    await done(place, "POST", "rules", {**LOW, "rule_id": "mugs"})
    assert (await ask(place, "POST", "rules", {**LOW, "rule_id": "mugs"})).status_code == 400
    assert (await ask(place, "PUT", "rules/mugs", {**LOW, "rule_id": "cups"})).status_code == 400


async def test_a_rule_that_somebody_else_changed_meanwhile_is_not_overwritten(place: Place) -> None:
    made = (await done(place, "POST", "rules", LOW))["rule"]
    path = f"rules/{made['rule_id']}"
    theirs = (await done(place, "PUT", path, {**LOW, "threshold": 3, "revises": 1}))["rule"]
    before = place.log.version
    refused = await ask(place, "PUT", path, {**LOW, "threshold": 4, "revises": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert ((await done(place, "GET", path))["rule"], place.log.version) == (theirs, before)
    assert (await done(place, "PUT", path, {**LOW, "threshold": 4, "revises": 2}))["rule"]["threshold"] == 4


async def test_of_two_who_change_a_rule_at_once_one_is_refused(place: Place) -> None:
    path = "rules/default-drift"
    both = [ask(place, "PUT", path, {"kind": "drift", "name": name, "revises": 0}) for name in ("Ours", "Theirs")]
    answers = {answer.status_code: answer for answer in await asyncio.gather(*both)}
    assert sorted(answers) == [200, 409]
    assert (await done(place, "GET", path))["rule"] == answers[200].json()["rule"]


# Notifications


async def test_a_notification_is_seen_to_put_off_and_called_over(place: Place) -> None:
    row = await empty_shelf(place)
    path = f"notifications/{escaped(row['notification_id'])}"
    seen = (await done(place, "POST", f"{path}/acknowledge"))["notification"]
    assert (seen["state"], seen["acknowledged_by"]) == ("acknowledged", "desk")
    later = (await done(place, "POST", f"{path}/snooze", {"until": "2026-03-25T18:00:00Z"}))["notification"]
    assert (later["state"], later["snoozed_until"]) == ("snoozed", "2026-03-25T18:00:00Z")
    over = (await done(place, "POST", f"{path}/resolve"))["notification"]
    assert (over["state"], over["resolved_by"]) == ("resolved", "desk")
    again = await done(place, "POST", f"{path}/acknowledge")
    assert again["notification"] == over


@pytest.mark.parametrize("until", ["2026-03-25T11:59:00Z", "2026-05-25T12:00:00Z", "tomorrow"])
async def test_it_is_put_off_to_a_time_that_is_near_and_to_come(place: Place, until: str) -> None:
    row = await empty_shelf(place)
    path = f"notifications/{escaped(row['notification_id'])}/snooze"
    assert (await ask(place, "POST", path, {"until": until})).status_code == 400


async def test_a_notification_that_is_not_there_is_not_found(place: Place) -> None:
    assert (await ask(place, "POST", "notifications/nothing%2Flog%401/acknowledge")).status_code == 404


async def test_what_was_read_is_noted_for_who_read_it(place: Place) -> None:
    row = await empty_shelf(place)
    await done(place, "POST", "notifications/read", {"through": row["version"]})
    await done(place, "POST", "notifications/read", {"ids": ["x/log@9"]})
    own = await done(place, "GET", "me/preferences")
    assert (own["person"], own["read_through"], own["read"]) == ("desk", row["version"], ["x/log@9"])
    for wrong in ({}, {"through": 10**9}, {"through": -1}):
        assert (await ask(place, "POST", "notifications/read", wrong)).status_code == 400


# A person's own

WANTED = {
    "quiet": {"from": "22:00", "to": "07:00", "timezone": "Europe/Berlin"},
    "digest": True,
    "muted_rules": ["default-low-stock"],
    "rules": {"default-drift": {"channels": ["mail"]}},
    "channels": {"chat": False},
    "toast_severity": "warning",
}


async def test_preferences_are_put_whole_and_shown_to_their_owner_alone(place: Place) -> None:
    assert (await done(place, "PUT", "me/preferences", WANTED))["preferences"] == WANTED
    assert (await done(place, "GET", "me/preferences"))["preferences"] == WANTED
    other = (await place.read("/api/v1/me/preferences")).json()
    assert (other["person"], other["preferences"]["quiet"]) == ("screen", None)


@pytest.mark.parametrize(
    "quiet",
    [
        {"from": "24:00", "to": "07:00", "timezone": "UTC"},
        {"from": "9:00", "to": "07:00", "timezone": "UTC"},
        {"from": "22:00", "to": "07:00", "timezone": "Nowhere/Atlantis"},
        {"from": "22:00", "to": "07:00", "timezone": "../../etc/passwd"},
        {"from": "22:00", "to": "07:00"},
    ],
)
async def test_quiet_hours_are_hours_somewhere(place: Place, quiet: Any) -> None:
    assert (await ask(place, "PUT", "me/preferences", {"quiet": quiet})).status_code == 400


async def test_an_order_is_watched_and_no_more(place: Place) -> None:
    assert (await done(place, "PUT", f"me/watched/{escaped('A/1')}"))["watched"] == ["A/1"]
    assert (await done(place, "DELETE", f"me/watched/{escaped('A/1')}"))["watched"] == []


async def test_a_view_is_kept_by_its_name_and_no_more(place: Place) -> None:
    kept = await done(place, "PUT", "me/views/orders/Late%20ones", {"query": "lateness=late"})
    assert kept["views"] == {"orders": {"Late ones": "lateness=late"}}
    assert (await done(place, "DELETE", "me/views/orders/Late%20ones"))["views"] == {}


# Who may


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "rules", LOW),
        ("PUT", "rules/default-drift", LOW),
        ("DELETE", "rules/default-drift", None),
        ("POST", "notifications/x/acknowledge", None),
        ("POST", "notifications/x/snooze", {"until": "2026-03-25T18:00:00Z"}),
        ("POST", "notifications/x/resolve", None),
        ("POST", "notifications/read", {"through": 1}),
        ("PUT", "me/preferences", {}),
        ("PUT", "me/watched/1", None),
        ("DELETE", "me/watched/1", None),
        ("PUT", "me/views/orders/a", {"query": ""}),
        ("DELETE", "me/views/orders/a", None),
    ],
)
async def test_only_a_key_that_may_manage_or_the_page_itself_changes_anything(
    place: Place, method: str, path: str, body: Any
) -> None:
    before = place.log.version
    assert (await ask(place, method, path, body, authorization="Bearer swk_screen")).status_code == 403
    assert (await ask(place, method, path, body, authorization="Bearer swk_nobody")).status_code == 401
    assert place.log.version == before


async def test_a_person_at_the_page_is_who_did_it(place: Place) -> None:
    await place.client.post("/api/v1/session", json={"token": "once"}, headers={"origin": ORIGIN})
    own = {"content-type": "application/json"}
    refused = await place.client.put("/api/v1/me/watched/7", headers=own)
    assert refused.status_code == 403
    answer = await place.client.put("/api/v1/me/watched/7", headers={**own, "origin": ORIGIN})
    assert (answer.json()["person"], answer.json()["watched"]) == ("owner", ["7"])


# Previews


async def test_a_preview_tells_how_often_a_rule_would_have_fired_last_week(place: Place) -> None:
    days = [19, 21, 23]
    told = [event("s0", "stock.snapshot", "2026-03-10T08:00:00Z", sku="MUG", on_hand=9)]
    for day in days:
        told.append(event(f"d{day}", "stock.snapshot", f"2026-03-{day}T09:00:00Z", sku="MUG", on_hand=1))
        told.append(event(f"u{day}", "stock.snapshot", f"2026-03-{day}T15:00:00Z", sku="MUG", on_hand=9))
    await place.tell(*told)
    before = place.log.version
    found = await done(place, "POST", "rules/preview", LOW)
    assert (found["fired"], found["complete"], found["since"]) == (3, True, "2026-03-18T12:00:00Z")
    assert [each["day"] for each in found["per_day"] if each["count"]] == [f"2026-03-{day}" for day in days]
    assert found["examples"][0]["subject"] == "stock/MUG/main"
    assert place.log.version == before
    assert (await done(place, "POST", "rules/preview", {**LOW, "threshold": 0.5}))["fired"] == 0


async def test_a_preview_of_orders_plays_their_steps(place: Place) -> None:
    await place.tell(placed("1", "500"), placed("2", "20"))
    large = {"kind": "large_order", "name": "Large", "threshold": 100}
    found = await done(place, "POST", "rules/preview", large)
    assert [each["subject"] for each in found["examples"]] == ["order/1"]
    status = {"kind": "order_status", "name": "Placed", "scope": {"statuses": ["placed"]}}
    assert (await done(place, "POST", "rules/preview", status))["fired"] == 2


async def test_a_preview_says_where_the_past_is_not_known(place: Place) -> None:
    await place.tell(received("r1"))
    assert (await done(place, "POST", "rules/preview", {"kind": "source_silent", "name": "Silent"}))["complete"]
    old = {**MEASURED, "metric": "oldest_open_age", "period": "now"}
    found = await done(place, "POST", "rules/preview", old)
    assert (found["fired"], found["complete"], found["gap"]) == (0, False, "not_kept")
    found = await done(place, "POST", "rules/preview", {**old, "metric": "orders_open"})
    assert (found["complete"], found["gap"]) == (False, "by_hour")


async def test_previews_are_worked_out_one_after_the_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[bool] = []
    both = threading.Barrier(2)

    def slowly(*asked: Any) -> Fired:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(timeout=0.2)
            together.append(True)
        return preview(*asked)

    monkeypatch.setattr(rules, "preview", slowly)
    await asyncio.gather(*(done(place, "POST", "rules/preview", LOW) for _ in range(2)))
    assert together == []
