"""Outgoing webhooks, signed as Standard Webhooks says: https://www.standardwebhooks.com.

The signature is an HMAC over the id, the time and the very bytes of the body, so a receiver checks it before it reads anything.
The id is the delivery's own and stays the same over all tries, so that a receiver which keeps the ids it saw shows each once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from stockwire.core.retrying import Outcome
from stockwire.core.telling import Message
from stockwire.core.values import SECOND, moment_text
from stockwire.core.wire import encode
from stockwire.log.deliveries import Channel
from stockwire.transport.outgoing.posting import Post

SECRET_PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


class Webhook:
    """Sends to the address of a channel. `now` is the wall's clock, a moment."""

    def __init__(self, post: Post, now: Callable[[], int]) -> None:
        self._post = post
        self._now = now

    async def send(self, channel: Channel, message: Message) -> Outcome:
        """Post the message, signed as of now."""
        now = self._now()
        content = body(message)
        headers = {
            "content-type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(now // SECOND),
            "webhook-signature": signature(channel.secret or "", message.id, now // SECOND, content),
        }
        return await self._post.send(channel.address, headers, content, now)


def body(message: Message) -> bytes:
    """What a receiver gets. `data.notification` is the row as the API shows it; a digest has several."""
    data: dict[str, Any] = {"subject": message.subject, "text": message.text, "url": message.url}
    if message.happened == "digest":
        data["notifications"] = list(message.notifications)
    elif message.notifications:
        data["notification"] = message.notifications[0]
    said = {"type": f"notification.{message.happened}", "timestamp": moment_text(message.at), "data": data}
    return encode(said)


def new_secret(chance: bytes) -> str:
    """A secret's text from random bytes."""
    return SECRET_PREFIX + base64.b64encode(chance).decode()


def signature(secret: str, id_: str, timestamp: int, content: bytes) -> str:
    """The `webhook-signature` of a body sent at a second since 1970."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{id_}.{timestamp}.".encode() + content, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()
