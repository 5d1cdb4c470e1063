"""Channels, browsers and deliveries over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from stockwire.core.retrying import SENT, Outcome, verdict
from stockwire.engine import receivers
from stockwire.log.deliveries import DOTS
from tests.http.place import ELSEWHERE, NOW, ORIGIN, Place

HOOK = {"kind": "webhook", "name": "Back office", "address": "https://hooks.example.com/services/SECRET"}
MAIL = {"kind": "apprise", "name": "Mail", "address": "mailtos://shop:PASSWORD@example.com?to=me@example.com"}
BROWSER = {
    "endpoint": "https://push.example.com/send/SECRET",
    "expirationTime": None,
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
    "device": "Laptop",
}


async def asked(
    place: Place, method: str, path: str, body: Any = None, key: str = "swk_desk", **headers: str
) -> httpx.Response:
    sent = {"authorization": f"Bearer {key}", **headers} if key else headers
    content = None if body is None else json.dumps(body).encode()
    if content is not None:
        sent.setdefault("content-type", "application/json")
    return await place.client.request(method, path, content=content, headers=sent)


async def made(place: Place, body: dict[str, Any] = HOOK) -> dict[str, Any]:
    answer = await asked(place, "POST", "/api/v1/channels", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
async def sending(place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Outcome]]:
    """Somebody sends whatever waits, and it goes as the test says (`outcome`)."""
    said = {"outcome": SENT}
    monkeypatch.setattr(receivers, "_LOOK_EVERY", 0.01)

    async def send() -> None:
        while True:
            for delivery_id, _ in place.deliveries.due():
                delivery = place.deliveries.begin(delivery_id)
                assert delivery is not None
                place.deliveries.finish(delivery, said["outcome"], verdict(said["outcome"], 1, NOW, 0.5, tries=1), 0)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(send())
    yield said
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_webhook_is_made_and_its_secret_shown_once(place: Place) -> None:
    new = await made(place)
    assert new["secret"].startswith("whsec_") and len(new["secret"]) == 50
    assert new["channel"] == {
        "channel_id": new["channel"]["channel_id"], "kind": "webhook", "service": "webhook", "name": "Back office",
        "person": "desk", "address": f"https://hooks.example.com/{DOTS}", "language": "en", "enabled": True, "note": None,
        "waiting": 0, "dead": 0, "last_sent_at": None, "last_error": None, "created_at": "2026-03-25T12:00:00Z",
    }  # fmt: skip
    listed = await place.read("/api/v1/channels")
    assert listed.json()["channels"] == [new["channel"]]
    assert "SECRET" not in listed.text and new["secret"] not in listed.text


async def test_no_answer_names_a_password(place: Place) -> None:
    new = await made(place, MAIL)
    assert new["secret"] is None and new["channel"]["service"] == "email"
    assert new["channel"]["address"] == f"mailtos://{DOTS}@example.com"
    for body in (
        {**MAIL, "address": "tgram://123:TOKEN/1"}, {**MAIL, "address": "slack://TOKEN/TOKEN/TOKEN"},
        {**MAIL, "address": "ntfys://TOKEN"},
    ):  # fmt: skip
        assert "TOKEN" not in json.dumps(await made(place, body))
    assert "PASSWORD" not in (await place.read("/api/v1/channels")).text


async def test_a_channel_is_changed_turned_off_and_removed(place: Place) -> None:
    new = await made(place)
    path = f"/api/v1/channels/{new['channel']['channel_id']}"
    changed = (await asked(place, "PUT", path, {"name": " Front  desk ", "enabled": False, "language": "de"})).json()
    assert changed["secret"] is None
    assert {name: changed["channel"][name] for name in ("name", "enabled", "language")} == {
        "name": "Front desk", "enabled": False, "language": "de",
    }  # fmt: skip
    again = (await asked(place, "PUT", path, {"new_secret": True})).json()
    assert again["secret"] not in (None, new["secret"]) and again["channel"]["name"] == "Front desk"
    assert (await asked(place, "DELETE", path)).status_code == 204
    assert (await asked(place, "DELETE", path)).status_code == 404
    assert (await place.read("/api/v1/channels")).json() == {"channels": []}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"address": "http://example.com/"}, "refused"), ({"address": "https://10.0.0.1/hook"}, "not_public"),
        ({"address": "https://localhost.\u2024/"}, "refused"), ({"kind": "apprise", "address": "file:///etc/passwd"}, "refused"),
        ({"kind": "apprise", "address": "dbus://"}, "refused"), ({"kind": "apprise", "address": "ntfy://10.0.0.1/x"}, "not_public"),
        ({"kind": "apprise", "address": "mailto://a:b@c.de?pgpkey=/etc/passwd"}, "refused"), ({"kind": "fax"}, "invalid"),
        ({"name": "  "}, "invalid"), ({"name": "x" * 81}, "invalid"), ({"extra": 1}, "invalid"), ({"address": 3}, "invalid"),
        ({"name": "<script>alert(1)</script>"}, "invalid"), ({"language": "fr"}, "invalid"),
    ],
)  # fmt: skip
async def test_what_is_not_right_is_refused_and_nothing_is_kept(
    place: Place, change: dict[str, Any], code: str
) -> None:
    answer = await asked(place, "POST", "/api/v1/channels", {**HOOK, **change})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert place.deliveries.channels() == []


async def test_only_who_may_manage_changes_something(place: Place) -> None:
    for method, path in (
        ("POST", "/api/v1/channels"), ("PUT", "/api/v1/channels/x"), ("DELETE", "/api/v1/channels/x"),
        ("POST", "/api/v1/channels/x/test"), ("POST", "/api/v1/deliveries/1/retry"), ("POST", "/api/v1/push/subscriptions"),
        ("DELETE", "/api/v1/push/subscriptions/x"), ("POST", "/api/v1/push/subscriptions/x/test"),
    ):  # fmt: skip
        for key, status in (("swk_screen", 403), ("swk_till", 403), ("swk_unknown", 401), ("", 401)):
            answer = await asked(place, method, path, HOOK if method != "DELETE" else None, key)
            assert answer.status_code == status, (method, path, key)


async def test_a_cookie_changes_something_only_from_the_page_itself(place: Place) -> None:
    await place.client.post("/api/v1/session", json={"token": "once"}, headers={"origin": ORIGIN})
    assert (await asked(place, "POST", "/api/v1/channels", HOOK, "")).status_code == 403
    assert (await asked(place, "POST", "/api/v1/channels", HOOK, "", origin=ELSEWHERE)).status_code == 403
    answer = await asked(place, "POST", "/api/v1/channels", HOOK, "", origin=ORIGIN)
    assert answer.status_code == 201 and answer.json()["channel"]["person"] == "owner"
    assert (await place.client.get("/api/v1/channels")).status_code == 200


async def test_a_test_says_what_became_of_it(place: Place, sending: dict[str, Outcome]) -> None:
    new = await made(place)
    path = f"/api/v1/channels/{new['channel']['channel_id']}/test"
    good = (await asked(place, "POST", path)).json()
    sending["outcome"] = Outcome("failed", "answered 500")
    bad = (await asked(place, "POST", path)).json()
    assert (good["state"], good["happened"], good["subject"]) == ("sent", "test", "A test by Stockwire")
    assert (bad["state"], bad["error"], bad["channel_name"]) == ("dead", "answered 500", "Back office")
    assert (await place.read("/api/v1/channels")).json()["channels"][0]["last_error"] == "answered 500"


async def test_a_test_whose_outcome_is_long_in_coming_is_answered_as_it_stands(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await made(place)
    delivery = place.receivers.try_channel(new["channel"]["channel_id"])
    assert (await place.receivers.outcome(delivery, within=0)).state == "waiting"


async def test_a_dead_letter_is_seen_and_sent_again(place: Place, sending: dict[str, Outcome]) -> None:
    new = await made(place)
    sending["outcome"] = Outcome("failed", "answered 500")
    dead = (await asked(place, "POST", f"/api/v1/channels/{new['channel']['channel_id']}/test")).json()
    listed = (await place.read("/api/v1/deliveries?state=dead")).json()["deliveries"]
    assert listed == [dead] and (await place.read("/api/v1/channels")).json()["channels"][0]["dead"] == 1
    sending["outcome"] = SENT
    again = await asked(place, "POST", f"/api/v1/deliveries/{dead['delivery_id']}/retry")
    assert again.status_code == 200 and again.json()["state"] in ("waiting", "sending", "sent")
    await place.receivers.outcome(place.deliveries.delivery(dead["delivery_id"]))
    assert (await place.read("/api/v1/deliveries?state=dead")).json() == {"deliveries": []}
    refused = await asked(place, "POST", f"/api/v1/deliveries/{dead['delivery_id']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?state=lost", 400),
        ("?limit=0", 400),
        ("?limit=x", 400),
        ("?more=1", 400),
        ("?state=sent&limit=5", 200),
        ("", 200),
    ],
)
async def test_deliveries_are_asked_for_by_state(place: Place, path: str, status: int) -> None:
    assert (await place.read(f"/api/v1/deliveries{path}")).status_code == status


@pytest.mark.parametrize(("number", "status"), [("x", 400), ("-1", 400), ("9" * 40, 400), ("77", 404), ("٣", 400)])
async def test_a_delivery_that_is_none_is_not_sent_again(place: Place, number: str, status: int) -> None:
    assert (await asked(place, "POST", f"/api/v1/deliveries/{number}/retry")).status_code == status


async def test_a_browser_takes_pushes_until_it_does_not(place: Place, sending: dict[str, Outcome]) -> None:
    key = (await place.read("/api/v1/push/key")).json()["key"]
    assert len(key) == 87 and (await place.read("/api/v1/push/key")).json()["key"] == key
    answer = await asked(place, "POST", "/api/v1/push/subscriptions", BROWSER)
    assert answer.status_code == 201, answer.text
    browser = answer.json()["subscription"]
    assert browser == {
        "subscription_id": "b79ddca7b24c5ac3b0d2a9d3dd49b2b1", "person": "desk", "service": "push.example.com",
        "device": "Laptop", "language": "en", "last_sent_at": None, "last_error": None, "created_at": "2026-03-25T12:00:00Z",
    } | {"subscription_id": browser["subscription_id"]}  # fmt: skip
    again = await asked(place, "POST", "/api/v1/push/subscriptions", {**BROWSER, "device": "Desk"})
    assert again.json()["subscription"]["subscription_id"] == browser["subscription_id"]
    listed = await place.read("/api/v1/push/subscriptions")
    assert [each["device"] for each in listed.json()["subscriptions"]] == ["Desk"] and "SECRET" not in listed.text
    path = f"/api/v1/push/subscriptions/{browser['subscription_id']}"
    assert (await asked(place, "POST", f"{path}/test")).json()["channel_id"] == "push"
    sending["outcome"] = Outcome("gone", "answered 410")
    assert (await asked(place, "POST", f"{path}/test")).json()["state"] == "dead"
    assert (await place.read("/api/v1/push/subscriptions")).json() == {"subscriptions": []}
    assert (await asked(place, "DELETE", path)).status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"endpoint": "https://127.0.0.2/x"}, {"endpoint": "http://push.example.com/"}, {"keys": {"p256dh": "x", "auth": "y"}},
     {"keys": {**BROWSER["keys"], "auth": "AAAAAAAAAAAAAAAAAAAAAAAA"}}, {"device": "x" * 81}],  # type: ignore[dict-item]
)  # fmt: skip
async def test_a_browser_that_is_none_is_refused(place: Place, change: dict[str, Any]) -> None:
    assert (await asked(place, "POST", "/api/v1/push/subscriptions", {**BROWSER, **change})).status_code == 400
    assert place.deliveries.subscriptions() == []


async def test_a_body_comes_as_json(place: Place) -> None:
    assert (await asked(place, "POST", "/api/v1/channels", HOOK, **{"content-type": "text/plain"})).status_code == 415
    too_large = {**HOOK, "more": "x" * 70_000}
    assert (await asked(place, "POST", "/api/v1/channels", too_large)).status_code == 413
