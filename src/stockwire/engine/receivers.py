"""Receivers: what people set up to be told by, and how they try it out.

Any process may do this, beside the one that sends: the store is where they meet. A trial is a delivery like any other, so it
goes out by the same way from the same place, and whoever asked for it looks into the store until it has an outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import msgspec

from stockwire.core.errors import Invalid
from stockwire.core.preferences import PUSH
from stockwire.core.telling import Language
from stockwire.log.deliveries import Channel, Deliveries, Delivery, Kind, Planned, Subscription, subscription_id

NAME_LENGTH: Final = 80
TRIAL_WITHIN: Final = 15.0
"""Seconds for which somebody waits for the outcome of a trial."""
_LOOK_EVERY: Final = 0.1
_UNDER_WAY: Final = ("waiting", "sending")


class Ways(Protocol):
    """What the ways out say of addresses, before anything is sent."""

    def check(self, kind: Kind, address: str) -> None:
        """Raises Refused for an address that nothing would be sent to."""

    def check_browser(self, endpoint: str, p256dh: str, auth: str) -> tuple[bytes, bytes]:
        """The keys of a subscription. Raises Refused or Invalid."""

    def new_secret(self) -> str:
        """A secret to sign webhooks with."""

    def push_key(self) -> str:
        """The public key by which push services know this server."""


class Made(NamedTuple):
    """A channel that was made or changed, and its secret where that is new: nobody sees it again."""

    channel: Channel
    secret: str | None


class Receivers:
    """Sets up the receivers of `store`. `now` is the wall's clock, a moment; `token` gives another text each time."""

    def __init__(self, store: Deliveries, ways: Ways, *, now: Callable[[], int], token: Callable[[], str]) -> None:
        self.store = store
        self._ways = ways
        self._now = now
        self._token = token

    def make(self, person: str, kind: Kind, name: str, address: str, language: Language) -> Made:
        """A new channel. Raises Refused for its address, or Invalid."""
        self._ways.check(kind, address)
        channel = Channel(
            channel_id=self._token(),
            kind=kind,
            name=_named(name),
            person=person,
            address=address,
            secret=self._ways.new_secret() if kind == "webhook" else None,
            language=language,
            enabled=True,
            note=None,
            created_at=self._now(),
        )
        self.store.put_channel(channel)
        return Made(channel, channel.secret)

    def change(
        self,
        channel_id: str,
        *,
        name: str | None = None,
        address: str | None = None,
        language: Language | None = None,
        enabled: bool | None = None,
        new_secret: bool = False,
    ) -> Made:
        """Change what is given of a channel. Raises NotFound, Refused or Invalid."""
        channel = self.store.channel(channel_id)
        if address is not None:
            self._ways.check(channel.kind, address)
        if new_secret and channel.kind != "webhook":
            raise Invalid("only a webhook has a secret")
        secret = self._ways.new_secret() if new_secret else channel.secret
        changed = msgspec.structs.replace(
            channel,
            name=channel.name if name is None else _named(name),
            address=channel.address if address is None else address,
            language=language or channel.language,
            enabled=channel.enabled if enabled is None else enabled,
            note=None if enabled or address else channel.note,
            secret=secret,
        )
        self.store.put_channel(changed)
        return Made(changed, secret if new_secret else None)

    def subscribe(
        self, person: str, endpoint: str, p256dh: str, auth: str, language: Language, device: str
    ) -> Subscription:
        """Have a browser take pushes; it replaces itself. Raises Refused or Invalid."""
        point, secret = self._ways.check_browser(endpoint, p256dh, auth)
        browser = Subscription(
            subscription_id=subscription_id(endpoint),
            person=person,
            endpoint=endpoint,
            p256dh=point,
            auth=secret,
            language=language,
            device=device.strip()[:NAME_LENGTH],
            created_at=self._now(),
        )
        self.store.put_subscription(browser)
        return self.store.subscription(browser.subscription_id)

    def push_key(self) -> str:
        """What a browser needs to subscribe."""
        return self._ways.push_key()

    def try_channel(self, channel_id: str) -> Delivery:
        """Have a test sent by a channel. Raises NotFound, or Invalid when it is turned off."""
        channel = self.store.channel(channel_id)
        if not channel.enabled:
            raise Invalid("this channel is turned off; turn it on first")
        return self._try(channel.channel_id, channel.channel_id, channel.person)

    def try_browser(self, subscription_id: str) -> Delivery:
        """Have a test sent to a browser. Raises NotFound."""
        browser = self.store.subscription(subscription_id)
        return self._try(browser.subscription_id, PUSH, browser.person)

    def _try(self, receiver: str, channel_id: str, person: str) -> Delivery:
        now = self._now()
        return self.store.add(
            Planned(
                key=f"test/{receiver}/{self._token()}",
                receiver=receiver,
                channel_id=channel_id,
                person=person,
                happened="test",
                notification_id=None,
                entry=None,
                at=now,
                due_at=now,
            )
        )

    async def outcome(self, delivery: Delivery, within: float = TRIAL_WITHIN) -> Delivery:
        """The delivery once it has an outcome, or as it stands after so many seconds."""
        try:
            async with asyncio.timeout(within):
                while delivery.state in _UNDER_WAY:
                    await asyncio.sleep(_LOOK_EVERY)
                    delivery = await asyncio.to_thread(self.store.delivery, delivery.delivery_id)
        except TimeoutError:
            pass
        return delivery


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(f"a channel has a name of 1 to {NAME_LENGTH} characters")
    return name
