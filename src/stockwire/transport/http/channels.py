"""Channels over HTTP: what people are told by outside the page, browsers that take pushes, and what was sent.

An address or secret goes in and is not shown again, but for the secret of a webhook, once, to whoever made it.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from stockwire.core.errors import Invalid
from stockwire.core.rows import NotificationRow
from stockwire.core.telling import WORDS, Language, subject
from stockwire.core.values import moment_text
from stockwire.core.wire import encode
from stockwire.engine.receivers import Made, Receivers
from stockwire.log.deliveries import Channel, Delivery, Kind, State, Subscription
from stockwire.transport.http import channels_described as described
from stockwire.transport.http.access import Access
from stockwire.transport.http.asked import asked_for
from stockwire.transport.http.limits import PAGE_ROWS
from stockwire.transport.http.reading import parse_parameters
from stockwire.transport.http.requests import asked_by

DELIVERIES: Final = 100
Name = Annotated[str, Meta(min_length=1, max_length=80)]
Address = Annotated[str, Meta(min_length=1, max_length=2_048)]


class NewChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel to be made. `address`: of a webhook its URL, else one of Apprise."""

    kind: Kind
    name: Name
    address: Address
    language: Language = "en"


class ChangedChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a channel; what is left out stays. `new_secret`: sign with another secret from now on."""

    name: Name | None = None
    address: Address | None = None
    language: Language | None = None
    enabled: bool | None = None
    new_secret: bool = False


class PushKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What messages for a browser are encrypted with, in base64url."""

    p256dh: Annotated[str, Meta(min_length=80, max_length=100)]
    auth: Annotated[str, Meta(min_length=20, max_length=30)]


class NewSubscription(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"expires": "expirationTime"}
):
    """A browser that takes pushes: what its `PushSubscription` says of itself, and what to call it."""

    endpoint: Address
    keys: PushKeys
    expires: float | None = None
    language: Language = "en"
    device: Annotated[str, Meta(max_length=80)] = ""


def channel_routes(access: Access, receivers: Receivers) -> list[HTTPRouteHandler]:
    """The routes of `/api/v1/channels`, `/api/v1/deliveries` and `/api/v1/push`."""
    return [*_channels(access, receivers), *_deliveries(access, receivers), *_browsers(access, receivers)]


def _channels(access: Access, receivers: Receivers) -> list[HTTPRouteHandler]:
    store = receivers.store

    def listed() -> list[dict[str, Any]]:
        counts = store.counts()
        return [show_channel(each, counts) for each in store.channels()]

    def made(found: Made) -> bytes:
        shown = show_channel(found.channel, store.counts())
        return encode({"channel": shown, "secret": found.secret})

    @get("/api/v1/channels", operation_id="list_channels", operation_class=described.listing())
    async def list_channels(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List the channels."""
        access.reader(asked_by(request))
        return _answer(encode({"channels": await asyncio.to_thread(listed)}))

    @post("/api/v1/channels", status_code=201, operation_id="make_channel", operation_class=described.making())
    async def make_channel(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Make a channel."""
        person = access.manager(asked_by(request)).name
        new = await asked_for(request, NewChannel)
        found = await asyncio.to_thread(receivers.make, person, new.kind, new.name, new.address, new.language)
        return _answer(await asyncio.to_thread(made, found), 201)

    @put("/api/v1/channels/{channel_id:str}", operation_id="change_channel", operation_class=described.changing())
    async def change_channel(request: Request[Any, Any, Any], channel_id: FromPath[str]) -> Response[bytes]:
        """Change a channel."""
        access.manager(asked_by(request))
        new = await asked_for(request, ChangedChannel)
        found = await asyncio.to_thread(
            lambda: receivers.change(channel_id, **{name: getattr(new, name) for name in new.__struct_fields__})
        )
        return _answer(await asyncio.to_thread(made, found))

    @delete(
        "/api/v1/channels/{channel_id:str}", status_code=204, operation_id="remove_channel",
        operation_class=described.removing("channel_id", "The channel's id."),
    )  # fmt: skip
    async def remove_channel(request: Request[Any, Any, Any], channel_id: FromPath[str]) -> None:
        """Remove a channel."""
        access.manager(asked_by(request))
        await asyncio.to_thread(store.remove_channel, channel_id)

    @post(
        "/api/v1/channels/{channel_id:str}/test", status_code=200, operation_id="test_channel",
        operation_class=described.trying("channel_id", "The channel's id."),
    )  # fmt: skip
    async def test_channel(request: Request[Any, Any, Any], channel_id: FromPath[str]) -> Response[bytes]:
        """Send a test by a channel, and say what became of it."""
        access.manager(asked_by(request))
        delivery = await asyncio.to_thread(receivers.try_channel, channel_id)
        return await _shown(receivers, await receivers.outcome(delivery))

    return [list_channels, make_channel, change_channel, remove_channel, test_channel]


def _deliveries(access: Access, receivers: Receivers) -> list[HTTPRouteHandler]:
    store = receivers.store

    def listed(state: State | None, limit: int) -> list[dict[str, Any]]:
        names = {each.channel_id: each.name for each in store.channels()}
        names |= {each.subscription_id: each.device for each in store.subscriptions()}
        return [show_delivery(each, names.get(each.receiver, "")) for each in store.deliveries(state, limit)]

    @get("/api/v1/deliveries", operation_id="list_deliveries", operation_class=described.deliveries())
    async def list_deliveries(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List what was sent, is sent and could not be."""
        access.reader(asked_by(request))
        state, limit = _looked_for(request)
        return _answer(encode({"deliveries": await asyncio.to_thread(listed, state, limit)}))

    @post(
        "/api/v1/deliveries/{delivery_id:str}/retry", status_code=200, operation_id="retry_delivery",
        operation_class=described.retrying(),
    )  # fmt: skip
    async def retry_delivery(request: Request[Any, Any, Any], delivery_id: FromPath[str]) -> Response[bytes]:
        """Send a dead letter again."""
        access.manager(asked_by(request))
        if not delivery_id.isascii() or not delivery_id.isdigit() or len(delivery_id) > 15:
            raise Invalid("a delivery's id is a number")
        return await _shown(receivers, await asyncio.to_thread(store.retry, int(delivery_id)))

    return [list_deliveries, retry_delivery]


def _browsers(access: Access, receivers: Receivers) -> list[HTTPRouteHandler]:
    store = receivers.store

    @get("/api/v1/push/key", operation_id="get_push_key", operation_class=described.key())
    async def get_push_key(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Give the key that browsers subscribe with."""
        access.reader(asked_by(request))
        return _answer(encode({"key": await asyncio.to_thread(receivers.push_key)}))

    @get("/api/v1/push/subscriptions", operation_id="list_subscriptions", operation_class=described.browsers())
    async def list_subscriptions(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List the browsers that take pushes."""
        access.reader(asked_by(request))
        found = await asyncio.to_thread(store.subscriptions)
        return _answer(encode({"subscriptions": [show_browser(each) for each in found]}))

    @post(
        "/api/v1/push/subscriptions", status_code=201, operation_id="add_subscription",
        operation_class=described.subscribing(),
    )  # fmt: skip
    async def add_subscription(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Have a browser take pushes."""
        person = access.manager(asked_by(request)).name
        new = await asked_for(request, NewSubscription)
        found = await asyncio.to_thread(
            receivers.subscribe, person, new.endpoint, new.keys.p256dh, new.keys.auth, new.language, new.device
        )
        return _answer(encode({"subscription": show_browser(found)}), 201)

    @delete(
        "/api/v1/push/subscriptions/{subscription_id:str}", status_code=204, operation_id="remove_subscription",
        operation_class=described.removing("subscription_id", "The subscription's id."),
    )  # fmt: skip
    async def remove_subscription(request: Request[Any, Any, Any], subscription_id: FromPath[str]) -> None:
        """Send to a browser no more."""
        access.manager(asked_by(request))
        await asyncio.to_thread(store.remove_subscription, subscription_id)

    @post(
        "/api/v1/push/subscriptions/{subscription_id:str}/test", status_code=200, operation_id="test_subscription",
        operation_class=described.trying("subscription_id", "The subscription's id."),
    )  # fmt: skip
    async def test_subscription(request: Request[Any, Any, Any], subscription_id: FromPath[str]) -> Response[bytes]:
        """Send a test to a browser, and say what became of it."""
        access.manager(asked_by(request))
        delivery = await asyncio.to_thread(receivers.try_browser, subscription_id)
        return await _shown(receivers, await receivers.outcome(delivery))

    return [get_push_key, list_subscriptions, add_subscription, remove_subscription, test_subscription]


def _looked_for(request: Request[Any, Any, Any]) -> tuple[State | None, int]:
    """Which deliveries, and how many."""

    class Wanted(msgspec.Struct, forbid_unknown_fields=True):
        state: Literal["waiting", "held", "sending", "sent", "dead", "digested", "dropped"] | None = None
        limit: Annotated[int, Meta(ge=1, le=PAGE_ROWS)] = DELIVERIES

    try:
        wanted = msgspec.convert(dict(parse_parameters(request.scope["query_string"])), Wanted, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"the query: {error}") from None
    return wanted.state, wanted.limit


async def _shown(receivers: Receivers, delivery: Delivery) -> Response[bytes]:
    def name() -> str:
        for each in receivers.store.channels():
            if each.channel_id == delivery.receiver:
                return each.name
        return next(
            (each.device for each in receivers.store.subscriptions() if each.subscription_id == delivery.receiver), ""
        )

    return _answer(encode(show_delivery(delivery, await asyncio.to_thread(name))))


def _answer(body: bytes, status: int = 200) -> Response[bytes]:
    headers = {"cache-control": "no-store", "vary": "Cookie"}
    return Response(body, status_code=status, media_type="application/json", headers=headers)


# --- what is shown ------------------------------------------------------------------------------------------------


def show_channel(channel: Channel, counts: dict[tuple[str, str], int]) -> dict[str, Any]:
    """A channel as the API has it: nothing of its secret, and of its address what nobody need hide."""
    waiting = sum(counts.get((channel.channel_id, state), 0) for state in ("waiting", "held", "sending"))
    return {
        "channel_id": channel.channel_id,
        "kind": channel.kind,
        "service": channel.service,
        "name": channel.name,
        "person": channel.person,
        "address": channel.shown,
        "language": channel.language,
        "enabled": channel.enabled,
        "note": channel.note,
        "waiting": waiting,
        "dead": counts.get((channel.channel_id, "dead"), 0),
        "last_sent_at": _moment(channel.last_sent_at),
        "last_error": channel.last_error,
        "created_at": moment_text(channel.created_at),
    }


def show_browser(browser: Subscription) -> dict[str, Any]:
    """A browser as the API has it: its endpoint is a secret."""
    return {
        "subscription_id": browser.subscription_id,
        "person": browser.person,
        "service": browser.service,
        "device": browser.device,
        "language": browser.language,
        "last_sent_at": _moment(browser.last_sent_at),
        "last_error": browser.last_error,
        "created_at": moment_text(browser.created_at),
    }


def show_delivery(delivery: Delivery, name: str) -> dict[str, Any]:
    """A delivery as the API has it; `name` is that of its receiver."""
    return {
        "delivery_id": delivery.delivery_id,
        "channel_id": delivery.channel_id,
        "channel_name": name,
        "person": delivery.person,
        "happened": delivery.happened,
        "notification_id": delivery.notification_id,
        "subject": _subject(delivery),
        "state": delivery.state,
        "due_at": moment_text(delivery.due_at),
        "attempts": delivery.attempts,
        "error": delivery.error,
        "created_at": moment_text(delivery.created_at),
        "finished_at": _moment(delivery.finished_at),
    }


def _subject(delivery: Delivery) -> str:
    """What it says, in a sentence."""
    match delivery.happened:
        case "test":
            return WORDS["en"]["test.subject"]
        case "digest":
            return WORDS["en"]["digest.subject"]
        case happened:
            row = msgspec.json.decode(delivery.entry or b"", type=NotificationRow)
            return subject(row, happened, "en")


def _moment(value: int | None) -> str | None:
    return None if value is None else moment_text(value)
