"""Chores: what is done again and again is done again whatever became of it the last time."""

from __future__ import annotations

import asyncio

import pytest

from stockwire.core.errors import StorageFailed
from stockwire.engine.chores import ended, every


@pytest.mark.parametrize("failure", [StorageFailed("the disk is full"), OSError("no process can be started")])
async def test_a_chore_that_failed_is_told_and_done_again(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()
    failures = [failure]

    async def chore() -> None:
        if failures:
            raise failures.pop()
        done.set()

    doing = asyncio.create_task(every(0.0, chore))
    async with asyncio.timeout(20):
        await done.wait()
    await ended(doing)
    assert str(failure) in caplog.text
