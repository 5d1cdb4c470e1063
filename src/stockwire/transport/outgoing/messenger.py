"""The messenger: takes a message to a receiver by whatever kind of way that receiver has."""

from __future__ import annotations

from collections.abc import Callable

from stockwire.core.errors import Refused
from stockwire.core.retrying import Outcome
from stockwire.core.telling import Message
from stockwire.log.deliveries import Channel, Subscription
from stockwire.transport.outgoing.apprise import Couriers, checked
from stockwire.transport.outgoing.posting import Post
from stockwire.transport.outgoing.push import Identity, Push
from stockwire.transport.outgoing.webhook import Webhook


class Messenger:
    """Every way out. `identity` gives by what push services know this server."""

    def __init__(
        self, post: Post, couriers: Couriers, identity: Callable[[], Identity], *, now: Callable[[], int]
    ) -> None:
        self._post = post
        self._couriers = couriers
        self._webhook = Webhook(post, now)
        self._push = Push(post, identity, now)

    async def by_channel(self, channel: Channel, message: Message) -> Outcome:
        """Send by a channel. Never raises for what the other side does."""
        if channel.kind == "webhook":
            return await self._webhook.send(channel, message)
        try:
            checked(channel.address, self._post.guard)
        except Refused as error:
            return Outcome("refused", error.detail)
        return await self._couriers.send(channel, message)

    async def by_push(self, subscription: Subscription, message: Message) -> Outcome:
        """Send to a browser. Never raises for what the other side does."""
        return await self._push.send(subscription, message)

    async def close(self) -> None:
        """Let go of connections and processes."""
        await self._couriers.close()
        await self._post.close()
