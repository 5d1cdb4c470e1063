"""Workers and the writer die under load, again and again: nothing acknowledged is lost and every screen ends up right."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from tests.blackbox.siege import Plan, Siege
from tests.running import Running
from tests.workers.crew import Crew, eventually

KILLS = ("worker", "writer", "both")


class _Killings(Siege):
    """A siege of a server of two workers by nothing but `kill -9` of its processes."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        super().__init__(plan, directory)
        self.server = Running(
            directory, "--clock", "events", "--currency", "GBP", "--log-level", "warning", "--workers", "2"
        )
        self.crew = Crew(self.server)

    async def _besiege(self, proxy: Any) -> None:
        self._memory.append(0)
        for victim in KILLS:
            await asyncio.to_thread(self._until_acknowledged_are, len(self._acknowledged) + 1_000)
            await asyncio.to_thread(self._kill_one, victim)

    def _until_acknowledged_are(self, enough: int) -> None:
        eventually(lambda: len(self._acknowledged) >= enough, "events go in")

    def _kill_one(self, victim: str) -> None:
        eventually(lambda: len(self.crew.everybody) == 3, "three processes")
        before = self.crew.everybody
        doomed = [self.crew.writer] if victim != "worker" else []
        if victim != "writer":
            doomed.append(min(self.crew.workers))
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(self.crew.everybody - before) == len(doomed), "others in their place")


def test_dying_workers_and_writers_lose_nothing_and_leave_every_screen_right(tmp_path: Path) -> None:
    async def story() -> Any:
        return await _Killings(Plan(seed=5, events=4_000, readers=12, producers=3), tmp_path / "data").run()

    outcome = asyncio.run(story())
    assert outcome.wrong == []
    assert outcome.divergent == outcome.unplanned_resets == 0
    assert outcome.acknowledged >= 4_000
