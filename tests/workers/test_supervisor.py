"""The supervisor, where the system has no process to give: it says so, keeps nothing, and can be asked again."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockwire.core.errors import Failed
from stockwire.settings import Settings
from stockwire.workers.supervisor import Supervisor


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    made = Supervisor(Settings(data_dir=tmp_path, port=0, workers=1))
    yield made
    await made.stop(asyncio.Queue())
    made.kill()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_a_process_that_cannot_be_started_is_told_and_leaves_nothing_behind(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none_to_give(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", none_to_give)
    held = descriptors()
    for _ in range(10):
        with pytest.raises(Failed, match="cannot be started"):
            await supervisor.start()
    assert descriptors() == held
