"""Stockwire under somebody else's ASGI server, or inside somebody else's application.

    hypercorn stockwire.asgi:application          settings from the environment and stockwire.toml

    async with opened(settings) as shop:          in an application's own lifespan, to be mounted there
        app.mount("/shop", shop)

The sessions are the same as under `stockwire serve`; what is missing there is what needs the server: the streams are not
taken over, so each costs a task, and at the end they are cut instead of being let go over some seconds.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from stockwire.app import Stockwire
from stockwire.engine.exchange import Receive, Scope, Send
from stockwire.settings import Settings, load

__all__ = ["application", "opened"]


@asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncIterator[Stockwire]:
    """The application for as long as the block runs; at its end whoever is still connected is asked to come back.

    Without `settings` they come from the environment and the settings file. Raises DataDirectoryBusy, SchemaTooNew,
    StorageFailed or Invalid.
    """
    shop = await Stockwire.open(settings or load({}, os.environ).settings)
    try:
        yield shop
        await shop.admission.drain(random.random)
    finally:
        await shop.close()


class Hosted:
    """The application of a server that speaks the lifespan protocol: it is open between startup and shutdown."""

    def __init__(self) -> None:
        self._shop: Stockwire | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._shop is None:
            raise RuntimeError("the server must speak ASGI's lifespan protocol")
        await self._shop(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                self._shop = await stack.enter_async_context(opened())
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        self._shop = None
        await send({"type": "lifespan.shutdown.complete"})


application = Hosted()
