"""Chores: what a process does after its start, and again and again for as long as it runs."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable

from stockwire.core.errors import StockwireError

_log = logging.getLogger("stockwire")


async def every(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    """Do the chore again and again, for ever. One that fails, however, is told, and tried again at its next turn."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except StockwireError as error:
            _log.warning("%s: %s", chore.__name__.strip("_"), error.detail)
        except Exception:
            _log.exception("%s failed", chore.__name__.strip("_"))


async def ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel the tasks and wait until they are over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def settle_memory() -> None:
    """What is there after the start stays; the collector need not look at it again."""
    gc.collect()
    gc.freeze()
