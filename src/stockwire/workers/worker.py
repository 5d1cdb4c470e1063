"""A worker: a process that serves screens and relays events, beside the one that writes."""

from __future__ import annotations

import signal
import socket

from stockwire.app import Stockwire
from stockwire.engine.census import Census
from stockwire.engine.chores import settle_memory
from stockwire.serving import answering, until_stopped
from stockwire.workers.post import Post, tell


async def work(post: Post) -> None:
    """Serve until SIGTERM, then let the screens go. Raises SchemaTooNew or StorageFailed before it is ready."""
    assert post.listener is not None
    count = Census(post.census, post.places).at(post.place)
    with socket.socket(fileno=post.listener) as listener:
        application = await Stockwire.follow(post.settings, count, _begin_anew)
        try:
            async with answering(application, listener) as server:
                settle_memory()
                tell(post)
                await until_stopped(application, server, (signal.SIGTERM,), first=server.close_doors)
        finally:
            await application.close()


def _begin_anew() -> None:
    """End, as when asked to: the supervisor starts another, which loads everything."""
    signal.raise_signal(signal.SIGTERM)
