"""Notifications in a real browser: centre, what pops up, rules, preferences, channels and pushes; shared by tabs and people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser import chromium, visit
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser
PATIENCE = 90_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data_dir = tmp_path_factory.mktemp("notifications") / "data"
    server = Running(data_dir, "--currency", "EUR", "--set", "private_receivers=127.0.0.1").start()
    server.post(
        *(snapshot(sku, 20) for sku in ("MUG-01", "JUG-02", "TRAY-03", "BOWL-04")),
        event("product.updated", sku="MUG-01", name="Blue mug"),
    )
    yield server
    server.kill()


def ask(server: Running, method: str, path: str, body: Any = None) -> Any:
    """What another person does, by their own key."""
    answer = httpx.request(method, f"{server.url}/api/v1/{path}", json=body, headers=server.headers, timeout=60.0)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def oversell(server: Running, sku: str, location: str) -> None:
    """More of it is promised there than was ever there."""
    server.post(snapshot(sku, 1, location=location), event("stock.reserved", sku=sku, location=location, quantity=4))


def bell(page: Page, unread: str) -> Locator:
    """The bell, once it says so."""
    bell = page.locator(".bell")
    expect(bell).to_have_accessible_name(re.compile(f"^Notifications, {unread} unread$"), timeout=PATIENCE)
    return bell


def notice(page: Page, words: str) -> Locator:
    """A notification in whatever list is open."""
    found = page.locator("article.notice").filter(has_text=words)
    expect(found).to_be_visible(timeout=PATIENCE)
    return found


def test_what_fired_is_at_the_bell_and_is_seen_to_from_the_list(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.add_init_script("navigator.setAppBadge = async (count) => { window.badge = count; }")
        page.reload()
        oversell(server, "MUG-01", "leeds")
        bell(page, "[1-9]").click()
        expect(page).to_have_title(re.compile(r"^\(\d+\) Overview"))
        page.wait_for_function("() => document.title.startsWith(`(${window.badge}) `)", timeout=PATIENCE)
        told = notice(page, "Blue mug is oversold at leeds")
        told.get_by_role("button", name="Acknowledge").click()
        expect(told).to_contain_text("acknowledged by", timeout=PATIENCE)
        page.get_by_role("link", name="All notifications").click()
        told = notice(page, "Blue mug is oversold at leeds")
        told.get_by_role("button", name="Snooze").click()
        told.get_by_role("button", name="1 hour").click()
        expect(told).to_contain_text("snoozed until", timeout=PATIENCE)
        page.get_by_label("Severity").select_option("info")
        expect(told).to_have_count(0, timeout=PATIENCE)
        page.get_by_label("Severity").select_option("critical")
        notice(page, "Blue mug is oversold").get_by_role("link").click()
        expect(page).to_have_url(re.compile("/inventory[?]"))


def test_what_one_person_does_the_others_see_and_what_one_reads_is_read_on_all_their_devices(
    browser: Browser, server: Running
) -> None:
    with visit(browser, server) as desk, visit(browser, server, width=390, height=844) as phone:
        oversell(server, "JUG-02", "york")
        for page in (desk, phone):
            page.goto(server.url + "/notifications?severity=critical")
            expect(notice(page, "JUG-02 is oversold at york")).to_contain_text("goes on")
        (row,) = (
            row
            for row in ask(server, "GET", "notifications")["rows"]
            if row["location"] == "york" and row["kind"] == "oversold"
        )
        ask(server, "POST", f"notifications/{quote(row['notification_id'], safe='')}/acknowledge")
        for page in (desk, phone):
            expect(notice(page, "JUG-02")).to_contain_text("acknowledged by test", timeout=PATIENCE)
        ask(server, "POST", "notifications/read", {"through": row["fired_version"]})
        bell(desk, "[1-9]")
        desk.get_by_role("button", name="Mark all read").click()
        for page in (desk, phone):
            bell(page, "none")


def test_what_fires_elsewhere_pops_up_and_after_loading_only_its_number(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        oversell(server, "TRAY-03", "hull")
        page.clock.install()
        page.goto(server.url + "/orders")
        bell(page, "[1-9]")
        news = page.get_by_role("region", name="News")
        expect(news).to_have_count(0)
        page.clock.fast_forward(11_000)
        expect(news).to_contain_text("new notification", timeout=PATIENCE)
        news.get_by_role("button", name="Put away").click()
        expect(news).to_have_count(0)
        oversell(server, "BOWL-04", "bath")
        expect(news.get_by_role("alert")).to_contain_text("BOWL-04 is oversold at bath", timeout=PATIENCE)
        page.clock.fast_forward(60_000)
        expect(news).to_contain_text("BOWL-04")
        news.get_by_role("link", name="Open").click()
        expect(page).to_have_url(re.compile("/inventory[?]"))
        expect(news).to_have_count(0)


def test_a_rule_is_a_sentence_that_is_tried_on_the_past_before_it_is_kept(browser: Browser, server: Running) -> None:
    oversell(server, "MUG-01", "derby")
    with visit(browser, server) as page:
        page.goto(server.url + "/notifications/rules")
        page.get_by_role("button", name="Add rule").click()
        form = page.get_by_role("dialog")
        form.get_by_label("What", exact=True).select_option("oversold")
        form.get_by_label("Name").fill("Derby oversold")
        form.get_by_label("Location").fill("derby")
        expect(form).to_contain_text("Tell me when more was promised than is there at derby.")
        form.get_by_role("button", name="Try it on the past").click()
        expect(form).to_contain_text(re.compile("Would have fired [1-9]"), timeout=PATIENCE)
        form.get_by_role("button", name="Add rule").click()
        rule = page.get_by_role("listitem").filter(has_text="Derby oversold")
        expect(rule).to_contain_text("at derby.", timeout=PATIENCE)
        rule.get_by_role("switch").click()
        expect(rule.get_by_role("switch")).not_to_be_checked(timeout=PATIENCE)
        rule.get_by_role("button", name="Change").click()
        ask(server, "PUT", f"rules/{derby(server)}", {"kind": "oversold", "name": "Derby, by another"})
        expect(form).to_contain_text("test has changed this rule", timeout=PATIENCE)
        form.get_by_role("button", name="Save").click()
        expect(form).to_contain_text("Somebody else has changed it meanwhile", timeout=PATIENCE)
        form.get_by_role("button", name="Take theirs").click()
        expect(form.get_by_label("Name")).to_have_value("Derby, by another")
        form.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("listitem").filter(has_text="Derby")).to_have_count(0, timeout=PATIENCE)


def derby(server: Running) -> str:
    return str(next(row["rule_id"] for row in ask(server, "GET", "rules")["rows"] if "Derby" in row["name"]))


def test_preferences_are_the_persons_own_on_every_device(browser: Browser, server: Running) -> None:
    with visit(browser, server) as desk, visit(browser, server) as laptop:
        for page in (desk, laptop):
            page.goto(server.url + "/notifications/preferences")
        desk.get_by_label("Keep hours quiet").check()
        expect(laptop.get_by_label("from")).to_have_value("22:00", timeout=PATIENCE)
        laptop.get_by_label("from").fill("21:30")
        laptop.get_by_label("from").blur()
        expect(desk.get_by_label("from")).to_have_value("21:30", timeout=PATIENCE)
        desk.get_by_label("How to hear of Low stock").select_option("muted")
        expect(laptop.get_by_label("How to hear of Low stock")).to_have_value("muted", timeout=PATIENCE)
    assert ask(server, "GET", "me/preferences")["preferences"]["quiet"] is None


@contextmanager
def receiver(answers: Callable[[], int] = lambda: 201) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Somebody who takes what is posted, and answers so: the address, and what came."""
    came: list[tuple[dict[str, str], bytes]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            came.append(({name.lower(): value for name, value in self.headers.items()}, self.rfile.read(length)))
            self.send_response(answers())
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    taking = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = Thread(target=taking.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{taking.server_port}", came
    finally:
        taking.shutdown()
        thread.join()
        taking.server_close()


def add_office(page: Page, server: Running, address: str) -> None:
    """Add a webhook by that name; its secret is shown."""
    page.goto(server.url + "/notifications/channels")
    page.get_by_role("button", name="Add channel").first.click()
    page.get_by_label("Service").select_option("webhook")
    page.get_by_label("Name").fill("Office")
    page.get_by_label("Address").fill(f"{address}/hook")
    page.locator("form").get_by_role("button", name="Add channel").click()
    expect(page.get_by_text(re.compile("^whsec_"))).to_be_visible(timeout=PATIENCE)


def test_a_channel_is_added_tried_and_turned_off(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page, receiver() as (address, came):
        add_office(page, server, address)
        page.get_by_role("button", name="I have kept it").click()
        page.get_by_role("button", name="Send a test by Office").click()
        expect(page.get_by_role("region", name="News")).to_contain_text("The test was sent", timeout=PATIENCE)
        assert [json.loads(body)["type"] for _, body in came] != []
        page.get_by_role("button", name="Turn Office off").click()
        expect(page.get_by_role("button", name="Turn Office on")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Remove Office").click()
        expect(page.get_by_text("No channel yet")).to_be_visible(timeout=PATIENCE)


def test_what_could_not_be_delivered_is_seen_and_sent_again(browser: Browser, server: Running) -> None:
    status = 302  # to be sent elsewhere cannot get better by waiting
    with visit(browser, server) as page, receiver(lambda: status) as (address, came):
        assert page.evaluate(NOTHING_PREFERRED) == 200  # no quiet hours, whatever the time is
        add_office(page, server, address)
        oversell(server, "BOWL-04", "ely")
        comes_to(page, DELIVERED, "dead")
        page.reload()
        expect(page.get_by_role("listitem").filter(has_text="Office").first).to_contain_text("1 not delivered")
        undelivered = page.get_by_role("region", name="Not delivered")
        expect(undelivered).to_contain_text("BOWL-04 is oversold at ely")
        expect(undelivered).to_contain_text("redirect")
        status = 204
        undelivered.get_by_role("button", name="Try again: BOWL-04 is oversold at ely").click()
        expect(undelivered).to_have_count(0, timeout=PATIENCE)
        comes_to(page, DELIVERED, "sent")
        assert len({headers["webhook-id"] for headers, _ in came}) == 1 and len(came) == 2
        page.get_by_role("button", name="Remove Office").click()
        expect(page.get_by_text("No channel yet")).to_be_visible(timeout=PATIENCE)


def comes_to(page: Page, asks: str, wanted: Any) -> None:
    """Wait until what the page is asked, it answers so."""
    for _ in range(PATIENCE // 100):
        if (found := page.evaluate(asks)) == wanted:
            return
        page.wait_for_timeout(100)
    assert found == wanted


# Debian's Chromium has no push service behind it, so the browser's part of subscribing is played here: an address of ours
# and a real key pair. All else is real, the worker and what it shows among it.
PUSH_SERVICE = """
(endpoint) => {
  let own = null;
  const made = async () => {
    const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
    const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
    const text = (bytes) =>
      btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
    const keys = { p256dh: text(raw), auth: text(crypto.getRandomValues(new Uint8Array(16))) };
    return {
      endpoint,
      toJSON: () => ({ endpoint, expirationTime: null, keys }),
      unsubscribe: async () => { own = null; return true; },
    };
  };
  PushManager.prototype.getSubscription = async () => own;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || atob(applicationServerKey.replace(/-/g, "+").replace(/_/g, "/")).length !== 65)
      throw new DOMException("not a key of a server", "InvalidAccessError");
    return (own ??= await made());
  };
}
"""
NOTHING_PREFERRED = """
fetch("/api/v1/me/preferences", { method: "PUT", headers: { "content-type": "application/json" }, body: "{}" })
  .then(({ status }) => status)
"""
DELIVERED = """
fetch("/api/v1/deliveries").then((answer) => answer.json())
  .then(({ deliveries }) => deliveries.find(({ channel_name }) => channel_name === "Office")?.state)
"""
PRESS = """
async () => {
  const [notification] = await registration.getNotifications();
  dispatchEvent(new NotificationEvent("notificationclick", { notification }));
}
"""
# A browser opens a window only where a person's own press is behind it, which no test is.
OPENED = """
(patience) => {
  self.opened = new Promise((opened) => {
    clients.openWindow = async (address) => { opened(address); return null; };
    setTimeout(opened, patience, "no window");
  });
}
"""
ALONE = """
async (patience) => {
  const late = Date.now() + patience;
  while ((await clients.matchAll({ type: "window", includeUncontrolled: true })).length > 0) {
    if (Date.now() > late) throw new Error("a page is still open");
    await new Promise((again) => setTimeout(again, 50));
  }
}
"""
SHOWN = """
navigator.serviceWorker.ready.then((it) => it.getNotifications())
  .then((all) => all.map(({ title, body, tag, data }) => ({ title, body, tag, address: data.address })))
"""


def test_a_push_reaches_this_browser_once_a_person_asked_for_it_and_leads_to_what_it_is_about(
    browser: Browser, server: Running
) -> None:
    with visit(browser, server, offline=True) as page, receiver() as (address, came):
        page.context.grant_permissions(["notifications"], origin=server.url)
        page.evaluate(PUSH_SERVICE, f"{address}/push/1")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.evaluate(
            "history.pushState(null, '', '/notifications/channels'); dispatchEvent(new PopStateEvent('popstate'))"
        )
        page.get_by_role("button", name="Turn on").click()
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_role("region", name="News")).to_contain_text("The test was sent", timeout=PATIENCE)
        ((headers, body),) = came
        assert headers["content-encoding"] == "aes128gcm" and headers["authorization"].startswith("vapid ")
        assert b"test" not in body.lower()
        deliver(page, server, tag="default-oversold/location/leeds", title="Blue mug is oversold", path="/orders/1001")
        deliver(page, server, tag="default-oversold/location/leeds", title="2 products are oversold", path="/inventory")
        wanted = [{"title": "2 products are oversold", "body": "Now: -3.", "tag": "default-oversold/location/leeds",
                   "address": f"{server.url}/inventory"}]  # fmt: skip
        comes_to(page, SHOWN, wanted)
        page.get_by_role("button", name="Turn off").first.click()
        expect(page.get_by_role("button", name="Turn on")).to_be_visible(timeout=PATIENCE)
        (worker,) = page.context.service_workers
        worker.evaluate(PRESS)
        page.wait_for_url(f"{server.url}/inventory", timeout=PATIENCE)
        comes_to(page, SHOWN, [])
        deliver(page, server, tag="default-orders-late/log", title="An order is late", path="/orders/1001")
        comes_to(page, f"{SHOWN}.then((all) => all.length)", 1)
        page.goto("about:blank")  # nobody looks at the shop any more
        worker.evaluate(ALONE, PATIENCE)
        worker.evaluate(OPENED, PATIENCE)
        worker.evaluate(PRESS)
        assert worker.evaluate("opened") == f"{server.url}/orders/1001"


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def deliver(page: Page, server: Running, *, tag: str, title: str, path: str) -> None:
    """The browser's push service hands a message to the worker."""
    devtools = page.context.new_cdp_session(page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(one["registrationId"] for one in told["registrations"] if not one["isDeleted"]),
    )
    devtools.send("ServiceWorker.enable")
    while not found:
        page.wait_for_timeout(50)
    told = {"title": title, "body": "Now: -3.", "navigate": server.url + path, "tag": tag, "lang": "en"}
    message = {"web_push": 8030, "notification": told, "severity": "warning", "happened": "fired"}
    devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": server.url, "registrationId": found[-1], "data": compact(message)},
    )
    devtools.detach()
