"""The page's reducer, in Node, holds after every frame what the simulation's checked readers held."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.simulation.sweep import plans
from tests.simulation.tape import taped
from tests.simulation.world import Plan

FRONTEND = Path(__file__).parents[2] / "frontend"
PLANS = [*plans((1, 2, 5, 7, 13), 2_000), Plan(10, events=2_000, storage="sqlite")]


def test_the_pages_reducer_played_the_same_frames_ends_equal(tmp_path: Path) -> None:
    frames = sum(taped(plan, tmp_path) for plan in PLANS)
    assert frames > 1_000
    assert {"epoch", "window"} <= _reset_reasons(tmp_path)
    told = subprocess.run(
        ["npm", "run", "--silent", "test", "--", "--project", "tapes", "--reporter=dot"],
        cwd=FRONTEND, env=os.environ | {"STOCKWIRE_TAPES": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(PLANS) + 2} passed" in told.stdout


def _reset_reasons(place: Path) -> set[str]:
    lines = (json.loads(line) for tape in place.iterdir() for line in tape.read_text().splitlines())
    frames = (line["frame"] for line in lines if "frame" in line)
    return {frame["reason"] for frame in frames if frame["type"] == "reset"}
