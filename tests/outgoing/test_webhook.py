"""Webhooks: signed so that others can check it, and understood whatever the other side does."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest
import standardwebhooks.webhooks
from standardwebhooks.webhooks import Webhook as Judge
from standardwebhooks.webhooks import WebhookVerificationError

from stockwire.core.retrying import Outcome
from stockwire.core.values import SECOND, moment_datetime
from stockwire.transport.outgoing.guard import Guard
from stockwire.transport.outgoing.posting import Post, seconds_of
from stockwire.transport.outgoing.webhook import Webhook, new_secret, signature
from tests.outgoing.house import NOW, SECRET, House, channel, house, message, ok


async def sent(inside: House | str, *, deadline: float = 20, **more: object) -> Outcome:
    post = Post(Guard(["127.0.0.1"]), deadline=deadline)
    try:
        address = inside if isinstance(inside, str) else inside.address
        return await Webhook(post, lambda: NOW).send(channel(address), message(**more))
    finally:
        await post.close()


class Then(datetime):
    """The judge's clock."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        return moment_datetime(NOW)


async def test_a_judge_that_is_not_ours_finds_the_signature_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Then)
    async with house() as inside:
        assert (await sent(inside)).kind == "sent"
    came = inside.came[0]
    assert Judge(SECRET).verify(came.body, came.headers)["type"] == "notification.fired"
    with pytest.raises(WebhookVerificationError):
        Judge(SECRET).verify(came.body + b" ", came.headers)
    with pytest.raises(WebhookVerificationError):
        Judge(new_secret(b"another secret of enough bytes..")).verify(came.body, came.headers)


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the specification's own libraries."""
    body = b'{"test": 2432232314}'
    found = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_receiver_gets_the_words_and_the_row() -> None:
    async with house() as inside:
        await sent(inside)
        await sent(inside, happened="digest", notifications=({"notification_id": "a"}, {"notification_id": "b"}))
        await sent(inside, happened="test", notifications=())
    fired, digest, test = (json.loads(came.body) for came in inside.came)
    assert fired["type"] == "notification.fired" and fired["timestamp"] == "2026-06-10T10:00:00Z"
    assert fired["data"]["notification"] == {"notification_id": "low@7", "sku": "MUG"}
    assert fired["data"]["subject"] == "Mug is out of stock at main"
    assert [each["notification_id"] for each in digest["data"]["notifications"]] == ["a", "b"]
    assert test["type"] == "notification.test" and "notification" not in test["data"]
    assert inside.came[0].headers["webhook-id"] == "msg_1"
    assert inside.came[0].headers["webhook-timestamp"] == str(NOW // SECOND)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, "sent"), (202, "sent"), (204, "sent"), (400, "failed"), (401, "failed"), (404, "failed"), (408, "failed"),
     (410, "gone"), (429, "failed"), (500, "failed"), (503, "failed"), (302, "refused")],
)  # fmt: skip
async def test_what_an_answer_means(status: int, kind: str) -> None:
    async with house() as inside:
        inside.answer = lambda _: ok(status)
        assert (await sent(inside)).kind == kind


async def test_a_receiver_says_when_to_come_again() -> None:
    async with house() as inside:
        inside.answer = lambda _: ok(429, b"slow down", retry_after="120")
        assert await sent(inside) == Outcome("failed", "answered 429: slow down", 120)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120), ("0", 0), ("Wed, 10 Jun 2026 10:02:00 GMT", 120), ("Wed, 10 Jun 2026 09:00:00 GMT", 0), ("soon", None),
     ("", None), (None, None), ("-5", None), ("9" * 400, 999_999_999)],
)  # fmt: skip
def test_both_forms_of_retry_after_are_understood(said: str | None, seconds: int | None) -> None:
    assert seconds_of(said, NOW) == seconds


async def test_nobody_at_home() -> None:
    async with house() as inside:
        pass
    outcome = await sent(inside)
    assert outcome.kind == "failed" and outcome.detail


async def test_a_receiver_that_never_answers_is_left() -> None:
    async with house() as inside:
        inside.answer = lambda _: None
        outcome = await sent(inside, deadline=0.3)
    assert outcome == Outcome("failed", "no answer within 0.3 seconds")


async def test_a_receiver_that_talks_for_ever_is_heard_no_longer_than_its_beginning() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 500 No\r\ncontent-type: text/plain\r\n\r\n")
            while True:
                writer.write(b"no " * 4_096)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await sent(f"http://127.0.0.1:{port}/")
    assert outcome.kind == "failed" and outcome.detail.startswith("answered 500: no no") and len(outcome.detail) < 300


async def test_a_receiver_that_speaks_something_else_has_not_taken_it() -> None:
    async with house() as inside:
        inside.answer = lambda _: b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
        assert (await sent(inside)).kind == "failed"
        inside.answer = lambda _: b""
        assert (await sent(inside)).kind == "failed"


def test_a_channel_shows_nothing_of_its_secrets() -> None:
    shown = repr(channel("https://hooks.example.com/services/T000/SECRET"))
    assert "SECRET" not in shown and SECRET not in shown and "hooks.example.com" in shown


@pytest.mark.parametrize(
    "address",
    [
        "mailtos://ann:SECRET@mail.example.com", "mailtos://ann:SECRET@mail.example.com:465/?to=bob@example.org",
        "mailtos://mail.example.com?user=ann@example.com&pass=SECRET", "mailto://ann:SEC/RET@mail.example.com?from=SECRET@x",
        "slack://SECRET/SECRET/SECRET/#orders", "tgram://SECRET/12345", "sns://SECRET/SECRET/eu-west-1/+15551234567",
    ],
)  # fmt: skip
def test_of_an_address_that_holds_secrets_only_the_mail_server_is_shown(address: str) -> None:
    shown = channel(address, kind="apprise").shown
    place = "mail.example.com" if address.startswith("mail") else ""
    assert shown in (f"{address.partition(':')[0]}://••••@{place}", f"{address.partition(':')[0]}://••••")
