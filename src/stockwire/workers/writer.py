"""The writer: the process that owns the data directory, and the only one that commits, and that sends messages."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from stockwire.engine.chores import settle_memory
from stockwire.engine.relay import Reception
from stockwire.engine.state import ready
from stockwire.log.sqlite import SqliteLog
from stockwire.workers.post import Post, tell
from stockwire.writing import moment_now, opened_deliveries, outbox, scribe


async def write(post: Post) -> None:
    """Write what the workers relay, until SIGTERM. Raises DataDirectoryBusy, SchemaTooNew or StorageFailed before it is ready."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    settings = post.settings
    log = SqliteLog(settings.data_dir, now=moment_now(), followed=True)
    try:
        writing = scribe(settings, log, ready(log))
        await writing.start(_unheard, _unheard)
        reception = Reception(settings.data_dir, writing.submit)
        await reception.start()
        with contextlib.closing(opened_deliveries(settings)) as deliveries:
            telling = outbox(settings, log, deliveries)
            await telling.start()
            settle_memory()
            tell(post)
            await stopping.wait()
            await reception.stop()
            await telling.stop()
        await writing.stop()
    finally:
        log.close()


def _unheard(_: object) -> None:
    """The workers read the log; nothing is published here."""
