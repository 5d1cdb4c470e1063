"""What the supervisor is asked for while it is busy."""

from __future__ import annotations

import asyncio
import signal

from stockwire.workers.supervisor import _asked_to_stop_before


async def test_new_processes_that_are_asked_for_meanwhile_come_afterwards() -> None:
    asked: asyncio.Queue[int] = asyncio.Queue()
    done = asyncio.Event()
    busy = asyncio.create_task(_until(done))
    waiting = asyncio.create_task(_asked_to_stop_before(busy, asked))
    asked.put_nowait(signal.SIGHUP)
    asked.put_nowait(signal.SIGHUP)
    for _ in range(20):  # turns of the loop, of which each takes two
        await asyncio.sleep(0)
    done.set()
    assert await waiting is False
    assert asked.get_nowait() == signal.SIGHUP
    assert asked.empty(), "asked for twice, they are made once"


async def test_who_asks_to_stop_is_not_kept_waiting() -> None:
    asked: asyncio.Queue[int] = asyncio.Queue()
    busy = asyncio.create_task(_until(asyncio.Event()))
    asked.put_nowait(signal.SIGTERM)
    assert await _asked_to_stop_before(busy, asked) is True
    assert busy.cancelled()


async def _until(done: asyncio.Event) -> None:
    await done.wait()
