"""A conversation keeps answers and turns in order, however slow the link is."""

from __future__ import annotations

import asyncio
import json

from stockwire.core.session import Session
from stockwire.core.wire import Frame
from stockwire.engine.conversation import Conversation
from tests.core.shop import Shop


class Link:
    """A link that takes frames while it is `open`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.taken: list[str] = []
        self.has_content = asyncio.Event()

    async def send(self, sent: Frame, _: str | None) -> None:
        await self.open.wait()
        self.taken.append(json.loads(sent.body)["type"])
        if self.taken[-1] == "snapshot":
            self.has_content.set()


async def test_a_view_asked_for_while_the_link_is_busy_is_confirmed_before_its_content() -> None:
    shop, link = Shop(), Link()
    session = Session("s", shop.hub, heartbeat=20.0, now=shop.seconds)
    conversation = Conversation(session, shop.hub, link.send, monotonic=lambda: shop.seconds, ends_at=10_000.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(conversation.receive('{"type":"hello","protocol":1}'))
        await asyncio.sleep(0)
        running = group.create_task(conversation.run())
        await asyncio.sleep(0)
        group.create_task(conversation.receive('{"type":"subscribe","id":"a","feed":"inventory"}'))
        await asyncio.sleep(0)
        link.open.set()
        await link.has_content.wait()
        running.cancel()
    assert link.taken[:3] == ["hello", "subscribed", "snapshot"]
